import { isDuration, type mesh } from '@mizzen/api';
import type { TranslationContext } from '../context.ts';
import { duration } from '../duration.ts';

/** The ProxyConfig in force: what the proxy says it runs with, else the mesh's default. */
export function proxyConfig({ node, model }: TranslationContext): mesh.ProxyConfig {
  return (node.metadata.PROXY_CONFIG as mesh.ProxyConfig | undefined) ?? model.mesh.defaultConfig ?? {};
}

/** A node's IDLE_TIMEOUT metadata (`1h`, `30s`), for connections that carry nothing; undefined when it has none. */
export function idleTimeout({ node }: TranslationContext): string | undefined {
  const text = node.metadata['IDLE_TIMEOUT'];
  return typeof text === 'string' && isDuration(text) ? duration(text) : undefined;
}
