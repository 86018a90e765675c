import type { Cluster } from '@mizzen/xds';
import type { TranslationContext } from '../context.ts';
import type { DNS_CACHE } from '../dns-cache.ts';
import { duration } from '../duration.ts';
import { hasFamily } from '../families.ts';

/** Names are looked up again at the mesh's rate, or when their time to live is over; in the family the proxy has (IPv4 if it has both: dual stack is an option of istiod's that is off). */
export function dnsFields(context: TranslationContext): Partial<Cluster> {
  const { proxy, model, profile } = context;
  return {
    dnsJitter: '0.100s',
    dnsLookupFamily: hasFamily(proxy, 4) ? 'V4_ONLY' : 'V6_ONLY',
    dnsRefreshRate: duration(model.mesh.dnsRefreshRate ?? '60s'),
    respectDnsTtl: true,
    ...(profile === 'istio'
      ? {
          typedDnsResolverConfig: {
            name: 'envoy.network.dns_resolver.cares',
            typedConfig: {
              '@type': 'type.googleapis.com/envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig',
              udpMaxQueries: 100,
            },
          },
        }
      : {}),
  };
}

/**
 * Connects to whatever host the request names, through addresses that an HTTP filter with the same cache found. Envoy
 * wants a certificate's name checked there; `insecure` says that there is none to check.
 */
export function dynamicForwardProxy(dnsCacheConfig: typeof DNS_CACHE, insecure: boolean): Partial<Cluster> {
  return {
    lbPolicy: 'CLUSTER_PROVIDED',
    clusterType: {
      name: 'envoy.clusters.dynamic_forward_proxy',
      typedConfig: {
        '@type': 'type.googleapis.com/envoy.extensions.clusters.dynamic_forward_proxy.v3.ClusterConfig',
        dnsCacheConfig,
        ...(insecure ? { allowInsecureClusterOptions: true } : {}),
      },
    },
  };
}
