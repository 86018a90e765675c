import type { Resource } from '@mizzen/api';

/**
 * Istio's order of resources: oldest first, and name, then namespace where the age is the same or unknown. It decides
 * who wins a conflict, so it must not depend on the order in which files were read.
 */
export function byAge(a: Resource, b: Resource): number {
  const created = compare(a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? '');
  if (created !== 0) return created;
  return compare(`${a.metadata.name}.${a.metadata.namespace}`, `${b.metadata.name}.${b.metadata.namespace}`);
}

export function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
