import type { Path } from '@mizzen/diagnostics';
import type {
  IstioEgressListener,
  IstioIngressListener,
  Sidecar,
  SidecarPort,
} from '../gen/istio.networking.v1alpha3.ts';
import type { Resource } from '../resource.ts';
import { UNIX_PREFIX, checkIpAddress, checkUnixAddress } from './checks/addresses.ts';
import { checkConnectionPool } from './checks/connection-pool.ts';
import { checkDestination } from './checks/destination.ts';
import { checkSelector } from './checks/labels.ts';
import { checkNamespacedHost } from './checks/namespaced-host.ts';
import { checkFqdn, checkPortName } from './checks/names.ts';
import { checkPort } from './checks/numbers.ts';
import { PROTOCOLS_HELP, isHttpProtocol, isKnownProtocol, isTlsProtocol } from './checks/protocol.ts';
import { checkIngressTls, checkServerTls } from './checks/server-tls.ts';
import { BAD_ADDRESS, BAD_VALUE, CONFLICT, DUPLICATE, NO_EFFECT, REQUIRED, SUSPICIOUS } from './report.ts';
import type { Report } from './report.ts';

export function checkSidecar({ spec, metadata }: Resource<Sidecar>, report: Report): void {
  if (spec.workloadSelector) {
    const everything = 'every workload in the namespace';
    checkSelector(report, ['spec', 'workloadSelector', 'labels'], spec.workloadSelector.labels, everything);
    if (!report.isClean) return;
  }
  if (!spec.egress?.length && !spec.ingress?.length && !spec.outboundTrafficPolicy && !spec.inboundConnectionPool) {
    report.error(REQUIRED, ['spec'], 'a Sidecar needs `egress`, `ingress` or a policy');
    return;
  }
  const ports = new Set<number>();
  spec.ingress?.forEach((listener, i) => checkIngress(report, ['spec', 'ingress', i], listener, ports));
  checkConnectionPool(report, ['spec', 'inboundConnectionPool'], spec.inboundConnectionPool);
  checkEgress(report, spec.egress ?? [], metadata.namespace);
  checkOutbound(report, ['spec', 'outboundTrafficPolicy'], spec.outboundTrafficPolicy);
}

function checkIngress(report: Report, path: Path, listener: IstioIngressListener, ports: Set<number>): void {
  const { port, bind = '', tls, connectionPool } = listener;
  if (!port) {
    report.error(REQUIRED, path, 'an ingress listener needs a `port`');
    return;
  }
  checkListenerPort(report, [...path, 'port'], port);
  checkPort(report, [...path, 'port', 'number'], port.number);
  if (bind !== '') checkIpAddress(report, [...path, 'bind'], bind);
  checkUnique(report, [...path, 'port', 'number'], port.number ?? 0, ports);
  checkDefaultEndpoint(report, [...path, 'defaultEndpoint'], listener.defaultEndpoint);
  if (tls) {
    checkIngressTls(report, [...path, 'tls'], tls);
    if (!isTlsProtocol(port.protocol)) {
      const message = `a listener of protocol \`${port.protocol ?? ''}\` cannot have TLS settings`;
      report.error(CONFLICT, [...path, 'tls'], message, 'use protocol `HTTPS` or `TLS`');
    }
    checkServerTls(report, [...path, 'tls'], tls);
  }
  checkConnectionPool(report, [...path, 'connectionPool'], connectionPool);
  if (connectionPool?.http && !isHttpProtocol(port.protocol)) {
    const message = `port \`${port.number}\` is \`${port.protocol ?? ''}\`, so its HTTP settings are not used`;
    report.warn(NO_EFFECT, [...path, 'connectionPool', 'http'], message);
  }
}

function checkListenerPort(report: Report, path: Path, port: SidecarPort): void {
  const { name, protocol, targetPort } = port;
  if (targetPort) report.error(CONFLICT, [...path, 'targetPort'], '`targetPort` means nothing in a Sidecar');
  if (name) checkPortName(report, [...path, 'name'], name);
  if (protocol && !isKnownProtocol(protocol)) {
    report.error(BAD_VALUE, [...path, 'protocol'], `\`${protocol}\` is not a protocol`, PROTOCOLS_HELP);
  }
}

function checkUnique(report: Report, path: Path, port: number, ports: Set<number>): void {
  if (ports.has(port)) report.error(DUPLICATE, path, `two listeners have port \`${port}\``);
  ports.add(port);
}

const LOCAL = ['', '127.0.0.1', '0.0.0.0', '::1', '::'];
const ENDPOINT_HELP = '`127.0.0.1:PORT`, `0.0.0.0:PORT`, `[::1]:PORT`, `[::]:PORT`, `unix://PATH`, or unset';

