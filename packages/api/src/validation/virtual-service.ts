import type { Path } from '@mizzen/diagnostics';
import type { TCPRoute, TLSMatchAttributes, TLSRoute, VirtualService } from '../gen/istio.networking.v1alpha3.ts';
import type { Resource } from '../resource.ts';
import { checkIpSubnet, isIpAddress } from './checks/addresses.ts';
import { checkGatewayNames, checkWeightedDestinations } from './checks/destination.ts';
import { checkExportTo, checkLabels } from './checks/labels.ts';
import { wildcardDomainProblem } from './checks/names.ts';
import { checkPort } from './checks/numbers.ts';
import { checkHttpRoute } from './http-route.ts';
import { BAD_HOST, DUPLICATE, NOT_ALLOWED, REQUIRED, SUSPICIOUS } from './report.ts';
import type { Report } from './report.ts';
import { checkUnreachable } from './unreachable.ts';

export function checkVirtualService({ spec, metadata }: Resource<VirtualService>, report: Report): void {
  const { hosts = [], gateways = [], http, tls, tcp } = spec;
  const isDelegate = hosts.length === 0;
  if (isDelegate) {
    for (const field of ['gateways', 'tls', 'tcp'] as const) {
      if (spec[field]?.length) {
        const message = `a VirtualService without hosts is a delegate, which cannot have \`${field}\``;
        report.error(NOT_ALLOWED, ['spec', field], message);
      }
    }
  }
  checkGatewayNames(report, ['spec', 'gateways'], gateways);
  const forMesh = gateways.length === 0 || gateways.includes('mesh');
  if (forMesh) checkNoClaimRouting(report, spec);
  checkHosts(report, spec, forMesh);
  if (!http?.length && !tls?.length && !tcp?.length) {
    report.error(REQUIRED, ['spec'], 'a VirtualService needs `http`, `tls` or `tcp` routes');
  }
  http?.forEach((route, index) => checkHttpRoute(report, ['spec', 'http', index], route, isDelegate));
  tls?.forEach((route, index) => checkTlsRoute(report, ['spec', 'tls', index], route, spec));
  tcp?.forEach((route, index) => checkTcpRoute(report, ['spec', 'tcp', index], route));
  checkExportTo(report, ['spec', 'exportTo'], spec.exportTo, { namespace: metadata.namespace });
  checkUnreachable(report, spec);
}

