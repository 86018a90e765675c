import type { XdsResources } from '../types.ts';

/**
 * A part of what a proxy is sent. `path` is a type and steps separated by ` / `, such as
 * `clusters / outbound|80||a.default.svc.cluster.local / outlierDetection`. A step is the name of a field, the name of an
 * item of a list (or its place, from 0), `*` for every item, or `**` for whatever lies between. Null when there is no such
 * part, a list when there are several that differ.
 */
export function show(resources: XdsResources, path: string): unknown {
  const found = find(resources, path.split(' / '));
  const distinct = [...new Map(found.map((value) => [JSON.stringify(value), value])).values()];
  // As it is sent: without what is undefined.
  const plain = JSON.parse(JSON.stringify(distinct)) as unknown[];
  return plain.length > 1 ? plain : (plain[0] ?? null);
}

function find(value: unknown, [step, ...rest]: readonly string[]): unknown[] {
  if (step === undefined) return value === undefined ? [] : [value];
  if (step === '**')
    return [...find(value, rest), ...childrenOf(value).flatMap((child) => find(child, ['**', ...rest]))];
  if (step === '*') return childrenOf(value).flatMap((child) => find(child, rest));
  if (typeof value !== 'object' || value === null) return [];
  if (!Array.isArray(value)) return find((value as Record<string, unknown>)[step], rest);
  const items: readonly unknown[] = value;
  const named = items.filter((item) => nameOf(item) === step);
  if (named.length > 0) return named.flatMap((item) => find(item, rest));
  return /^\d+$/.test(step) ? find(items[Number(step)], rest) : [];
}

function childrenOf(value: unknown): unknown[] {
  return typeof value === 'object' && value !== null ? Object.values(value) : [];
}

function nameOf(item: unknown): string | undefined {
  if (typeof item !== 'object' || item === null) return undefined;
  const { name, clusterName } = item as { readonly name?: string; readonly clusterName?: string };
  return name ?? clusterName;
}
