import type { TranslationContext } from '../context.ts';

interface ProxyHeaders {
  readonly proxyHeaders?: { readonly attemptCount?: { readonly disabled?: boolean } };
}

/** Whether `x-envoy-attempt-count` is sent; a ProxyConfig can say no. */
export function attemptCount(context: TranslationContext): boolean {
  const own = context.proxy.metadata.PROXY_CONFIG as ProxyHeaders | undefined;
  const shared = context.model.mesh.defaultConfig as ProxyHeaders | undefined;
  return (own?.proxyHeaders ?? shared?.proxyHeaders)?.attemptCount?.disabled !== true;
}
