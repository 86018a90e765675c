import type { Counter } from '../program/types.ts';

/** Counters by full name, for what has no fixed set of them. The same name gives the same object. */
export class Counters {
  readonly #counters = new Map<string, Counter>();

  get(name: string): Counter {
    let counter = this.#counters.get(name);
    if (counter === undefined) this.#counters.set(name, (counter = { value: 0 }));
    return counter;
  }

  all(): Iterable<readonly [string, Counter]> {
    return this.#counters;
  }
}
