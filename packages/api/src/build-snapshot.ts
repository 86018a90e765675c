import type { Diagnostic } from '@mizzen/diagnostics';
import { KINDS, kindKey, resourceKey } from './kind-table.ts';
import type { KindSpecs } from './kinds.ts';
import { readMeshConfig } from './mesh/read.ts';
import type { MeshDefaults } from './mesh/read.ts';
import { refOf } from './resource.ts';
import type { Resource, SourceDocument } from './resource.ts';
import type { Snapshot } from './snapshot.ts';
import type { Engine } from './support/types.ts';

export interface SnapshotOptions {
  readonly version: number;
  /** The text of a mesh configuration given by itself (`--mesh-config`); it goes before any found among the resources. */
  readonly meshConfig?: SourceDocument;
  /** Whose gaps are warned of; Mizzen's own proxy unless told. */
  readonly engine?: Engine;
  /** What holds where there is no mesh configuration at all: `installed` unless told. */
  readonly meshDefaults?: MeshDefaults;
}

export interface BuiltSnapshot {
  readonly snapshot: Snapshot;
  /** What is wrong with the mesh configuration of a file (`validateResource` tells it of a resource's). */
  readonly diagnostics: readonly Diagnostic[];
}

type Key = Parameters<Snapshot['find']>[0];

/** Resources by kind, namespace and name. There must be no two of the same; the first wins. */
export function buildSnapshot(resources: Iterable<Resource>, options: SnapshotOptions): BuiltSnapshot {
  const byKind = new Map<string, Resource[]>(Object.keys(KINDS).map((kind) => [kind, []]));
  const byName = new Map<string, Resource>();
  for (const resource of resources) {
    const key = resourceKey(refOf(resource));
    if (byName.has(key)) continue;
    byName.set(key, resource);
    byKind.get(kindKey(resource))?.push(resource);
  }
  for (const list of byKind.values()) sortByCreation(list);
  const settings = [...(byKind.get('IstioOperator') ?? []), ...(byKind.get('ConfigMap') ?? [])];
  const { meshConfig, meshDefaults, engine } = options;
  const { mesh, source, diagnostics } = readMeshConfig(settings, meshConfig, { defaults: meshDefaults, engine });
  const find = (key: Key): Resource | undefined => byName.get(resourceKey(key));
  const snapshot: Snapshot = {
    version: options.version,
    list: <K extends keyof KindSpecs>(kind: K) => (byKind.get(kind) ?? []) as readonly Resource<KindSpecs[K]>[],
    get: <K extends keyof KindSpecs>(kind: K, namespace: string, name: string) =>
      find({ kind, namespace, name }) as Resource<KindSpecs[K]> | undefined,
    find,
    mesh,
    meshSource: source,
  };
  return { snapshot, diagnostics: options.meshConfig ? diagnostics : [] };
}

/**
 * Oldest first. Where every resource of a kind carries its time of creation (they were read from a cluster) that
 * decides, then namespace and name; otherwise the order they were read in.
 */
function sortByCreation(list: Resource[]): void {
  const timed = list.every(({ metadata }) => metadata.creationTimestamp !== undefined);
  list.sort((a, b) => (timed ? compareCreation(a, b) : 0) || a.order - b.order);
}

function compareCreation(a: Resource, b: Resource): number {
  return (
    compare(a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? '') ||
    compare(a.metadata.namespace, b.metadata.namespace) ||
    compare(a.metadata.name, b.metadata.name)
  );
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
