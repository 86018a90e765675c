import type { types } from '@mizzen/xds';
import type { CompileContext } from '../context.ts';
import type { ClusterProgram, DnsProgram } from '../types.ts';
import { messageOf } from '../read-resource.ts';
import { milliseconds } from '../values.ts';

interface CacheConfig {
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

/** What a typed DNS cluster says, in place of the cluster's own fields. */
export function dnsConfig({ clusterType }: types.cluster.Cluster): DnsClusterConfig | undefined {
  const config = clusterType?.typedConfig;
  return config !== undefined && messageOf(config['@type']) === 'envoy.extensions.clusters.dns.v3.DnsCluster'
    ? (config as DnsClusterConfig)
    : undefined;
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
  if (milliseconds(failure?.maxInterval, failureBase) < failureBase) {
    const at = cache === undefined ? [] : ['clusterType', 'typedConfig', ...(forwards ? ['dnsCacheConfig'] : [])];
    context.refuse([...at, 'dnsFailureRefreshRate', 'maxInterval'], 'must be at least `baseInterval`');
  }
  return {
    family: (cache === undefined ? cluster.dnsLookupFamily : cache.dnsLookupFamily) ?? 'AUTO',
    refreshRate,
    failureBase,
    failureMax: milliseconds(failure?.maxInterval, failure === undefined ? refreshRate : failureBase * 10),
    respectTtl: own.respectDnsTtl === true,
    jitter: milliseconds(own.dnsJitter, 0),
    hostTtl: milliseconds(cache?.hostTtl, 300_000),
    maxHosts: cache?.maxHosts ?? 1024,
  };
}
