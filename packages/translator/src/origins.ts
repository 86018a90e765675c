import type { Path } from '@mizzen/diagnostics';
import type { Origin, Origins, XdsType } from './types.ts';

interface Entry {
  origin: Origin | undefined;
  children: Map<string | number, Entry> | undefined;
}

/** Origins of the parts of one resource. Proxies that are sent the same resource share its tree. */
export class OriginTree {
  readonly #root: Entry = { origin: undefined, children: undefined };

  set(path: Path, origin: Origin): void {
    let entry = this.#root;
    for (const step of path) {
      entry.children ??= new Map();
      let next = entry.children.get(step);
      if (next === undefined) {
        next = { origin: undefined, children: undefined };
        entry.children.set(step, next);
      }
      entry = next;
    }
    entry.origin = origin;
  }

  /** The origin of the longest part of `path` that has one. */
  find(path: Path): Origin | undefined {
    let entry: Entry | undefined = this.#root;
    let found = entry.origin;
    for (const step of path) {
      entry = entry.children?.get(step);
      if (entry === undefined) break;
      found = entry.origin ?? found;
    }
    return found;
  }

  /** The origin noted for exactly this path. */
  own(path: Path): Origin | undefined {
    return this.#entry(path)?.origin;
  }

  /** Takes over all that `from` knows below `fromPath`, as what is below `path`; nothing may be set there afterwards. */
  graft(path: Path, from: OriginTree, fromPath: Path): void {
    const entry = from.#entry(fromPath);
    if (entry === undefined) return;
    const last = path.at(-1);
    if (last === undefined) {
      this.#root.origin = entry.origin;
      this.#root.children = entry.children;
      return;
    }
    let parent = this.#root;
    for (const step of path.slice(0, -1)) {
      parent.children ??= new Map();
      let next = parent.children.get(step);
      if (next === undefined) parent.children.set(step, (next = { origin: undefined, children: undefined }));
      parent = next;
    }
    parent.children ??= new Map();
    parent.children.set(last, entry);
  }

  /** The origins of `path` itself and of what is in it. */
  within(path: Path): readonly Origin[] {
    const found: Origin[] = [];
    const collect = ({ origin, children }: Entry): void => {
      if (origin !== undefined) found.push(origin);
      for (const child of children?.values() ?? []) collect(child);
    };
    const entry = this.#entry(path);
    if (entry !== undefined) collect(entry);
    return found;
  }

  #entry(path: Path): Entry | undefined {
    let entry: Entry | undefined = this.#root;
    for (const step of path) entry = entry?.children?.get(step);
    return entry;
  }
}

/** All origins of what one proxy is sent: its own, and those of parts that were made before. */
export class OriginTable implements Origins {
  readonly #trees = new Map<string, OriginTree>();
  readonly #parts: OriginTable[] = [];

  set(type: XdsType, resource: string, path: Path, origin: Origin): void {
    const key = `${type} ${resource}`;
    let tree = this.#trees.get(key);
    if (tree === undefined) this.#trees.set(key, (tree = new OriginTree()));
    tree.set(path, origin);
  }

  /** Takes over a tree that others use too; nothing may be set in it afterwards. */
  share(type: XdsType, resource: string, tree: OriginTree): void {
    this.#trees.set(`${type} ${resource}`, tree);
  }

  /** Takes over all of a table that others use too; nothing may be set in it afterwards. */
  include(part: OriginTable): void {
    this.#parts.push(part);
  }

  /** What is known of one resource. */
  tree(type: XdsType, resource: string): OriginTree | undefined {
    const own = this.#trees.get(`${type} ${resource}`);
    if (own !== undefined) return own;
    for (const part of this.#parts) {
      const tree = part.tree(type, resource);
      if (tree !== undefined) return tree;
    }
    return undefined;
  }

  find(type: XdsType, resource: string, path: Path): Origin | undefined {
    const tree = this.#trees.get(`${type} ${resource}`);
    if (tree !== undefined) return tree.find(path);
    for (const part of this.#parts) {
      const origin = part.find(type, resource, path);
      if (origin !== undefined) return origin;
    }
    return undefined;
  }

  within(type: XdsType, resource: string, path: Path): readonly Origin[] {
    return this.tree(type, resource)?.within(path) ?? [];
  }
}
