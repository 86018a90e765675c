import { singleSources } from '../route-source.ts';
import { TypeUrl, type types } from '@mizzen/xds';
import { compileKeepalive } from '../../keepalive.ts';
import { compileConnectionLimit } from '../../filter/connection-limit.ts';
import { compileNetworkExtAuthz } from '../../filter/ext-authz/network.ts';
import { compileNetworkLocalRateLimit } from '../../filter/local-ratelimit-network.ts';
import { compileNetworkRateLimit } from '../../filter/ratelimit/network.ts';
import { compileNetworkRbac } from '../../filter/rbac/network.ts';
import { compileNetworkSetFilterState } from '../../filter/set-filter-state-network.ts';
import { sniCluster, sniForwardProxy } from '../../filter/sni.ts';
import { compileExchange } from '../../istio/exchange.ts';
import { compileTcpStats } from '../../istio/stats/tcp.ts';
import { liveInteger } from '../../runtime/live.ts';
import { compileAccessLogs } from '../../telemetry/access-log.ts';
import { compileOwnAddress } from '../address.ts';
import { CompileContext } from '../context.ts';
import { noEffectTypes } from '../fields/index.ts';
import type { Path } from '../path.ts';
import { messageOf, readResource } from '../read-resource.ts';
import { compileDownstreamTransport, tlsSecrets } from '../transport.ts';
import type {
  AddressProgram,
  Compiled,
  CompileDeps,
  FilterChainProgram,
  ListenerProgram,
  NetworkFilterProgram,
} from '../types.ts';
import { dataSource, milliseconds } from '../values.ts';
import { compileChainMatcher } from './chain-matcher.ts';
import { chainSelector, compileChainMatch, matchKeys } from './chain-match.ts';
import { filterConfig } from './discovery.ts';
import { compileHcm } from './hcm.ts';
import { compileListenerFilter } from './listener-filter.ts';
import { compileTcpProxy } from './tcp-proxy.ts';

const HCM = 'envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager';

/** Compiles an LDS resource. Pure: nothing outside `deps` is touched. */
export function compileListener(resource: unknown, deps: CompileDeps): Compiled<ListenerProgram> {
  const known = deps.extensions?.compiled.get(resource as object);
  const read = known ?? readResource(TypeUrl.listener, resource);
  if ('nacks' in read && read.nacks.length > 0) return { nacks: read.nacks };
  const listener = read.resource as types.listener.Listener;
  const context = new CompileContext(TypeUrl.listener, listener.name ?? '', deps, new Map(known?.made));
  const program = compileRead(context, listener);
  if (context.nacks.length > 0) return { nacks: context.nacks };
  if (program.extensions.length > 0)
    deps.extensions?.compiled.set(resource as object, { resource: read.resource, made: context.made });
  return { program };
}

function compileRead(context: CompileContext, listener: types.listener.Listener): ListenerProgram {
  const name = listener.name ?? '';
  context.direction = listener.trafficDirection ?? 'UNSPECIFIED';
  const address: AddressProgram | undefined =
    listener.internalListener === undefined
      ? compileOwnAddress(context, listener.address, ['address'])
      : { kind: 'internal', name };
  if (listener.internalListener !== undefined && listener.address !== undefined)
    context.refuse(['address'], 'an internal listener has none: it is known by its name');
  const chains = compileChains(context, listener.filterChains ?? [], listener.filterChainMatcher !== undefined);
  const defaultChain =
    listener.defaultFilterChain === undefined
      ? undefined
      : compileChain(context, listener.defaultFilterChain, -1, ['defaultFilterChain']);
  if (chains.length === 0 && defaultChain === undefined) context.refuse(['filterChains'], 'must not be empty');
  const all = defaultChain === undefined ? chains : [...chains, defaultChain];
  return {
    name,
    statPrefix: statPrefix(listener, address),
    metadata: listener.metadata?.filterMetadata,
    address: address ?? { kind: 'internal', name },
    additionalAddresses: (listener.additionalAddresses ?? []).flatMap(
      (additional, i) => compileOwnAddress(context, additional.address, ['additionalAddresses', i, 'address']) ?? [],
    ),
    keepalives: [undefined, ...(listener.additionalAddresses ?? []).map(({ tcpKeepalive }) => tcpKeepalive)].map(
      (own) => compileKeepalive(own ?? listener.tcpKeepalive),
    ),
    bindToPort: listener.bindToPort ?? listener.deprecatedV1?.bindToPort ?? true,
    useOriginalDst: listener.useOriginalDst === true,
    direction: listener.trafficDirection ?? 'UNSPECIFIED',
    drainType: listener.drainType ?? 'DEFAULT',
    listenerFilters: listenerFilters(listener).flatMap(
      (filter, i) => compileListenerFilter(context, filter, ['listenerFilters', i]) ?? [],
    ),
    listenerFiltersTimeout: milliseconds(listener.listenerFiltersTimeout, 15_000),
    continueOnListenerFiltersTimeout: listener.continueOnListenerFiltersTimeout === true,
    chains,
    defaultChain,
    selectChain:
      listener.filterChainMatcher === undefined
        ? chainSelector(name, chains, defaultChain)
        : compileChainMatcher(context, listener.filterChainMatcher, name, chains, defaultChain),
    perConnectionBufferLimit: listener.perConnectionBufferLimitBytes ?? 1024 * 1024,
    backlog: listener.tcpBacklogSize,
    connectionLimit: liveInteger(
      context.deps.runtime,
      `envoy.resource_limits.listener.${name}.connection_limit`,
      Infinity,
    ),
    unlimited: listener.ignoreGlobalConnLimit === true || listener.bypassOverloadManager === true,
    accessLogs: compileAccessLogs(context, listener.accessLog, ['accessLog']),
    secretNames: [...new Set(all.flatMap((chain) => (chain.tls === undefined ? [] : tlsSecrets(chain.tls))))],
    routeConfigs: all
      .flatMap(routeConfigsOf)
      .filter(({ name }, i, every) => every.findIndex((each) => each.name === name) === i),
    extensions: context.extensions,
    beginnings: context.beginnings,
    places: context.places,
  };
}

