import type { Clock } from '../clock.ts';

/** A bucket of permissions that fills up at a steady rate. */
export class Rate {
  readonly #clock: Clock;
  readonly #burst: number;
  readonly #perMillisecond: number;
  #left: number;
  #at: number;

  constructor(clock: Clock, burst: number, perSecond: number) {
    this.#clock = clock;
    this.#burst = burst;
    this.#perMillisecond = perSecond / 1000;
    this.#left = burst;
    this.#at = clock.now();
  }

  /** Takes one. Returns the milliseconds until there is another: 0 while the bucket is not empty. */
  take(): number {
    const now = this.#clock.now();
    this.#left = Math.min(this.#burst, this.#left + (now - this.#at) * this.#perMillisecond) - 1;
    this.#at = now;
    return this.#left >= 1 ? 0 : Math.ceil((1 - this.#left) / this.#perMillisecond);
  }
}
