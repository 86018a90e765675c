import type { types } from '@mizzen/xds';

/**
 * Shared by the cluster for hosts that nobody declared and by the HTTP filter that resolves them (Envoy wants both to say
 * exactly the same).
 */
export const DNS_CACHE: NonNullable<types.dynamicForwardProxyCluster.ClusterConfig['dnsCacheConfig']> = {
  name: 'mizzen_passthrough',
  dnsLookupFamily: 'V4_PREFERRED',
};
