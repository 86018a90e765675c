import type { MeshConfig } from '../gen/istio.mesh.v1alpha1.ts';
import { isRecord } from '../normalize.ts';

/**
 * `config` over `defaults`, as istiod applies a mesh configuration: a field that is set replaces the default whole,
 * except that `defaultConfig` and `defaultProviders` are merged field by field (and `proxyMetadata` key by key),
 * extension providers are merged by name, and trust domain aliases add up.
 */
export function applyMeshConfig(defaults: MeshConfig, config: MeshConfig): MeshConfig {
  const aliases = [...(defaults.trustDomainAliases ?? []), ...(config.trustDomainAliases ?? [])];
  const proxy = { ...defaults.defaultConfig, ...config.defaultConfig };
  if (config.defaultConfig?.tracingServiceName !== undefined && config.defaultConfig.serviceCluster === undefined) {
    delete (proxy as { serviceCluster?: string }).serviceCluster;
  }
  const metadata = { ...defaults.defaultConfig?.proxyMetadata, ...config.defaultConfig?.proxyMetadata };
  return {
    ...defaults,
    ...config,
    defaultConfig: { ...proxy, ...(Object.keys(metadata).length > 0 && { proxyMetadata: metadata }) },
    defaultProviders: { ...defaults.defaultProviders, ...config.defaultProviders },
    extensionProviders: mergeByName(defaults.extensionProviders ?? [], config.extensionProviders ?? []),
    trustDomainAliases: [...new Set(aliases)].sort(),
  };
}

function mergeByName<T extends { readonly name?: string }>(base: readonly T[], over: readonly T[]): readonly T[] {
  const out = [...base];
  for (const item of over) {
    const index = out.findIndex((other) => other.name === item.name);
    if (index < 0) out.push(item);
    else out[index] = item;
  }
  return out;
}

/** Maps merged key by key, all the way down, as Helm merges an IstioOperator's values over its chart's. */
export function deepMerge(base: unknown, over: unknown): unknown {
  if (!isRecord(base) || !isRecord(over)) return over === undefined ? base : over;
  const out: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over)) out[key] = deepMerge(base[key], value);
  return out;
}
