import type { types } from '@mizzen/xds';

type DnsCache = NonNullable<types.dynamicForwardProxyCluster.ClusterConfig['dnsCacheConfig']>;

/**
 * Shared by the cluster for hosts that nobody declared and by the HTTP filter that resolves them (Envoy wants both to say
 * exactly the same).
 */
export const DNS_CACHE: DnsCache = { name: 'mizzen_passthrough', dnsLookupFamily: 'V4_PREFERRED' };

/** The same where Istio's proxies resolve the hosts of one wildcard service. */
export function serviceDnsCache(hostname: string): DnsCache {
  return { name: `${hostname}_dfp_dns_cache`, dnsLookupFamily: 'V4_ONLY' };
}

/** And for undeclared hosts, where the mesh says they are to be resolved. */
export const ALLOW_ANY_DNS_CACHE: DnsCache = {
  name: 'allow_any_dfp_dns_cache',
  dnsLookupFamily: 'V4_ONLY',
  maxHosts: 1024,
};
