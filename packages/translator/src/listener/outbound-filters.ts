import type { Resource, networking } from '@mizzen/api';
import type { Protocol } from '@mizzen/model';
import type { types } from '@mizzen/xds';
import { mongoFilters } from '../filters/mongo.ts';
import { networkFilters, tcpProxy } from '../filters/tcp-proxy.ts';
import { defined } from '../filters/typed.ts';
import { duration } from '../duration.ts';
import { outboundCluster } from '../names.ts';
import { statName } from '../stat-names.ts';
import type { Build, ListenerClass } from './build.ts';

type Filter = types.listener.Filter;

/** Where bytes go: one cluster, or several by weight. */
export type Destination =
  | { readonly cluster: string; readonly hostname: string; readonly subset: string }
  | {
      readonly routes: readonly networking.RouteDestination[];
      readonly virtualService: Resource;
      readonly listenPort: number;
    };

/** `outbound` for sidecars, `gateway` for gateways. */
export function outboundClass(build: Build): ListenerClass {
  return build.context.proxy.type === 'router' ? 'gateway' : 'outbound';
}

/** The network filters of a chain that carries bytes out of the mesh's proxies, without looking into them. */
export function outboundFilters(
  build: Build,
  destination: Destination,
  options: {
    readonly port: number;
    readonly protocol?: Protocol;
    readonly peer?: boolean;
    readonly guarded?: boolean;
  },
): readonly Filter[] {
  const listener = outboundClass(build);
  const config = proxyConfigOf(build, destination, options.port);
  return [
    ...networkFilters(build, listener, {
      peer: options.peer === true,
      guarded: options.guarded ?? listener === 'gateway',
      port: options.port,
    }),
    ...(options.protocol === 'mongo' ? mongoFilters(build, config.statPrefix ?? '') : []),
    tcpProxy(build, listener, config),
  ];
}

/** A VirtualService's destinations for bytes as a Destination. */
export function routed(
  build: Build,
  routes: readonly networking.RouteDestination[],
  virtualService: Resource,
  listenPort: number,
): Destination {
  const [first] = routes;
  if (routes.length !== 1 || first === undefined) return { routes, virtualService, listenPort };
  return {
    cluster: clusterOf(build, first, listenPort),
    hostname: first.destination?.host ?? '',
    subset: first.destination?.subset ?? '',
  };
}

function proxyConfigOf(build: Build, destination: Destination, port: number): types.tcpProxy.TcpProxy {
  if ('cluster' in destination) {
    const { cluster, hostname, subset } = destination;
    const statPrefix = statPrefixOf(build, hostname, subset, port) ?? cluster;
    return { statPrefix, cluster, ...connectionSettings(build, hostname, subset) };
  }
  const { routes, virtualService, listenPort } = destination;
  const { namespace, name } = virtualService.metadata;
  const clusters = routes
    .filter((route) => (route.weight ?? 0) > 0)
    .map((route) => ({ name: clusterOf(build, route, listenPort), weight: route.weight }));
  return {
    statPrefix: `${name}.${namespace}`,
    weightedClusters: { clusters },
    ...connectionSettings(build, routes[0]?.destination?.host ?? '', ''),
  };
}

/** By MeshConfig's pattern, with the port that is listened on. Undefined where there is none, or no such service. */
function statPrefixOf(
  { context: { model, proxy } }: Build,
  hostname: string,
  subset: string,
  port: number,
): string | undefined {
  const pattern = model.mesh.outboundClusterStatName ?? '';
  if (pattern === '') return undefined;
  const service = model.serviceFor(hostname, proxy.namespace);
  if (service === undefined) return undefined;
  const listened = service.ports.find((each) => each.port === port) ?? { port, name: '' };
  return statName(pattern, service, listened, subset, 0);
}

/** The destination's port, else the service's only one, else the one listened on. */
function clusterOf(build: Build, { destination }: networking.RouteDestination, listenPort: number): string {
  const { model, proxy } = build.context;
  const host = destination?.host ?? '';
  const ports = model.serviceFor(host, proxy.namespace)?.ports ?? [];
  const port = destination?.port?.number ?? (ports.length === 1 ? ports[0]?.port : undefined) ?? listenPort;
  return outboundCluster(port, destination?.subset ?? '', host);
}

/** What a DestinationRule says about connections rather than about requests. */
function connectionSettings(build: Build, hostname: string, subset: string): types.tcpProxy.TcpProxy {
  const rule = build.context.scope.destinationRule(hostname)?.spec;
  if (rule === undefined) return {};
  const { trafficPolicy } = rule;
  const tcp = trafficPolicy?.connectionPool?.tcp;
  return defined({
    idleTimeout: duration(tcp?.idleTimeout),
    maxDownstreamConnectionDuration: duration(tcp?.maxConnectionDuration),
    hashPolicy: hashesSource(rule, subset) ? [{ sourceIp: {} }] : undefined,
    tunnelingConfig: tunnel(rule, subset),
  });
}

function hashesSource(rule: networking.DestinationRule, subset: string): boolean {
  const own = rule.subsets?.find((s) => s.name === subset)?.trafficPolicy?.loadBalancer;
  const balancer = own ?? rule.trafficPolicy?.loadBalancer;
  return balancer?.consistentHash?.useSourceIp === true;
}

/** Bytes to the destination inside a CONNECT or POST request, as `trafficPolicy.tunnel` asks for. */
function tunnel(rule: networking.DestinationRule, subset: string): types.tcpProxy.TcpProxy_TunnelingConfig | undefined {
  const own = rule.subsets?.find((s) => s.name === subset)?.trafficPolicy?.tunnel;
  const settings = own ?? rule.trafficPolicy?.tunnel;
  if (settings === undefined) return undefined;
  return defined({
    hostname: `${settings.targetHost ?? ''}:${settings.targetPort ?? 0}`,
    usePost: settings.protocol?.toUpperCase() === 'POST' ? true : undefined,
  });
}
