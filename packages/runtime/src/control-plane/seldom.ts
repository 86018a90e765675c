import type { Clock } from '@mizzen/control-plane';

/** So many at once, and per second after that. A hundred proxies that come back at once are all told of. */
const [BURST, PER_SECOND] = [500, 5];

/** Tells what clients cause, and only counts it where they cause too much: none of them fills a log. */
export class Seldom<T> {
  readonly #clock: Clock;
  readonly #tell: (what: T) => void;
  readonly #left: (count: number) => void;
  #allowed = BURST;
  #at: number;
  #untold = 0;

  /** `left`: so many were left out before what is told next. */
  constructor(clock: Clock, tell: (what: T) => void, left: (count: number) => void) {
    this.#clock = clock;
    this.#at = clock.now();
    this.#tell = tell;
    this.#left = left;
  }

  tell(what: T): void {
    const now = this.#clock.now();
    this.#allowed = Math.min(BURST, this.#allowed + ((now - this.#at) / 1000) * PER_SECOND);
    this.#at = now;
    if (this.#allowed < 1) {
      this.#untold += 1;
      return;
    }
    this.#allowed -= 1;
    if (this.#untold > 0) this.#left(this.#untold);
    this.#untold = 0;
    this.#tell(what);
  }
}
