import type { Ref } from '@mizzen/diagnostics';
import type { ReadResult } from '@mizzen/sources';
import { refName } from '../control/names.ts';

/** Changes of several readings as one: against the first, where the last one got. */
export class Changes {
  readonly #added = new Map<string, Ref>();
  readonly #modified = new Map<string, Ref>();
  readonly #removed = new Map<string, Ref>();
  mesh = false;

  add({ changed, meshConfig }: ReadResult): void {
    for (const ref of changed.added) {
      const name = refName(ref);
      if (this.#removed.delete(name)) this.#modified.set(name, ref);
      else this.#added.set(name, ref);
    }
    for (const ref of changed.modified) {
      const name = refName(ref);
      if (!this.#added.has(name)) this.#modified.set(name, ref);
    }
    for (const ref of changed.removed) {
      const name = refName(ref);
      this.#modified.delete(name);
      if (!this.#added.delete(name)) this.#removed.set(name, ref);
    }
    this.mesh ||= meshConfig?.changed === true;
  }

  get changed(): ReadResult['changed'] {
    return {
      added: [...this.#added.values()],
      modified: [...this.#modified.values()],
      removed: [...this.#removed.values()],
    };
  }
}
