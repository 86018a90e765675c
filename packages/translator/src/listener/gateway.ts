import type { Resource, networking } from '@mizzen/api';
import { hostsOverlap, isSubsetOf, protocolOf } from '@mizzen/model';
import type { types } from '@mizzen/xds';
import { allNetworkExtensions } from '../extension/filters.ts';
import { listenerAccessLogs } from '../filters/access-log.ts';
import { anyAddress } from '../families.ts';
import { connectionSettings } from '../filters/connection-settings.ts';
import { httpConnectionManager } from '../filters/http-connection-manager.ts';
import { proxyConfig } from '../filters/proxy-config.ts';
import { defined } from '../filters/typed.ts';
import {
  KnownHosts,
  isHttpProtocol,
  isPassthrough,
  isTerminatedHttps,
  mergeGateways,
  sniHosts,
  type GatewayPort,
  type GatewayServer,
} from '../gateways.ts';
import { listenerName, outboundSni } from '../names.ts';
import { MUTUAL_ANY } from '../tls/peer-authentication.ts';
import { serverTls } from '../tls/server.ts';
import { bound } from './address.ts';
import type { Build } from './build.ts';
import { PROXY_PROTOCOL, TLS_INSPECTOR } from './listener-filters.ts';
import { outboundFilters, routed } from './outbound-filters.ts';

type Listener = types.listener.Listener;
type FilterChain = types.listener.FilterChain;
type Filter = types.listener.Filter;

/** Time for a TLS handshake with the outside world. */
export const HANDSHAKE_TIMEOUT = '15s';

/** A gateway's listeners: one for each port that Gateways selecting it ask for. */
export function gatewayListeners(build: Build): readonly Listener[] {
  const taken = new KnownHosts();
  const made = new Map<string, Made>();
  for (const port of mergeGateways(build.context).ports) {
    const { proxy } = build.context;
    if (proxy.metadata['UNPRIVILEGED_POD'] === 'true' && port.port < 1024) continue;
    const bind = port.bind !== '' ? port.bind : (proxy.local?.gateway?.address ?? anyAddress(proxy));
    const name = listenerName(bind, port.port);
    const chains = isHttpProtocol(port.protocol)
      ? httpChains(build, port, name)
      : otherChains(build, port, name, taken);
    const known = made.get(name);
    if (known === undefined) made.set(name, { name, bind, port: port.port, chains: [...chains] });
    else known.chains.push(...chains);
  }
  return [...made.values()].flatMap((one) => listener(build, one));
}

/** A filter chain, and whether a server's name is looked at to find it. */
interface Chain {
  readonly chain: FilterChain;
  readonly named: boolean;
}

/** A listener under construction: servers of several protocols may share it. */
interface Made {
  readonly name: string;
  readonly bind: string;
  readonly port: number;
  readonly chains: Chain[];
}

function listener(build: Build, { name, bind, port, chains }: Made): readonly Listener[] {
  if (chains.length === 0) return [];
  const inspect = chains.some(({ chain, named }) => named || chain.transportSocket !== undefined);
  const exact = String(build.context.node.metadata['OUTBOUND_LISTENER_EXACT_BALANCE']) === 'true';
  const listenerFilters = [
    ...(proxyConfig(build.context).gatewayTopology?.proxyProtocol === undefined ? [] : [PROXY_PROTOCOL]),
    ...(inspect ? [TLS_INSPECTOR] : []),
  ];
  return [
    defined({
      name,
      ...bound(build, bind, port),
      trafficDirection: 'OUTBOUND',
      connectionBalanceConfig: exact ? { exactBalance: {} } : undefined,
      maxConnectionsToAcceptPerSocketEvent: 1,
      perConnectionBufferLimitBytes: connectionSettings(build.context).listenerPerConnectionBufferLimitBytes,
      listenerFilters: listenerFilters.length > 0 ? listenerFilters : undefined,
      accessLog: listenerAccessLogs(build, 'gateway'),
      filterChains: chains.map(({ chain }) => chain),
    }),
  ];
}

/** Plain HTTP: all servers of the port share one chain and one route configuration. */
function httpChains(build: Build, port: GatewayPort, name: string): readonly Chain[] {
  const [server] = port.servers;
  if (server === undefined) return [];
  return [finished(build, server, [], { filters: httpFilters(build, server, name) })];
}

/** Everything told apart by server name: terminated HTTPS, terminated TLS, passed-through TLS; and bare TCP. */
function otherChains(build: Build, port: GatewayPort, name: string, taken: KnownHosts): readonly Chain[] {
  return port.servers.flatMap((server): readonly Chain[] => {
    const { tls } = server.server;
    if (isTerminatedHttps(server.server) && tls !== undefined) {
      const transportSocket = serverTls(build.context, tls, 'http');
      const filters = httpFilters(build, server, name);
      return [finished(build, server, sniHosts(server), { filters, transportSocket })];
    }
    if (tls === undefined) {
      const filters = tcpFilters(build, server);
      return filters === undefined ? [] : [finished(build, server, [], { filters })];
    }
    if (!isPassthrough(server.server)) {
      const filters = tcpFilters(build, server);
      if (filters === undefined) return [];
      const transportSocket = serverTls(build.context, tls, 'tcp');
      return [finished(build, server, sniHosts(server), { filters, transportSocket })];
    }
    return tls.mode === 'AUTO_PASSTHROUGH' ? autoPassthrough(build, server) : passthrough(build, server, port, taken);
  });
}

