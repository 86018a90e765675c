import { type Resource, writtenAt } from '@mizzen/api';
import type { Path } from '@mizzen/diagnostics';
import type { Origin, Origins } from '../types.ts';

/**
 * Which objects of a listener under construction came from which resource. Builders mark what they make without knowing
 * where it will end up; the paths are found by walking the finished listener.
 */
export class Marks {
  readonly #origins = new WeakMap<object, Origin>();
  /** Subtrees known to hold no mark; most of a listener is shared between its filter chains. */
  readonly #bare = new WeakSet<object>();

  mark<T extends object>(object: T, resource: Resource, path: Path): T {
    this.#origins.set(object, writtenAt(resource, path));
    return object;
  }

  write(origins: Origins, name: string, listener: object): void {
    this.#walk(origins, name, listener, []);
  }

  #walk(origins: Origins, name: string, value: object, path: Path): boolean {
    if (this.#bare.has(value)) return false;
    const origin = this.#origins.get(value);
    let found = origin !== undefined;
    if (origin !== undefined) origins.set('listener', name, path, origin);
    const entries: Iterable<[string | number, unknown]> = Array.isArray(value)
      ? value.entries()
      : Object.entries(value);
    for (const [key, child] of entries) {
      if (typeof child === 'object' && child !== null)
        found = this.#walk(origins, name, child, [...path, key]) || found;
    }
    if (!found) this.#bare.add(value);
    return found;
  }
}
