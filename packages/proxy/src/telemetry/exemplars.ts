/** A value that was recorded, and the trace that it belongs to. */
export interface Exemplar {
  readonly value: number;
  readonly traceId: string;
  readonly spanId: string;
  /** Milliseconds since the epoch. */
  readonly wall: number;
}

/** The newest traced values of a histogram, one of each power of two. */
export class Exemplars {
  readonly #newest = new Map<number, Exemplar>();

  add(exemplar: Exemplar): void {
    this.#newest.set(exemplar.value < 1 ? 0 : 1 + Math.floor(Math.log2(exemplar.value)), exemplar);
  }

  /** The newest above one bound and not above the other. */
  between(above: number, upTo: number): Exemplar | undefined {
    let found: Exemplar | undefined;
    for (const each of this.#newest.values())
      if (each.value > above && each.value <= upTo && (found === undefined || each.wall > found.wall)) found = each;
    return found;
  }
}
