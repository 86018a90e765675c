import type { Ref } from '@mizzen/diagnostics';
import type * as meshv1 from './gen/istio.mesh.v1alpha1.ts';
import type { KindSpecs } from './kinds.ts';
import type { Resource } from './resource.ts';

/**
 * Every resource in force at one moment; immutable. A changed file gives a new Snapshot in which unchanged resources are
 * the same objects, so that whoever caches by identity keeps what it has.
 */
export interface Snapshot {
  /** Counts up with every change. */
  readonly version: number;
  /** All resources of a kind that Mizzen reads, in creation order (oldest first, then by namespace and name). */
  list<K extends keyof KindSpecs>(kind: K): readonly Resource<KindSpecs[K]>[];
  get<K extends keyof KindSpecs>(kind: K, namespace: string, name: string): Resource<KindSpecs[K]> | undefined;
  /** Without `apiVersion`, `kind` is a name of `KindSpecs`. */
  find(ref: Pick<Ref, 'kind' | 'namespace' | 'name'> & Partial<Pick<Ref, 'apiVersion'>>): Resource | undefined;
  /** MeshConfig with Istio's defaults applied under what the person set. */
  readonly mesh: meshv1.MeshConfig;
  /** Where the mesh configuration was read from, when it was a resource. */
  readonly meshSource: Resource | undefined;
}
