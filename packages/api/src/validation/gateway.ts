import type { Path } from '@mizzen/diagnostics';
import type { Gateway, Port, Server } from '../gen/istio.networking.v1alpha3.ts';
import type { Resource } from '../resource.ts';
import { UNIX_PREFIX, checkIpAddress, checkUnixAddress } from './checks/addresses.ts';
import { checkNamespacedHost } from './checks/namespaced-host.ts';
import { isDnsLabel } from './checks/names.ts';
import { checkPort } from './checks/numbers.ts';
import { PROTOCOLS_HELP, isHttpProtocol, isKnownProtocol, isTlsProtocol } from './checks/protocol.ts';
import { checkServerTls } from './checks/server-tls.ts';
import { BAD_NAME, BAD_VALUE, CONFLICT, DUPLICATE, NO_EFFECT, REQUIRED } from './report.ts';
import type { Report } from './report.ts';

/** On what was made from the Gateway API's kinds, which have laxer rules for names and hosts. */
const CONVERTED = 'internal.istio.io/gateway-semantics';

export function checkGateway({ spec, metadata }: Resource<Gateway>, report: Report): void {
  const converted = metadata.annotations?.[CONVERTED] === 'gateway';
  if (!isDnsLabel(metadata.name) && !converted) {
    const message = `\`${metadata.name}\` is not a valid name of a Gateway`;
    report.error(BAD_NAME, ['metadata', 'name'], message, 'letters, digits and `-`; no dots');
  }
  if (!spec.servers?.length) report.error(REQUIRED, ['spec', 'servers'], 'a gateway needs at least one server');
  const names = new Set<string>();
  spec.servers?.forEach((server, index) => {
    const path = ['spec', 'servers', index];
    checkServer(report, path, server, converted);
    if (!server.port) return;
    const { name = '', protocol } = server.port;
    if (names.has(name))
      report.error(DUPLICATE, [...path, 'port', 'name'], `two servers have a port named \`${name}\``);
    names.add(name);
    if (server.tls?.httpsRedirect && !isHttpProtocol(protocol)) {
      const message = `\`httpsRedirect\` redirects HTTP; a server of protocol \`${protocol}\` has none`;
      report.warn(NO_EFFECT, [...path, 'tls', 'httpsRedirect'], message);
    }
  });
}

function checkServer(report: Report, path: Path, server: Server, converted: boolean): void {
  if (!server.hosts?.length) report.error(REQUIRED, [...path, 'hosts'], 'a server needs at least one host');
  server.hosts?.forEach((host, index) => {
    // Made from a listener that no route is attached to.
    const namespaced = converted ? host.replace(/^~\//, './') : host;
    checkNamespacedHost(report, [...path, 'hosts', index], namespaced, 'gateway');
  });
  const portIsFine = checkServerPort(report, path, server.port, server.bind ?? '');
  checkBind(report, path, server);
  checkServerTls(report, [...path, 'tls'], server.tls);
  if (!portIsFine) return;
  const protocol = server.port?.protocol ?? '';
  const { tls } = server;
  if (isTlsProtocol(protocol)) {
    if (!tls) report.error(REQUIRED, path, `a server of protocol \`${protocol}\` needs \`tls\``);
  } else if (tls && isHttpProtocol(protocol)) {
    const passThrough = (tls.mode ?? 'PASSTHROUGH') === 'PASSTHROUGH' || tls.mode === 'AUTO_PASSTHROUGH';
    if (!passThrough || tls.caCertificates || tls.privateKey || tls.serverCertificate) {
      const help = 'set `httpsRedirect` alone, or use protocol `HTTPS`';
      report.error(CONFLICT, [...path, 'tls'], `a plain \`${protocol}\` server cannot have TLS settings`, help);
    }
  } else if (tls)
    report.error(CONFLICT, [...path, 'tls'], `a server of protocol \`${protocol}\` cannot have TLS settings`);
}

function checkServerPort(report: Report, path: Path, port: Port | undefined, bind: string): boolean {
  if (!port) {
    report.error(REQUIRED, path, 'a server needs a `port`');
    return false;
  }
  const before = report.problems.length;
  const at = [...path, 'port'];
  if (!isKnownProtocol(port.protocol ?? '')) {
    report.error(BAD_VALUE, [...at, 'protocol'], `\`${port.protocol ?? ''}\` is not a protocol`, PROTOCOLS_HELP);
  }
  if ((port.number ?? 0) > 0 || !bind.startsWith(UNIX_PREFIX)) checkPort(report, [...at, 'number'], port.number);
  if (port.targetPort) report.error(CONFLICT, [...at, 'targetPort'], '`targetPort` means nothing in a Gateway');
  if (!port.name) report.error(REQUIRED, at, 'a port of a server needs a `name`');
  return report.problems.length === before;
}

function checkBind(report: Report, path: Path, { bind = '', port }: Server): void {
  if (bind.startsWith(UNIX_PREFIX)) {
    checkUnixAddress(report, [...path, 'bind'], bind.slice(UNIX_PREFIX.length));
    if (port?.number) {
      report.error(CONFLICT, [...path, 'port', 'number'], 'the port of a unix socket must be 0');
    }
  } else if (bind !== '') checkIpAddress(report, [...path, 'bind'], bind);
}