/** `useProxyProto` of the first chain stands for the filter behind those that there are. */
function listenerFilters({
  listenerFilters: filters = [],
  filterChains: [first] = [],
  defaultFilterChain,
}: types.listener.Listener): readonly types.listener.ListenerFilter[] {
  return (first ?? defaultFilterChain)?.useProxyProto === true ? [...filters, PROXY_PROTOCOL] : filters;
}

const PROXY_PROTOCOL = {
  name: 'envoy.filters.listener.proxy_protocol',
  typedConfig: {
    '@type': 'type.googleapis.com/envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol',
  },
};

function statPrefix(listener: types.listener.Listener, address: AddressProgram | undefined): string {
  if (listener.statPrefix !== undefined && listener.statPrefix !== '') return listener.statPrefix;
  if (address?.kind === 'socket')
    return `${address.address.includes(':') ? `[${address.address}]` : address.address}_${address.port}`;
  if (address?.kind === 'pipe') return address.path;
  return listener.name ?? '';
}

function routeConfigsOf(chain: FilterChainProgram): ListenerProgram['routeConfigs'] {
  return chain.filters.flatMap((filter) =>
    filter.kind === 'http_connection_manager'
      ? singleSources(filter.hcm.routes).flatMap((source) =>
          source.kind === 'rds' ? { statPrefix: filter.hcm.statPrefix, name: source.name } : [],
        )
      : [],
  );
}

/** Told apart by their matches, or by their names where a matcher of the listener chooses among them. */
function compileChains(
  context: CompileContext,
  chains: readonly types.listener.FilterChain[],
  byName: boolean,
): FilterChainProgram[] {
  const keys = new Map<string, number>();
  return chains.map((chain, i) => {
    const compiled = compileChain(context, chain, i, ['filterChains', i]);
    const field = byName ? 'name' : 'filterChainMatch';
    if (byName && compiled.name === '') {
      context.refuse(['filterChains', i, 'name'], 'must not be empty beside a matcher');
      return compiled;
    }
    const clashes = new Set<number>();
    for (const key of byName ? [compiled.name] : matchKeys(compiled.match)) {
      const other = keys.get(key);
      if (other !== undefined) clashes.add(other);
      keys.set(key, i);
    }
    for (const other of clashes)
      context.refuse(
        ['filterChains', i, field],
        other === i ? 'says something twice' : `is for connections that chain ${other} is for, too`,
      );
    return compiled;
  });
}

function compileChain(
  context: CompileContext,
  chain: types.listener.FilterChain,
  index: number,
  path: Path,
): FilterChainProgram {
  const tls = compileDownstreamTransport(context, chain.transportSocket, [...path, 'transportSocket']);
  const filters = compileNetworkFilters(context, chain.filters ?? [], [...path, 'filters']);
  const http = filters.some(({ kind }) => kind === 'http_connection_manager');
  return {
    name: chain.name ?? '',
    index,
    match: compileChainMatch(context, chain.filterChainMatch ?? {}, [...path, 'filterChainMatch']),
    // HTTP/2 would be agreed on, and is not spoken.
    tls: http && tls !== undefined ? { ...tls, alpnProtocols: tls.alpnProtocols.filter((name) => name !== 'h2') } : tls,
    filters,
    transportSocketConnectTimeout: milliseconds(chain.transportSocketConnectTimeout, 0),
    metadata: chain.metadata?.filterMetadata,
  };
}

