import type { types } from '@mizzen/xds';
import type { ClusterProgram, DnsProgram } from '../types.ts';
import { milliseconds } from '../values.ts';

interface CacheConfig {
  readonly dnsLookupFamily?: DnsProgram['family'];
  readonly dnsRefreshRate?: string;
  readonly hostTtl?: string;
  readonly maxHosts?: number;
  readonly dnsFailureRefreshRate?: types.cluster.Cluster_RefreshRate;
}

export function compileDns(cluster: types.cluster.Cluster, type: ClusterProgram['type']): DnsProgram {
  const cache =
    type === 'DYNAMIC_FORWARD_PROXY'
      ? ((cluster.clusterType?.typedConfig?.['dnsCacheConfig'] ?? {}) as CacheConfig)
      : undefined;
  const refreshRate = milliseconds(
    cache === undefined ? cluster.dnsRefreshRate : cache.dnsRefreshRate,
    cache === undefined ? 5000 : 60_000,
  );
  const failure = cache === undefined ? cluster.dnsFailureRefreshRate : cache.dnsFailureRefreshRate;
  const failureBase = milliseconds(failure?.baseInterval, refreshRate);
  return {
    family: (cache === undefined ? cluster.dnsLookupFamily : cache.dnsLookupFamily) ?? 'AUTO',
    refreshRate,
    failureBase,
    failureMax: milliseconds(failure?.maxInterval, failure === undefined ? refreshRate : failureBase * 10),
    respectTtl: cluster.respectDnsTtl === true,
    jitter: milliseconds(cluster.dnsJitter, 0),
    hostTtl: milliseconds(cache?.hostTtl, 300_000),
    maxHosts: cache?.maxHosts ?? 1024,
  };
}
