import type { KindSpecs, Resource, Snapshot, k8s } from '@mizzen/api';
import { fitsSelector } from './labels.ts';
import { namespaceLabels } from './namespaces.ts';

/** Kinds that belong to no namespace. */
const CLUSTER_WIDE: ReadonlySet<string> = new Set(['Namespace', 'Node', 'GatewayClass'] satisfies string[]);

const known = new WeakMap<Snapshot, Snapshot>();

/**
 * What MeshConfig's `discoverySelectors` leave of a Snapshot: resources of namespaces that one of them fits, and what
 * belongs to no namespace. All of it when there are none.
 */
export function discovered(snapshot: Snapshot): Snapshot {
  const selectors = (snapshot.mesh.discoverySelectors ?? []) as readonly k8s.LabelSelector[];
  if (selectors.length === 0) return snapshot;
  let out = known.get(snapshot);
  if (out === undefined) known.set(snapshot, (out = select(snapshot, selectors)));
  return out;
}

function select(snapshot: Snapshot, selectors: readonly k8s.LabelSelector[]): Snapshot {
  const fitting = new Map<string, boolean>();
  const seen = ({ kind, metadata: { namespace } }: Resource): boolean => {
    if (CLUSTER_WIDE.has(kind)) return true;
    let fit = fitting.get(namespace);
    if (fit === undefined) {
      const labels = namespaceLabels(snapshot, namespace);
      fitting.set(namespace, (fit = selectors.some((selector) => fitsSelector(selector, labels))));
    }
    return fit;
  };
  const lists = new Map<keyof KindSpecs, readonly Resource[]>();
  return {
    version: snapshot.version,
    mesh: snapshot.mesh,
    meshSource: snapshot.meshSource,
    list<K extends keyof KindSpecs>(kind: K): readonly Resource<KindSpecs[K]>[] {
      let list = lists.get(kind);
      if (list === undefined) lists.set(kind, (list = snapshot.list(kind).filter((resource) => seen(resource))));
      return list as readonly Resource<KindSpecs[K]>[];
    },
    get: (kind, namespace, name) => {
      const resource = snapshot.get(kind, namespace, name);
      return resource !== undefined && seen(resource) ? resource : undefined;
    },
    find: (ref) => {
      const resource = snapshot.find(ref);
      return resource !== undefined && seen(resource) ? resource : undefined;
    },
  };
}