function checkDefaultEndpoint(report: Report, path: Path, endpoint: string | undefined): void {
  if (!endpoint) return;
  if (endpoint.startsWith(UNIX_PREFIX)) {
    checkUnixAddress(report, path, endpoint.slice(UNIX_PREFIX.length));
    return;
  }
  const [, v6, v4, port] = /^(?:\[([^\]]*)\]|([^:]*)):(.*)$/.exec(endpoint) ?? [];
  if (port === undefined || !LOCAL.includes(v6 ?? v4 ?? '')) {
    report.error(BAD_ADDRESS, path, `\`${endpoint}\` is not a local endpoint`, ENDPOINT_HELP);
  } else if (!/^[-+]?\d+$/.test(port)) report.error(BAD_ADDRESS, path, `port \`${port}\` is not a number`);
  else checkPort(report, path, Number(port));
}

function checkEgress(report: Report, listeners: readonly IstioEgressListener[], namespace: string): void {
  const ports = new Set<number>();
  const sockets = new Set<string>();
  listeners.forEach((listener, index) => {
    const path = ['spec', 'egress', index];
    const { port, bind = '', hosts = [] } = listener;
    if (port) {
      checkListenerPort(report, [...path, 'port'], port);
      checkEgressBind(report, path, listener, port);
      if (!port.number) {
        if (sockets.has(bind)) report.error(DUPLICATE, [...path, 'bind'], `two listeners have socket \`${bind}\``);
        sockets.add(bind);
      } else checkUnique(report, [...path, 'port', 'number'], port.number, ports);
    } else if (index !== listeners.length - 1) {
      report.error(CONFLICT, path, 'the egress listener without a `port` must be the last: it takes everything');
    }
    if (hosts.length === 0) report.error(REQUIRED, [...path, 'hosts'], 'an egress listener needs at least one host');
    checkEgressHosts(report, [...path, 'hosts'], hosts, namespace);
  });
}

function checkEgressBind(report: Report, path: Path, listener: IstioEgressListener, port: SidecarPort): void {
  const { bind = '', captureMode = 'DEFAULT' } = listener;
  if (port.number) {
    checkPort(report, [...path, 'port', 'number'], port.number);
    if (bind !== '') checkIpAddress(report, [...path, 'bind'], bind);
    return;
  }
  if (!bind.startsWith(UNIX_PREFIX)) {
    report.error(REQUIRED, path, 'a listener with port 0 needs a unix socket to bind to', '`bind: unix:///path`');
  } else checkUnixAddress(report, [...path, 'bind'], bind.slice(UNIX_PREFIX.length));
  if (captureMode === 'IPTABLES') {
    report.error(CONFLICT, [...path, 'captureMode'], 'a unix socket cannot be captured; `DEFAULT` or `NONE` is needed');
  }
}

function checkEgressHosts(report: Report, path: Path, hosts: readonly string[], namespace: string): void {
  const seen = new Map<string, Set<string>>();
  hosts.forEach((host, index) => {
    const at = [...path, index];
    const slash = host.indexOf('/');
    if (slash >= 0 && !host.startsWith('~')) {
      const prefix = host.slice(0, slash);
      const own = prefix === '.' ? namespace : prefix;
      const services = seen.get(own) ?? new Set<string>();
      const service = host.slice(slash + 1);
      if (service === '*' ? services.size > 0 : services.has(service) || services.has('*')) {
        report.warn(SUSPICIOUS, at, `\`${host}\` overlaps with a host before it`);
      }
      seen.set(own, services.add(service));
    }
    checkNamespacedHost(report, at, host, 'sidecar');
  });
  if (seen.get('*')?.has('*') && seen.size > 1) {
    report.warn(SUSPICIOUS, path, '`*/*` is every host; the others add nothing');
  }
}

function checkOutbound(report: Report, path: Path, policy: Sidecar['outboundTrafficPolicy']): void {
  if (!policy?.egressProxy) return;
  const at = [...path, 'egressProxy'];
  if ((policy.mode ?? 'REGISTRY_ONLY') !== 'ALLOW_ANY') {
    report.error(CONFLICT, at, '`egressProxy` is used with mode `ALLOW_ANY` only');
    return;
  }
  checkFqdn(report, [...at, 'host'], policy.egressProxy.host ?? '');
  if (!policy.egressProxy.port) report.error(REQUIRED, at, '`egressProxy` needs a `port`');
  else checkDestination(report, at, policy.egressProxy);
}
