import type { Resource, networking } from '@mizzen/api';
import { MESH_GATEWAY, hostsOverlap, type Service, type ServicePort } from '@mizzen/model';
import type { types } from '@mizzen/xds';
import { serverNameResolver } from '../filters/dynamic-forward-proxy.ts';
import { isTls, outboundCluster } from '../names.ts';
import { aliasesByTarget, shortNames } from '../route/domains.ts';
import type { Build } from './build.ts';
import { configMetadata } from './metadata.ts';
import { outboundFilters, routed } from './outbound-filters.ts';

type VirtualService = Resource<networking.VirtualService>;

/** A chain for bytes of an outbound listener, before it is known what else listens there. */
export interface BytesChain {
  /** Server names it is for; empty: any. */
  readonly serverNames: readonly string[];
  /** Destination addresses it is for; empty: any. */
  readonly cidrs: readonly string[];
  readonly filters: readonly types.listener.Filter[];
  readonly metadata: types.core.Metadata | undefined;
  readonly origin: { readonly resource: Resource; readonly path: readonly (string | number)[] };
}

export interface BytesTarget {
  readonly service: Service;
  /** The port listened on; a Sidecar's egress listener may name one that the service does not have. */
  readonly port: Pick<ServicePort, 'port' | 'protocol'>;
  /** The service's own address ranges, when it has ranges rather than addresses. */
  readonly cidrs: readonly string[];
  /** True when nothing but the server name tells which service is meant. */
  readonly byServerName: boolean;
  readonly virtualServices: readonly VirtualService[];
}

/** The chains for one service's port whose content is not HTTP: VirtualServices' `tls` or `tcp` routes, or the service. */
export function bytesChains(build: Build, target: BytesTarget): readonly BytesChain[] {
  const { service, virtualServices } = target;
  const own = virtualServices.filter((vs) =>
    (vs.spec.hosts ?? []).some((host) => hostsOverlap(host, service.hostname)),
  );
  return isTls(target.port.protocol) ? tlsChains(build, target, own) : tcpChains(build, target, own);
}

function tlsChains(
  build: Build,
  target: BytesTarget,
  virtualServices: readonly VirtualService[],
): readonly BytesChain[] {
  const seen = new Set<string>();
  const chains: BytesChain[] = [];
  // istiod lets subnets hold for the matches after them that name none, too.
  let { cidrs } = target;
  for (const resource of virtualServices) {
    for (const [index, { match: matches = [], route = [] }] of (resource.spec.tls ?? []).entries()) {
      for (const match of matches) {
        if (route.length === 0 || !matchesProxy(build, match, target.port.port)) continue;
        const serverNames = match.sniHosts ?? [];
        const subnets = match.destinationSubnets ?? [];
        if (subnets.length > 0 && target.port.port > 0) cidrs = subnets;
        const key = `${serverNames.join(',')}|${subnets.join(',')}`;
        if (seen.has(key)) continue;
        seen.add(key);
        chains.push({
          serverNames,
          cidrs,
          filters: outboundFilters(build, routed(build, route, resource, target.port.port), target.port),
          metadata: configMetadata(build.context, resource),
          origin: { resource, path: ['spec', 'tls', index] },
        });
      }
    }
  }
  return chains.length > 0
    ? chains
    : [toService(build, target, target.byServerName ? namesOf(build, target.service) : [])];
}

/** The names TLS clients may use for a service, ExternalName services that lead to it among them. */
function namesOf({ context }: Build, { hostname }: Service): readonly string[] {
  const aliases = aliasesByTarget(context).get(hostname) ?? [];
  return [hostname, ...aliases.flatMap((alias) => [alias, `${alias}.`, ...shortNames(context, alias)])];
}

function tcpChains(
  build: Build,
  target: BytesTarget,
  virtualServices: readonly VirtualService[],
): readonly BytesChain[] {
  const chains: BytesChain[] = [];
  let everything = false;
  for (const resource of virtualServices) {
    for (const [index, { match: matches = [], route = [] }] of (resource.spec.tcp ?? []).entries()) {
      if (route.length === 0) continue;
      const chain = (cidrs: readonly string[], metadata: types.core.Metadata | undefined): BytesChain => ({
        serverNames: [],
        cidrs,
        filters: outboundFilters(build, routed(build, route, resource, target.port.port), target.port),
        metadata,
        origin: { resource, path: ['spec', 'tcp', index] },
      });
      const fitting = matches.filter((match) => matchesProxy(build, match, target.port.port));
      const anywhere =
        fitting.length > 0 &&
        (target.port.port === 0 || fitting.some((match) => (match.destinationSubnets ?? []).length === 0));
      if (matches.length === 0 || anywhere) {
        return [...chains, chain(target.cidrs, configMetadata(build.context, resource))];
      }
      const subnets = fitting.flatMap((match) => match.destinationSubnets ?? []);
      if (subnets.length === 0) continue;
      chains.push(chain(subnets, undefined));
      everything ||= sameSet(subnets, target.cidrs);
    }
  }
  return everything ? chains : [...chains, toService(build, target, [])];
}

/** Without a route for it: to the service's port, or to its only port when the listener's is another. */
function toService(build: Build, target: BytesTarget, serverNames: readonly string[]): BytesChain {
  const { service, port, cidrs } = target;
  const [only] = service.ports;
  const number = service.ports.length === 1 && only !== undefined ? only.port : port.port;
  const cluster = outboundCluster(number, '', service.hostname);
  const index = service.ports.findIndex((p) => p.port === number);
  return {
    serverNames,
    cidrs,
    filters: [
      ...(service.resolution === 'dynamic-dns' && isTls(port.protocol)
        ? [serverNameResolver(service.hostname, number)]
        : []),
      ...outboundFilters(build, { cluster, hostname: service.hostname, subset: '' }, port),
    ],
    metadata: undefined,
    origin: { resource: service.resource, path: index < 0 ? ['spec'] : ['spec', 'ports', index] },
  };
}

/** The parts of a match that are known here already: who the proxy is and where it listens. */
function matchesProxy(
  build: Build,
  match: networking.TLSMatchAttributes | networking.L4MatchAttributes,
  port: number,
): boolean {
  const { proxy } = build.context;
  const { gateways = [], sourceLabels = {}, sourceNamespace = '' } = match;
  return (
    (gateways.length === 0 || gateways.includes(MESH_GATEWAY)) &&
    Object.entries(sourceLabels).every(([key, value]) => proxy.labels[key] === value) &&
    (match.port === undefined || match.port === 0 || match.port === port) &&
    (sourceNamespace === '' || sourceNamespace === proxy.namespace)
  );
}

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.toSorted().every((value, index) => value === b.toSorted()[index]);
}
