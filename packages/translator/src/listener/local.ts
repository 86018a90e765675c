import type { Service } from '@mizzen/model';
import type { types } from '@mizzen/xds';
import { listenerAccessLogs } from '../filters/access-log.ts';
import { expressionFilter } from '../filters/access-log.ts';
import { httpConnectionManager } from '../filters/http-connection-manager.ts';
import { plainTcpProxy } from '../filters/tcp-proxy.ts';
import { defined } from '../filters/typed.ts';
import { BLACK_HOLE, CONNECT_TUNNEL, HTTP_PROXY_ROUTE, isTls, listenerName } from '../names.ts';
import { PLAIN_HTTP } from '../tls/peer-authentication.ts';
import type { LocalProxy } from '../types.ts';
import { bound } from './address.ts';
import type { Build } from './build.ts';
import { HTTP_INSPECTOR, TLS_INSPECTOR } from './listener-filters.ts';
import { bytesChains, type BytesChain } from './outbound-chains.ts';

type Listener = types.listener.Listener;
type FilterChain = types.listener.FilterChain;

/**
 * Outbound listeners of a sidecar on one machine, where nothing is intercepted: the HTTP proxy port, the internal
 * listener where CONNECT to hosts of the mesh ends, and one listener for each destination that is not HTTP.
 */
export function localListeners(build: Build, local: LocalProxy): readonly Listener[] {
  const proxy =
    local.httpProxy === undefined
      ? []
      : [httpProxy(build, local.httpProxy.address, local.httpProxy.port), connectTunnel(build)];
  return [...proxy, ...(local.outbound ?? []).flatMap((entry) => destination(build, entry))];
}

/** The tunnel is where requests come from that are logged themselves. A CONNECT that is refused has no cluster. */
const NOT_TUNNELLED: types.accesslog.AccessLogFilter = {
  orFilter: {
    filters: [
      { headerFilter: { header: { name: ':method', stringMatch: { exact: 'CONNECT' }, invertMatch: true } } },
      expressionFilter(`!has(xds.cluster_name) || xds.cluster_name != '${CONNECT_TUNNEL}'`),
    ],
  },
};

/** Requests in absolute form are routed by it; CONNECT too, by the same route configuration. */
function httpProxy(build: Build, host: string, port: number): Listener {
  return defined({
    name: HTTP_PROXY_ROUTE,
    ...bound(build, host, port),
    ...outbound(build),
    filterChains: [
      {
        filters: [
          httpConnectionManager(build, {
            listener: 'outbound',
            statPrefix: `outbound_${HTTP_PROXY_ROUTE}`,
            routes: HTTP_PROXY_ROUTE,
            useRemoteAddress: false,
            logged: NOT_TUNNELLED,
            settings: {
              httpProtocolOptions: { allowAbsoluteUrl: true },
              upgradeConfigs: [{ upgradeType: 'websocket' }, { upgradeType: 'CONNECT' }],
            },
          }),
        ],
      },
    ],
  });
}

/**
 * What a CONNECT carries: HTTP meets the routes again, this time by its own Host; TLS goes by its server name; anything
 * else has no destination, because the services reached this way speak HTTP or TLS.
 */
function connectTunnel(build: Build): Listener {
  return defined({
    name: CONNECT_TUNNEL,
    internalListener: {},
    ...outbound(build),
    listenerFilters: [TLS_INSPECTOR, HTTP_INSPECTOR],
    filterChains: [
      {
        name: 'http',
        filterChainMatch: { transportProtocol: 'raw_buffer', applicationProtocols: PLAIN_HTTP },
        filters: [
          httpConnectionManager(build, {
            listener: 'outbound',
            statPrefix: `outbound_${CONNECT_TUNNEL}`,
            routes: HTTP_PROXY_ROUTE,
            useRemoteAddress: false,
          }),
        ],
      },
      ...serverNameChains(build),
    ],
    defaultFilterChain: { name: BLACK_HOLE, filters: [plainTcpProxy(BLACK_HOLE)] },
  });
}

/** One chain for each server name that a service or a VirtualService's `tls` route answers to; the first one wins. */
function serverNameChains(build: Build): readonly FilterChain[] {
  const taken = new Set<string>();
  const chains: FilterChain[] = [];
  for (const { services, virtualServices } of build.context.scope.egress) {
    for (const service of services) {
      for (const port of service.ports) {
        if (!isTls(port.protocol)) continue;
        const target = { service, port, cidrs: [], byServerName: true, virtualServices };
        for (const chain of bytesChains(build, target)) {
          // CONNECT to a host that is resolved per request does not come here: it goes there at once.
          if (chain.origin.resource === service.resource && goesAnywhere(service)) continue;
          const serverNames = chain.serverNames.filter((name) => !taken.has(name));
          for (const name of serverNames) taken.add(name);
          if (serverNames.length > 0) chains.push(finished(build, chain, { transportProtocol: 'tls', serverNames }));
        }
      }
    }
  }
  return chains;
}

function goesAnywhere({ resolution, registry }: Service): boolean {
  return resolution === 'dynamic-dns' || (resolution === 'passthrough' && registry === 'External');
}

/** A port of this machine that stands for one service's port. */
function destination(build: Build, entry: NonNullable<LocalProxy['outbound']>[number]): readonly Listener[] {
  const { model, proxy, scope } = build.context;
  const service =
    model.serviceFor(entry.host, proxy.namespace) ??
    model.serviceFor(model.resolveHost(entry.host, proxy.namespace), proxy.namespace);
  const port = service?.ports.find((p) => p.port === entry.servicePort);
  if (service === undefined || port === undefined) return [];
  const virtualServices = scope.egress.find(({ services }) => services.includes(service))?.virtualServices ?? [];
  const chains = bytesChains(build, { service, port, cidrs: [], byServerName: false, virtualServices });
  const byName = chains.filter((chain) => chain.serverNames.length > 0);
  const rest = chains.filter((chain) => chain.serverNames.length === 0 && chain.cidrs.length === 0);
  const last = rest[0];
  return [
    defined({
      name: listenerName(entry.address, entry.port),
      ...bound(build, entry.address, entry.port),
      ...outbound(build),
      listenerFilters: byName.length > 0 ? [TLS_INSPECTOR] : undefined,
      filterChains: byName.map((chain) =>
        finished(build, chain, { transportProtocol: 'tls', serverNames: chain.serverNames }),
      ),
      ...(last === undefined
        ? {}
        : byName.length > 0
          ? { defaultFilterChain: finished(build, last, undefined) }
          : { filterChains: [finished(build, last, undefined)] }),
    }),
  ];
}

function finished(
  build: Build,
  chain: BytesChain,
  filterChainMatch: types.listener.FilterChainMatch | undefined,
): FilterChain {
  return build.marks.mark(
    defined({ filterChainMatch, filters: chain.filters }),
    chain.origin.resource,
    chain.origin.path,
  );
}

function outbound(build: Build): Listener {
  return {
    trafficDirection: 'OUTBOUND',
    continueOnListenerFiltersTimeout: true,
    listenerFiltersTimeout: '0s',
    accessLog: listenerAccessLogs(build, 'outbound'),
  };
}
