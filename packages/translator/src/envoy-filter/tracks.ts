import type { Path } from '@mizzen/diagnostics';
import { OriginTree } from '../origins.ts';
import type { Origin } from '../types.ts';

/** Where the objects of patches' values were written. They go into resources as they are, so identity tells. */
const written = new WeakMap<object, Origin>();

/** Notes the origin of every object of a patch's value. */
export function noteValue(value: unknown, origin: Origin): void {
  if (typeof value !== 'object' || value === null) return;
  written.set(value, origin);
  for (const [key, child] of entries(value)) noteValue(child, below(origin, key));
}

export function originOf(value: object): Origin | undefined {
  return written.get(value);
}

export function below(origin: Origin, key: string | number): Origin {
  return { resource: origin.resource, path: [...origin.path, key] };
}

/**
 * What patches did to one resource. Nothing is changed in place: each change makes a copy of what holds it, and this
 * remembers of what, so that the origins of everything else can be found again.
 */
export class Tracks {
  readonly #copies = new WeakMap<object, object>();
  readonly #fields = new WeakMap<object, Map<string | number, Origin>>();

  /** Notes that `copy` stands where `original` stood. */
  copied<T extends object>(copy: T, original: object): T {
    this.#copies.set(copy, original);
    const fields = this.#fields.get(original);
    if (fields !== undefined) this.#fields.set(copy, new Map(fields));
    return copy;
  }

  /** Notes that a patch gave `object` its field (or element) `key`. */
  given(object: object, key: string | number, origin: Origin): void {
    let fields = this.#fields.get(object);
    if (fields === undefined) this.#fields.set(object, (fields = new Map()));
    fields.set(key, origin);
  }

  /** The origins of a patched resource: those of patches, and for the rest what they were `before`. */
  origins(patched: object, original: object | undefined, before: OriginTree | undefined): OriginTree {
    const tree = new OriginTree();
    this.#walk(tree, [], patched, original, before, []);
    return tree;
  }

  #walk(
    tree: OriginTree,
    at: Path,
    value: object,
    was: unknown,
    before: OriginTree | undefined,
    wasAt: Path | undefined,
  ): void {
    const root = this.#root(value);
    if (value === was && before !== undefined && wasAt !== undefined) {
      tree.graft(at, before, wasAt);
      return;
    }
    const own = root === was ? undefined : written.get(root);
    if (own !== undefined) {
      this.#set(tree, at, value, own);
      return;
    }
    const origin = wasAt === undefined ? undefined : before?.own(wasAt);
    if (origin !== undefined) tree.set(at, origin);
    const fields = this.#fields.get(value);
    for (const [key, child] of entries(value)) {
      const given = fields?.get(key);
      if (given !== undefined) {
        this.#set(tree, [...at, key], child, given);
        continue;
      }
      const from = this.#find(value, key, child, was);
      const childWas = from === undefined ? undefined : (was as Record<string | number, unknown>)[from];
      const childAt = from === undefined || wasAt === undefined ? undefined : [...wasAt, from];
      if (typeof child === 'object' && child !== null) {
        this.#walk(tree, [...at, key], child, childWas, before, childAt);
      } else if (childAt !== undefined) {
        const own = before?.own(childAt);
        if (own !== undefined) tree.set([...at, key], own);
      }
    }
  }

  /** Where in the original a child is: under the same key, or (in lists, where others may stand before it) the same one. */
  #find(value: object, key: string | number, child: unknown, was: unknown): string | number | undefined {
    if (typeof was !== 'object' || was === null) return undefined;
    if (!Array.isArray(value)) return key;
    if (!Array.isArray(was)) return undefined;
    if (typeof child !== 'object' || child === null) return key;
    const index = was.indexOf(this.#root(child));
    return index < 0 ? undefined : index;
  }

  /** Everything in `value` is a patch's, down to its scalars. */
  #set(tree: OriginTree, at: Path, value: unknown, origin: Origin): void {
    tree.set(at, origin);
    if (typeof value !== 'object' || value === null) return;
    const fields = this.#fields.get(value);
    for (const [key, child] of entries(value)) {
      const known = typeof child === 'object' && child !== null ? written.get(this.#root(child)) : undefined;
      this.#set(tree, [...at, key], child, fields?.get(key) ?? known ?? below(origin, key));
    }
  }

  #root(value: object): object {
    let root = value;
    for (let next = this.#copies.get(root); next !== undefined; next = this.#copies.get(root)) root = next;
    return root;
  }
}

function entries(value: object): Iterable<[string | number, unknown]> {
  return Array.isArray(value) ? value.entries() : Object.entries(value);
}
