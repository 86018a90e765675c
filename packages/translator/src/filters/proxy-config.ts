import type { mesh } from '@mizzen/api';
import type { TranslationContext } from '../context.ts';

/** The ProxyConfig in force: what the proxy says it runs with, else the mesh's default. */
export function proxyConfig({ node, model }: TranslationContext): mesh.ProxyConfig {
  return (node.metadata.PROXY_CONFIG as mesh.ProxyConfig | undefined) ?? model.mesh.defaultConfig ?? {};
}

/** A node's IDLE_TIMEOUT metadata (`1h`, `30s`, Go's notation) as proto3 JSON; undefined when it is none. */
export function idleTimeout({ node }: TranslationContext): string | undefined {
  const text = node.metadata['IDLE_TIMEOUT'];
  if (typeof text !== 'string' || !/^(\d+(\.\d+)?(h|m|s|ms))+$/.test(text)) return undefined;
  let seconds = 0;
  for (const [, value, unit] of text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s)/g)) {
    seconds += Number(value) * { h: 3600, m: 60, s: 1, ms: 0.001 }[unit as 'h' | 'm' | 's' | 'ms'];
  }
  return `${seconds}s`;
}
