import type { types } from '@mizzen/xds';
import { DNS_CACHE } from '../dns-cache.ts';
import { extension } from './typed.ts';

/** Resolves the host that a request names, for clusters that go wherever that is. */
export const DYNAMIC_FORWARD_PROXY: types.hcm.HttpFilter = extension(
  'envoy.filters.http.dynamic_forward_proxy',
  'envoy.extensions.filters.http.dynamic_forward_proxy.v3.FilterConfig',
  { dnsCacheConfig: DNS_CACHE },
);