const CLAIM = /^@request\.auth\.claims[.[]/;

function checkNoClaimRouting(report: Report, { http }: VirtualService): void {
  http?.forEach((route, i) => {
    route.match?.forEach((match, j) => {
      for (const field of ['headers', 'withoutHeaders'] as const) {
        for (const name of Object.keys(match[field] ?? {})) {
          if (!CLAIM.test(name)) continue;
          const path = ['spec', 'http', i, 'match', j, field, name];
          report.error(
            NOT_ALLOWED,
            path,
            `routing by a token's claims (\`${name}\`) works at gateways only`,
            undefined,
            'key',
          );
        }
      }
    });
  });
}

function checkHosts(report: Report, spec: VirtualService, forMesh: boolean): void {
  const hosts = spec.hosts ?? [];
  const before = report.problems.length;
  hosts.forEach((host, index) => {
    const path = ['spec', 'hosts', index];
    const problem = forMesh ? wildcardDomainProblem(host) : gatewayHostProblem(host, hasSniHosts(spec));
    if (problem !== undefined) {
      if (!isIpAddress(host)) report.error(BAD_HOST, path, problem);
    } else if (forMesh && host === '*') {
      report.error(BAD_HOST, path, 'host `*` is not allowed for the mesh', 'bind it to a gateway, or name the hosts');
    }
  });
  if (report.problems.length > before) return;
  hosts.forEach((host, i) => {
    for (const other of hosts.slice(i + 1)) {
      if (!hostsOverlap(host, other)) continue;
      report.error(DUPLICATE, ['spec', 'hosts', i], `hosts \`${host}\` and \`${other}\` overlap`);
    }
  });
}

function hasSniHosts({ tls }: VirtualService): boolean {
  return tls?.some(({ match }) => match?.some(({ sniHosts }) => (sniHosts?.length ?? 0) > 0)) ?? false;
}

/** Gateways in AUTO_PASSTHROUGH mode see names Istio makes itself, such as `outbound_.80_._.reviews.default`. */
function gatewayHostProblem(host: string, sni: boolean): string | undefined {
  if (sni && host.split('.')[0] === 'outbound_') {
    return /outbound_\.[0-8]/.test(host) ? undefined : `\`${host}\` is not a name Istio makes for a cluster`;
  }
  return wildcardDomainProblem(host);
}

/** Whether some name matches both. */
function hostsOverlap(a: string, b: string): boolean {
  if (a === b) return true;
  const [wildA, wildB] = [a.startsWith('*'), b.startsWith('*')];
  if (wildA && wildB) return a.slice(1).endsWith(b.slice(1)) || b.slice(1).endsWith(a.slice(1));
  if (wildA) return b.endsWith(a.slice(1));
  return wildB && a.endsWith(b.slice(1));
}

function checkTlsRoute(report: Report, path: Path, route: TLSRoute, spec: VirtualService): void {
  if (!route.match?.length) report.error(REQUIRED, path, 'a TLS route needs at least one `match`');
  route.match?.forEach((match, index) => {
    const at = [...path, 'match', index];
    checkL4Match(report, at, match);
    if (!match.sniHosts?.length) report.error(REQUIRED, at, 'a TLS match needs at least one of `sniHosts`');
    match.sniHosts?.forEach((host, i) => checkSniHost(report, [...at, 'sniHosts', i], host, spec));
  });
  if (!route.route?.length) report.error(REQUIRED, path, 'a TLS route needs a `route`');
  checkWeightedDestinations(report, [...path, 'route'], route.route);
}

function checkSniHost(report: Report, path: Path, host: string, spec: VirtualService): void {
  const problem = spec.gateways?.includes('mesh') ? wildcardDomainProblem(host) : gatewayHostProblem(host, true);
  if (problem !== undefined) {
    if (isIpAddress(host)) {
      report.warn(SUSPICIOUS, path, `\`${host}\` is an IP address, which clients do not send as SNI`);
    } else report.error(BAD_HOST, path, problem);
    return;
  }
  const hosts = spec.hosts ?? [];
  const covered = hosts.some(
    (other) => other === host || (other.startsWith('*') && host.replace(/^\*/, '').endsWith(other.slice(1))),
  );
  if (!covered) {
    const message = `SNI host \`${host}\` is not covered by any host of the VirtualService`;
    report.error(BAD_HOST, path, message, `its hosts: ${hosts.map((h) => `\`${h}\``).join(', ')}`);
  }
}

function checkTcpRoute(report: Report, path: Path, route: TCPRoute): void {
  route.match?.forEach((match, index) => checkL4Match(report, [...path, 'match', index], match));
  if (!route.route?.length) report.error(REQUIRED, path, 'a TCP route needs a `route`');
  checkWeightedDestinations(report, [...path, 'route'], route.route);
}

type L4Match = Pick<TLSMatchAttributes, 'destinationSubnets' | 'port' | 'sourceLabels' | 'gateways'>;

function checkL4Match(report: Report, path: Path, match: L4Match): void {
  match.destinationSubnets?.forEach((subnet, i) => checkIpSubnet(report, [...path, 'destinationSubnets', i], subnet));
  if (match.port) checkPort(report, [...path, 'port'], match.port);
  checkLabels(report, [...path, 'sourceLabels'], match.sourceLabels);
  checkGatewayNames(report, [...path, 'gateways'], match.gateways);
}
