import { isIP } from 'node:net';
import type { types } from '@mizzen/xds';
import type { CompileContext } from '../context.ts';
import type { Path } from '../path.ts';
import type { ClusterProgram, DnsProgram } from '../types.ts';
import { messageOf } from '../read-resource.ts';
import { milliseconds } from '../values.ts';

const CARES = 'envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig';

interface Resolution {
  readonly typedDnsResolverConfig?: { readonly typedConfig?: { readonly '@type': string } };
  readonly dnsResolutionConfig?: { readonly resolvers?: readonly types.core.Address[] };
}

interface CacheConfig extends Resolution {
  readonly name?: string;
  readonly dnsLookupFamily?: DnsProgram['family'];
  readonly dnsRefreshRate?: string;
  readonly hostTtl?: string;
  readonly maxHosts?: number;
  readonly dnsFailureRefreshRate?: types.cluster.Cluster_RefreshRate;
}

interface DnsClusterConfig extends CacheConfig {
  readonly respectDnsTtl?: boolean;
  readonly dnsJitter?: string;
  readonly allAddressesInSingleEndpoint?: boolean;
}

/** A DNS cluster that is named alone has nothing but defaults. */
export const DNS_NAME = 'envoy.cluster.dns';

/** What a typed DNS cluster says, in place of the cluster's own fields. */
export function dnsConfig({ clusterType }: types.cluster.Cluster): DnsClusterConfig | undefined {
  const config = clusterType?.typedConfig;
  if (config === undefined) return clusterType?.name === DNS_NAME ? {} : undefined;
  return messageOf(config['@type']) === 'envoy.extensions.clusters.dns.v3.DnsCluster'
    ? (config as DnsClusterConfig)
    : undefined;
}

interface Resolver {
  readonly resolvers?: readonly types.core.Address[];
  readonly useResolversAsFallback?: boolean;
  readonly queryTimeoutSeconds?: string | number;
  readonly queryTries?: number;
}

/** Node takes no more of either. */
const MOST = 2 ** 31 - 1;

/** Undefined where nothing is said. */
export function compileServers(
  context: CompileContext,
  { typedDnsResolverConfig, dnsResolutionConfig }: Resolution,
  path: Path,
  older: readonly types.core.Address[] = [],
): DnsProgram['servers'] {
  const typed = typedDnsResolverConfig?.typedConfig;
  const isCares = typed !== undefined && messageOf(typed['@type']) === CARES;
  const resolver: Resolver = isCares ? (typed as Resolver) : (dnsResolutionConfig ?? { resolvers: older });
  const resolvers = typed !== undefined && !isCares ? [] : (resolver.resolvers ?? []);
  if (typed === undefined && dnsResolutionConfig === undefined && older.length === 0) return undefined;
  if (resolvers.length === 0 || resolver.useResolversAsFallback === true) return 'system';
  const at = isCares
    ? [...path, 'typedDnsResolverConfig', 'typedConfig', 'resolvers']
    : dnsResolutionConfig !== undefined
      ? [...path, 'dnsResolutionConfig', 'resolvers']
      : [...path, 'dnsResolvers'];
  const addresses = resolvers.map(({ socketAddress }, i) => {
    const { address = '', portValue = 0 } = socketAddress ?? {};
    if (isIP(address) === 0) context.refuse([...at, i], 'must be an IP address and a port');
    const port = portValue === 0 ? 53 : portValue;
    return isIP(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`;
  });
  const seconds = Number(resolver.queryTimeoutSeconds ?? 0) || 5;
  const tries = (resolver.queryTries ?? 0) || 4;
  return { addresses, timeout: Math.min(seconds * 1000, MOST), tries: Math.min(tries, MOST) };
}

export function compileDns(
  context: CompileContext,
  cluster: types.cluster.Cluster,
  type: ClusterProgram['type'],
): DnsProgram {
  const cache =
    type === 'DYNAMIC_FORWARD_PROXY'
      ? ((cluster.clusterType?.typedConfig?.['dnsCacheConfig'] ?? {}) as CacheConfig)
      : dnsConfig(cluster);
  const forwards = type === 'DYNAMIC_FORWARD_PROXY';
  const own: DnsClusterConfig = dnsConfig(cluster) ?? cluster;
  const refreshRate = milliseconds(
    cache === undefined ? cluster.dnsRefreshRate : cache.dnsRefreshRate,
    forwards ? 60_000 : 5000,
  );
  const failure = cache === undefined ? cluster.dnsFailureRefreshRate : cache.dnsFailureRefreshRate;
  const failureBase = milliseconds(failure?.baseInterval, refreshRate);
  const resolves = forwards || type === 'STRICT_DNS' || type === 'LOGICAL_DNS';
  if (resolves && milliseconds(failure?.maxInterval, failureBase) < failureBase) {
    const at = cache === undefined ? [] : ['clusterType', 'typedConfig', ...(forwards ? ['dnsCacheConfig'] : [])];
    context.refuse([...at, 'dnsFailureRefreshRate', 'maxInterval'], 'must be at least `baseInterval`');
  }
  return {
    family: (cache === undefined ? cluster.dnsLookupFamily : cache.dnsLookupFamily) ?? 'AUTO',
    refreshRate,
    failureBase,
    failureMax: milliseconds(failure?.maxInterval, failureBase * 10),
    failureBacksOff: failure !== undefined,
    respectTtl: own.respectDnsTtl === true,
    jitter: milliseconds(own.dnsJitter, 0),
    servers:
      cache === undefined
        ? compileServers(context, cluster as Resolution, [], cluster.dnsResolvers)
        : compileServers(context, cache, ['clusterType', 'typedConfig', ...(forwards ? ['dnsCacheConfig'] : [])]),
    hostTtl: milliseconds(cache?.hostTtl, 300_000),
    maxHosts: cache?.maxHosts ?? 1024,
    cacheName: cache?.name ?? '',
  };
}
