import type { Snapshot } from '@mizzen/api';
import type { Labels } from './labels.ts';

const NAME = 'kubernetes.io/metadata.name';
const known = new WeakMap<Snapshot, ReadonlyMap<string, Labels>>();

/** Labels of a namespace, with the one that Kubernetes puts on each; also of a namespace that no resource declares. */
export function namespaceLabels(snapshot: Snapshot, namespace: string): Labels {
  let labels = known.get(snapshot);
  if (labels === undefined) {
    labels = new Map(snapshot.list('Namespace').map(({ metadata }) => [metadata.name, metadata.labels ?? {}]));
    known.set(snapshot, labels);
  }
  return { ...labels.get(namespace), [NAME]: namespace };
}