/** Filters that only look, then the one that takes the connection. */
function compileNetworkFilters(
  context: CompileContext,
  filters: readonly types.listener.Filter[],
  path: Path,
): NetworkFilterProgram[] {
  const compiled: NetworkFilterProgram[] = [];
  filters.forEach((filter, i) => {
    const { config, path: at, discovered } = filterConfig(context, 'network_filter', filter, [...path, i]);
    const type = messageOf(config?.['@type'] ?? '');
    if (Object.hasOwn(noEffectTypes, type)) return;
    // What is in a connection manager may change although its configuration does not.
    const program: NetworkFilterProgram | undefined =
      config === undefined && discovered
        ? { kind: 'missing' }
        : config === undefined || type === HCM
          ? compileNetworkFilter(context, type, config, at)
          : context.once([...path, i], config, () => compileNetworkFilter(context, type, config, at));
    if (program === undefined) return;
    if (compiled.length > 0 && !onlyLooks(compiled.at(-1)!))
      context.refuse([...path, i], 'comes after the filter that takes the connection');
    compiled.push(program);
  });
  if (
    context.nacks.length === 0 &&
    (compiled.length === 0 || (onlyLooks(compiled.at(-1)!) && compiled.at(-1)!.kind !== 'missing'))
  ) {
    context.refuse(
      path,
      'must end with a filter that takes the connection, such as the HTTP connection manager or the TCP proxy',
    );
  }
  return compiled;
}

function onlyLooks({ kind }: NetworkFilterProgram): boolean {
  return !['http_connection_manager', 'tcp_proxy', 'echo', 'direct_response'].includes(kind);
}

function compileNetworkFilter(
  context: CompileContext,
  type: string,
  config: unknown,
  path: Path,
): NetworkFilterProgram | undefined {
  switch (type) {
    case HCM:
      return {
        kind: 'http_connection_manager',
        hcm: compileHcm(context, config as types.hcm.HttpConnectionManager, path),
        config: config as object,
      };
    case 'envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy':
      return { kind: 'tcp_proxy', tcp: compileTcpProxy(context, config as types.tcpProxy.TcpProxy, path) };
    case 'envoy.extensions.filters.network.rbac.v3.RBAC':
      return { kind: 'rbac', rbac: compileNetworkRbac(context, config as types.networkRbac.RBAC, path) };
    case 'envoy.extensions.filters.network.ext_authz.v3.ExtAuthz':
      return { kind: 'gate', gate: compileNetworkExtAuthz(context, config as types.networkExtAuthz.ExtAuthz, path) };
    case 'envoy.extensions.filters.network.local_ratelimit.v3.LocalRateLimit':
      return {
        kind: 'gate',
        gate: compileNetworkLocalRateLimit(context, config as types.networkLocalRateLimit.LocalRateLimit, path),
      };
    case 'envoy.extensions.filters.network.ratelimit.v3.RateLimit':
      return { kind: 'gate', gate: compileNetworkRateLimit(context, config as types.networkRateLimit.RateLimit, path) };
    case 'envoy.extensions.filters.network.set_filter_state.v3.Config':
      return {
        kind: 'set_filter_state',
        state: compileNetworkSetFilterState(context, config as types.networkSetFilterState.Config, path),
      };
    case 'envoy.extensions.filters.network.connection_limit.v3.ConnectionLimit':
      return {
        kind: 'connection_limit',
        limit: compileConnectionLimit(context, config as types.connectionLimit.ConnectionLimit, path),
      };
    case 'envoy.extensions.filters.network.sni_cluster.v3.SniCluster':
      return { kind: 'set_filter_state', state: sniCluster() };
    case 'envoy.extensions.filters.network.sni_dynamic_forward_proxy.v3.FilterConfig':
      return { kind: 'set_filter_state', state: sniForwardProxy(config as types.sniDynamicForwardProxy.FilterConfig) };
    case 'envoy.tcp.metadataexchange.config.MetadataExchange':
      return {
        kind: 'peer_exchange',
        exchange: compileExchange(context, config as types.metadataExchange.MetadataExchange),
      };
    case 'stats.PluginConfig': {
      const stats = compileTcpStats(context, config as types.istioStats.PluginConfig);
      return stats === undefined ? undefined : { kind: 'istio_stats', stats };
    }
    case 'envoy.extensions.filters.network.echo.v3.Echo':
      return { kind: 'echo' };
    case 'envoy.extensions.filters.network.direct_response.v3.Config': {
      const { response } = config as types.networkDirectResponse.Config;
      const at = [...path, 'response'];
      const bytes = response === undefined ? undefined : dataSource(context, response, at);
      return { kind: 'direct_response', response: bytes ?? Buffer.alloc(0) };
    }
    default:
      context.refuse(path, `\`${type}\` is not a network filter that is supported`);
      return undefined;
  }
}
