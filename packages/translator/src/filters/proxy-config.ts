import { annotatedProxyConfig, isDuration, overProxyConfig, type mesh } from '@mizzen/api';
import type { types } from '@mizzen/xds';
import type { TranslationContext } from '../context.ts';
import { duration } from '../duration.ts';
import { typed } from './typed.ts';

/**
 * The ProxyConfig in force: what the proxy says it runs with, else the mesh's default with the pod's annotation over it.
 * (What Istio's injector would have given to the proxy.)
 */
export function proxyConfig(context: TranslationContext): mesh.ProxyConfig {
  let config = inForce.get(context);
  if (config === undefined) inForce.set(context, (config = resolve(context)));
  return config;
}

const inForce = new WeakMap<TranslationContext, mesh.ProxyConfig>();

function resolve({ node, proxy, model }: TranslationContext): mesh.ProxyConfig {
  const told = node.metadata.PROXY_CONFIG as mesh.ProxyConfig | undefined;
  if (told !== undefined) return told;
  const shared = model.mesh.defaultConfig ?? {};
  const own = proxy.workload === undefined ? undefined : annotatedProxyConfig(proxy.workload.annotations);
  return own === undefined ? shared : overProxyConfig(shared, own);
}

/** Its part about headers; a proxy that says nothing of it gets the mesh's. */
export function proxyHeaders(context: TranslationContext): mesh.ProxyConfig_ProxyHeaders {
  return proxyConfig(context).proxyHeaders ?? context.model.mesh.defaultConfig?.proxyHeaders ?? {};
}

/** Keeps the names of headers as they are written. */
export const HEADER_CASE: types.core.Http1ProtocolOptions_HeaderKeyFormat = {
  statefulFormatter: {
    name: 'preserve_case',
    typedConfig: typed('envoy.extensions.http.header_formatters.preserve_case.v3.PreserveCaseFormatterConfig', {}),
  },
};

/** A node's IDLE_TIMEOUT metadata (`1h`, `30s`), for connections that carry nothing; undefined when it has none. */
export function idleTimeout({ node }: TranslationContext): string | undefined {
  const text = node.metadata['IDLE_TIMEOUT'];
  return typeof text === 'string' && isDuration(text) ? duration(text) : undefined;
}
