import type { types } from '@mizzen/xds';
import { ALLOW_ANY_DNS_CACHE, DNS_CACHE, serviceDnsCache } from '../dns-cache.ts';
import type { TranslationContext } from '../context.ts';
import { extension } from './typed.ts';

/**
 * Filters that resolve the host a request names, for clusters that go wherever that is: on one machine for everything
 * that nobody declared, because there is no original destination; elsewhere where the mesh asks for it, and for
 * wildcard services with `resolution: DYNAMIC_DNS` (`hosts`).
 */
export function dynamicForwardProxies(
  { proxy, scope }: TranslationContext,
  hosts: readonly string[],
): readonly types.hcm.HttpFilter[] {
  if (proxy.local !== undefined) return [resolver(DNS_CACHE)];
  const anywhere = scope.outboundTrafficPolicy === 'ALLOW_ANY_DYNAMIC_DNS' ? [ALLOW_ANY_DNS_CACHE] : [];
  return [...hosts.map(serviceDnsCache), ...anywhere].map(resolver);
}

function resolver(dnsCacheConfig: typeof DNS_CACHE): types.hcm.HttpFilter {
  return extension(
    'envoy.filters.http.dynamic_forward_proxy',
    'envoy.extensions.filters.http.dynamic_forward_proxy.v3.FilterConfig',
    { dnsCacheConfig },
  );
}

/** The same for TLS that is passed on: the host is the server name. */
export function serverNameResolver(hostname: string, portValue: number): types.listener.Filter {
  return extension(
    'envoy.extensions.filters.network.sni_dynamic_forward_proxy',
    'envoy.extensions.filters.network.sni_dynamic_forward_proxy.v3.FilterConfig',
    { dnsCacheConfig: serviceDnsCache(hostname), portValue },
  );
}
