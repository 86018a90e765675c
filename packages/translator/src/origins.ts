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

  find(type: XdsType, resource: string, path: Path): Origin | undefined {
    const tree = this.#trees.get(`${type} ${resource}`);
    if (tree !== undefined) return tree.find(path);
    for (const part of this.#parts) {
      const origin = part.find(type, resource, path);
      if (origin !== undefined) return origin;
    }
    return undefined;
  }
}
