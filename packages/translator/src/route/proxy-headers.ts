import type { TranslationContext } from '../context.ts';
import { proxyHeaders } from '../filters/proxy-config.ts';

/** Whether `x-envoy-attempt-count` is sent; a ProxyConfig can say no. */
export function attemptCount(context: TranslationContext): boolean {
  return proxyHeaders(context).attemptCount?.disabled !== true;
}

/** Whether a host that a route rewrites is passed on as `x-forwarded-host`. */
export function forwardsHost(context: TranslationContext): boolean {
  return proxyHeaders(context).xForwardedHost?.enabled === true;
}
