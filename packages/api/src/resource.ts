import type { Path, Ref, Span } from '@mizzen/diagnostics';

/**
 * A document's text and where it came from. One per resource; shared by nothing else. When only what is around a document
 * changes, whoever reads the file keeps the resource and brings `index` and `firstLine` up to date in place: the one
 * thing about a resource that changes, so look them up when something is printed and do not keep them.
 */
export interface SourceDocument {
  /** As the person named it (relative to where they stand), or `<stdin>`, or `<default>` for what Mizzen adds itself. */
  readonly file: string;
  /** Counts from 0 within the file. */
  readonly index: number;
  /** Line of the document's first line within the file; counts from 1. */
  readonly firstLine: number;
  readonly text: string;
  /** For an item of a `kind: List`: its path within the document. */
  readonly prefix?: Path;
}

export interface ObjectMeta {
  readonly name: string;
  readonly namespace: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly creationTimestamp?: string;
  readonly generation?: number;
  readonly uid?: string;
}

/**
 * One resource as written, after defaulting of `metadata.namespace` (namespaced kinds get `default`) and after
 * conversion to the preferred API version's field names. `spec` is the parsed value, never modified.
 * Kinds without a spec (ConfigMap, Secret, ServiceAccount) keep their fields in `body`.
 */
export interface Resource<Spec = unknown> {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly spec: Spec;
  /** The whole parsed document. */
  readonly body: Readonly<Record<string, unknown>>;
  readonly source: SourceDocument;
  /** Order of reading: later is younger. Stands in for creationTimestamp where there is none. */
  readonly order: number;
  /** For a resource that was made from others: where its parts were written. */
  readonly writtenAt?: WrittenAt;
}

/** A place in a resource that a person wrote. */
export interface Place {
  readonly resource: Ref;
  readonly path: Path;
}

/** Path within a resource, joined by dots (the whole: empty) → the place it was made from. */
export type WrittenAt = ReadonlyMap<string, Place>;

/** Where a part of a resource was written: in itself, or in what it was made from. */
export function writtenAt(resource: Resource, path: Path): Place {
  if (resource.writtenAt === undefined) return { resource: refOf(resource), path };
  for (let length = path.length; length >= 0; length--) {
    const place = resource.writtenAt.get(path.slice(0, length).join('.'));
    if (place !== undefined) return place;
  }
  return { resource: refOf(resource), path };
}

export function refOf(resource: Resource): Ref {
  return {
    apiVersion: resource.apiVersion,
    kind: resource.kind,
    namespace: resource.metadata.namespace,
    name: resource.metadata.name,
  };
}

/** Where in the person's text a part of a resource is; undefined when the path leads nowhere in it. */
export type Locate = (ref: Ref, path: Path) => Span | undefined;