function httpFilters(build: Build, server: GatewayServer, name: string): readonly Filter[] {
  return [...allNetworkExtensions(build, 'gateway', server.server.port?.number ?? 0), manager(build, server, name)];
}

function manager(build: Build, server: GatewayServer, name: string): Filter {
  const own = isTerminatedHttps(server.server) ? (server.server.name ?? '') : '';
  return httpConnectionManager(build, {
    listener: 'gateway',
    statPrefix: `outbound_${name}`,
    routes: server.routeName,
    useRemoteAddress: true,
    port: server.server.port?.number,
    protocol: server.server.port?.protocol?.toUpperCase() === 'GRPC-WEB' ? 'grpc-web' : 'http',
    settings: own === '' ? {} : { statPrefix: own },
  });
}

/** Bytes of a TCP server, or of TLS that ends here: by the first VirtualService whose `tcp` route fits. */
function tcpFilters(build: Build, server: GatewayServer): readonly Filter[] | undefined {
  const peer = server.server.tls?.mode === 'ISTIO_MUTUAL';
  for (const resource of virtualServices(build, server)) {
    for (const [index, { match = [], route = [] }] of (resource.spec.tcp ?? []).entries()) {
      if (route.length === 0 || (match.length > 0 && !match.some((m) => fits(m, server)))) continue;
      const filters = outboundFilters(build, routed(build, route, resource, server.server.port?.number ?? 0), {
        port: server.server.port?.number ?? 0,
        peer,
        protocol: protocolOf(server.server.port?.protocol),
      });
      const last = filters.at(-1);
      return last === undefined
        ? filters
        : [...filters.slice(0, -1), build.marks.mark(last, resource, ['spec', 'tcp', index])];
    }
  }
  return undefined;
}

/** TLS that goes on as it is, by server name: VirtualServices' `tls` routes. */
function passthrough(build: Build, server: GatewayServer, port: GatewayPort, taken: KnownHosts): readonly Chain[] {
  const chains: Chain[] = [];
  for (const resource of virtualServices(build, server)) {
    for (const [index, { match: matches = [], route = [] }] of (resource.spec.tls ?? []).entries()) {
      if (route.length === 0) continue;
      for (const match of matches) {
        const names = match.sniHosts ?? [];
        if (!fits(match, server) || !taken.claim(port.port, port.bind, names)) continue;
        const written = server.server.port?.number ?? 0;
        const filters = outboundFilters(build, routed(build, route, resource, written), { port: written });
        const chain = defined({ ...matchNames(names), filters, transportSocketConnectTimeout: HANDSHAKE_TIMEOUT });
        const named = names.length > 0;
        chains.push({ chain: build.marks.mark(chain, resource, ['spec', 'tls', index]), named });
      }
    }
  }
  return chains;
}

/**
 * Mutual TLS from other networks, for any service whose name the server's hosts cover: a chain per port and subset. No
 * policies here: the workload's own sidecar terminates the TLS and has them.
 */
function autoPassthrough(build: Build, server: GatewayServer): readonly Chain[] {
  const { scope } = build.context;
  const hosts = sniHosts(server);
  const chains: Chain[] = [];
  for (const service of scope.services) {
    if (service.meshExternal || !hosts.some((host) => isSubsetOf(service.hostname, host))) continue;
    const subsets = scope.destinationRule(service.hostname)?.spec.subsets ?? [];
    for (const port of service.ports) {
      if (port.protocol === 'udp') continue;
      for (const subset of ['', ...subsets.map((s) => s.name ?? '')]) {
        const cluster = outboundSni(port.port, subset, service.hostname);
        chains.push(
          finished(build, server, [cluster], {
            filterChainMatch: { applicationProtocols: MUTUAL_ANY, serverNames: [cluster] },
            filters: outboundFilters(
              build,
              { cluster, hostname: service.hostname, subset },
              { guarded: false, port: port.port },
            ),
          }),
        );
      }
    }
  }
  return chains;
}

/** VirtualServices bound to the server's Gateway whose hosts meet the server's. */
function virtualServices(build: Build, server: GatewayServer): readonly Resource<networking.VirtualService>[] {
  const { model, proxy } = build.context;
  return model.virtualServices(proxy.namespace, server.gatewayName).filter((resource) =>
    (resource.spec.hosts ?? []).some((host) =>
      server.hosts.some((pattern) => {
        const slash = pattern.indexOf('/');
        if (slash >= 0 && pattern.slice(0, slash) !== resource.metadata.namespace) return false;
        return hostsOverlap(pattern.slice(slash + 1), host);
      }),
    ),
  );
}

function fits(match: networking.L4MatchAttributes | networking.TLSMatchAttributes, server: GatewayServer): boolean {
  const { port = 0, gateways = [] } = match;
  return (
    (port === 0 || port === server.server.port?.number) &&
    (gateways.length === 0 || gateways.includes(server.gatewayName))
  );
}

/** A chain for these server names; `*` among them is for any. */
function matchNames(names: readonly string[]): Pick<FilterChain, 'filterChainMatch'> {
  if (names.length === 0 || names.includes('*')) return {};
  return { filterChainMatch: { serverNames: names.toSorted() } };
}

function finished(
  build: Build,
  { gateway, index }: GatewayServer,
  names: readonly string[],
  chain: FilterChain,
): Chain {
  const made = defined({ ...matchNames(names), ...chain, transportSocketConnectTimeout: HANDSHAKE_TIMEOUT });
  return { chain: build.marks.mark(made, gateway, ['spec', 'servers', index]), named: names.length > 0 };
}
