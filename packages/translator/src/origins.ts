import type { Path } from '@mizzen/diagnostics';
import type { Origin, Origins, XdsType } from './types.ts';

interface Entry {
  origin: Origin | undefined;
  children: Map<string | number, Entry> | undefined;
}

/** A tree per resource. Parts that several nodes share are written once and mounted with `share`. */
export class OriginTable implements Origins {
  readonly #resources = new Map<string, Entry>();

  set(type: XdsType, resource: string, path: Path, origin: Origin): void {
    const key = `${type} ${resource}`;
    let entry = this.#resources.get(key);
    if (entry === undefined) {
      entry = { origin: undefined, children: undefined };
      this.#resources.set(key, entry);
    }
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

  find(type: XdsType, resource: string, path: Path): Origin | undefined {
    let entry = this.#resources.get(`${type} ${resource}`);
    let found = entry?.origin;
    for (const step of path) {
      entry = entry?.children?.get(step);
      if (entry === undefined) break;
      found = entry.origin ?? found;
    }
    return found;
  }
}

/** Origins noted while a resource is built, before its name or its place in a larger resource is known. */
export type Notes = readonly { readonly path: Path; readonly origin: Origin }[];

/** Writes `notes` under `path` of a resource. */
export function writeNotes(origins: Origins, type: XdsType, resource: string, path: Path, notes: Notes): void {
  for (const note of notes) origins.set(type, resource, path.length === 0 ? note.path : [...path, ...note.path], note.origin);
}
