/**
 * Weighted fair choice by earliest deadline, as Envoy schedules hosts: whoever is picked comes back 1/weight later, and
 * among equals the one that waited longest goes first. A binary heap, changed in place.
 */
export class EdfScheduler<T> {
  readonly #items: T[] = [];
  readonly #deadlines: number[] = [];
  readonly #orders: number[] = [];
  #order = 0;
  #now = 0;

  get size(): number {
    return this.#items.length;
  }

  /** `weight` must be positive. */
  add(item: T, weight: number): void {
    this.#items.push(item);
    this.#deadlines.push(this.#now + 1 / weight);
    this.#orders.push(this.#order++);
    this.#up(this.#items.length - 1);
  }

  /** The next item, which goes back with the weight it has now. Undefined when empty. */
  pick(weight: (item: T) => number): T | undefined {
    const item = this.#items[0];
    if (item === undefined) return undefined;
    this.#now = this.#deadlines[0]!;
    this.#deadlines[0] = this.#now + 1 / weight(item);
    this.#orders[0] = this.#order++;
    this.#down(0);
    return item;
  }

  #before(a: number, b: number): boolean {
    const difference = this.#deadlines[a]! - this.#deadlines[b]!;
    return difference < 0 || (difference === 0 && this.#orders[a]! < this.#orders[b]!);
  }

  #up(at: number): void {
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#before(at, parent)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #down(at: number): void {
    for (;;) {
      const left = 2 * at + 1;
      if (left >= this.#items.length) return;
      const child = left + 1 < this.#items.length && this.#before(left + 1, left) ? left + 1 : left;
      if (!this.#before(child, at)) return;
      this.#swap(at, child);
      at = child;
    }
  }

  #swap(a: number, b: number): void {
    for (const array of [this.#deadlines, this.#orders]) [array[a], array[b]] = [array[b]!, array[a]!];
    [this.#items[a], this.#items[b]] = [this.#items[b]!, this.#items[a]!];
  }
}
