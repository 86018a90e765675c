import type { Path } from '@mizzen/diagnostics';
import type { GatewaySpec, Listener, ListenerTLS, RouteNamespaces } from '../../gateway-api.ts';
import type { Resource } from '../../resource.ts';
import { checkPort } from '../checks/numbers.ts';
import { BAD_VALUE, CONFLICT, DUPLICATE, REQUIRED } from '../report.ts';
import type { Report } from '../report.ts';
import { checkShape, fields, list, map } from '../shape.ts';
import { checkHostname } from './hostnames.ts';
import { requireAll } from './required.ts';

const GATEWAY = fields({
  gatewayClassName: 'string',
  listeners: list(
    fields({
      name: 'string',
      hostname: 'string',
      port: 'integer',
      protocol: 'string',
      tls: fields({
        mode: ['Terminate', 'Passthrough'],
        certificateRefs: list(fields({ group: 'string', kind: 'string', name: 'string', namespace: 'string' })),
        options: map('string'),
      }),
      allowedRoutes: fields({
        namespaces: fields({
          from: ['All', 'Selector', 'Same', 'None'],
          selector: fields({
            matchLabels: map('string'),
            matchExpressions: list(
              fields({ key: 'string', operator: ['In', 'NotIn', 'Exists', 'DoesNotExist'], values: list('string') }),
            ),
          }),
        }),
        kinds: list(fields({ group: 'string', kind: 'string' })),
      }),
    }),
  ),
  addresses: list(fields({ type: 'string', value: 'string' })),
  infrastructure: fields({ labels: map('string'), annotations: map('string') }),
});
const PROTOCOLS = ['HTTP', 'HTTPS', 'TLS', 'TCP', 'UDP', 'HBONE'];

/** What the API server asks of a Gateway of the Gateway API, and of its listeners what istiod does. */
export function checkKubernetesGateway({ spec }: Resource<GatewaySpec>, report: Report): void {
  checkShape(report, ['spec'], spec, GATEWAY);
  if (!report.isClean) return;
  if (!requireAll(report, ['spec'], spec, 'a Gateway', 'gatewayClassName', 'listeners')) return;
  const names = new Set<string>();
  const places = new Set<string>();
  (spec.listeners ?? []).forEach((listener, index) => {
    const path = ['spec', 'listeners', index];
    checkListener(report, path, listener);
    const { name, port, protocol, hostname = '' } = listener;
    if (names.has(name)) report.error(DUPLICATE, [...path, 'name'], `there are two listeners named \`${name}\``);
    names.add(name);
    const place = `${port} ${protocol} ${hostname}`;
    if (places.has(place)) {
      const message = 'another listener has the same `port`, `protocol` and `hostname`';
      report.error(DUPLICATE, path, message);
    }
    places.add(place);
  });
  (spec.addresses ?? []).forEach((address, index) => {
    requireAll(report, ['spec', 'addresses', index], address, 'an address', 'value');
  });
}

function checkListener(report: Report, path: Path, listener: Listener): void {
  if (!requireAll(report, path, listener, 'a listener', 'name', 'port', 'protocol')) return;
  const { port, protocol, hostname, tls } = listener;
  checkPort(report, [...path, 'port'], port);
  if (!PROTOCOLS.includes(protocol)) {
    const upper = protocol.toUpperCase();
    const help = PROTOCOLS.includes(upper) ? `write \`${upper}\`` : `one of ${PROTOCOLS.slice(0, 5).join(', ')}`;
    report.error(BAD_VALUE, [...path, 'protocol'], `\`${protocol}\` is not a protocol`, help);
    return;
  }
  const hasNoName = protocol === 'TCP' || protocol === 'UDP';
  if (hostname) {
    if (hasNoName) report.error(CONFLICT, [...path, 'hostname'], `a \`${protocol}\` listener has no hostname`);
    else checkHostname(report, [...path, 'hostname'], hostname);
  }
  if (tls && (hasNoName || protocol === 'HTTP')) {
    report.error(CONFLICT, [...path, 'tls'], `a \`${protocol}\` listener cannot have \`tls\``, undefined, 'key');
  } else if (tls) checkTls(report, [...path, 'tls'], tls, protocol);
  else if (protocol === 'HTTPS' || protocol === 'TLS') {
    report.error(REQUIRED, path, `a \`${protocol}\` listener needs \`tls\``);
  }
  checkNamespaces(report, [...path, 'allowedRoutes', 'namespaces'], listener.allowedRoutes?.namespaces);
}

function checkTls(report: Report, path: Path, tls: ListenerTLS, protocol: string): void {
  const { mode = 'Terminate', certificateRefs = [], options } = tls;
  if (protocol === 'HTTPS' && mode !== 'Terminate') {
    const help = 'TLS that is passed on is protocol `TLS`';
    report.error(CONFLICT, [...path, 'mode'], 'an `HTTPS` listener ends TLS: its mode is `Terminate`', help);
  }
  if (protocol === 'TLS' && tls.mode === undefined) report.error(REQUIRED, path, 'a `TLS` listener needs a `mode`');
  if (mode === 'Terminate' && certificateRefs.length === 0 && Object.keys(options ?? {}).length === 0) {
    report.error(REQUIRED, path, 'to end TLS a listener needs `certificateRefs`');
  }
  if (mode === 'Terminate' && certificateRefs.length > 2) {
    report.error(BAD_VALUE, [...path, 'certificateRefs'], 'a listener can have two certificates at most');
  }
  certificateRefs.forEach((ref, index) => {
    const at = [...path, 'certificateRefs', index];
    requireAll(report, at, ref, 'a reference to a certificate', 'name');
    if ((ref.kind ?? 'Secret') !== 'Secret' || (ref.group ?? '') !== '') {
      report.error(BAD_VALUE, at, 'a certificate can be in a Secret only');
    }
  });
}

function checkNamespaces(report: Report, path: Path, namespaces: RouteNamespaces | undefined): void {
  if (namespaces?.from === 'Selector' && namespaces.selector === undefined) {
    report.error(REQUIRED, path, '`from: Selector` needs a `selector`');
  }
}
