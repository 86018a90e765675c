import type { Clock } from '../deps.ts';

const PARTS = 10;

/** How many requests began within an interval, in tenths of it: the oldest tenth goes as a whole, as in Envoy. */
export class RequestWindow {
  readonly #clock: Clock;
  readonly #width: number;
  readonly #counts = new Uint32Array(PARTS);
  /** Tenths since the clock began. */
  #at = 0;

  /** `interval`: milliseconds. */
  constructor(interval: number, clock: Clock) {
    this.#clock = clock;
    this.#width = interval / PARTS;
  }

  add(): void {
    this.#advance();
    this.#counts[this.#at % PARTS]!++;
  }

  get count(): number {
    this.#advance();
    return this.#counts.reduce((sum, each) => sum + each, 0);
  }

  #advance(): void {
    const now = Math.trunc(this.#clock.now() / this.#width);
    const passed = now - this.#at;
    for (let i = 1; i <= Math.min(passed, PARTS); i++) this.#counts[(this.#at + i) % PARTS] = 0;
    this.#at = now;
  }
}
