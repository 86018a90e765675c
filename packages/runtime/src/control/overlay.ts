import { kindKey, refOf } from '@mizzen/api';
import type { KindSpecs, Resource, Snapshot } from '@mizzen/api';

/** A snapshot with more resources in it, in their order; those that are there already stay. */
export function overlay(base: Snapshot, added: readonly Resource[]): Snapshot {
  const extra = added.filter((resource) => base.find(refOf(resource)) === undefined);
  if (extra.length === 0) return base;
  const byKind = new Map<string, readonly Resource[]>();
  for (const resource of extra) {
    const kind = kindKey(resource);
    byKind.set(kind, [...(byKind.get(kind) ?? []), resource]);
  }
  const find: Snapshot['find'] = (ref) =>
    base.find(ref) ??
    byKind
      .get(kindKey(ref))
      ?.find(({ metadata }) => metadata.namespace === ref.namespace && metadata.name === ref.name);
  const lists = new Map<string, readonly Resource[]>();
  return {
    version: base.version,
    list: <K extends keyof KindSpecs>(kind: K) => {
      let list = lists.get(kind);
      if (list === undefined) {
        const all = [...base.list(kind), ...(byKind.get(kind) ?? [])];
        list = byKind.has(kind) ? all.toSorted((a, b) => a.order - b.order) : all;
        lists.set(kind, list);
      }
      return list as readonly Resource<KindSpecs[K]>[];
    },
    get: <K extends keyof KindSpecs>(kind: K, namespace: string, name: string) =>
      find({ kind, namespace, name }) as Resource<KindSpecs[K]> | undefined,
    find,
    mesh: base.mesh,
    meshSource: base.meshSource,
  };
}
