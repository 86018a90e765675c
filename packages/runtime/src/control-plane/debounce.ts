import type { Clock, Timer } from '@mizzen/control-plane';

export interface DebounceOptions {
  readonly clock: Clock;
  /** A burst is over when nothing came for so many milliseconds. */
  readonly quiet: number;
  /** While a burst lasts, it is acted upon this often all the same. */
  readonly longest: number;
}

/** Acts upon a lone event at once, and upon the rest of a burst together, as istiod does (PILOT_DEBOUNCE_AFTER, _MAX). */
export class Debounce {
  readonly #options: DebounceOptions;
  readonly #act: () => void;
  #lastEvent = -Infinity;
  #waitingSince = 0;
  #timer: Timer | undefined;

  constructor(options: DebounceOptions, act: () => void) {
    this.#options = options;
    this.#act = act;
  }

  trigger(): void {
    const { clock, quiet, longest } = this.#options;
    const now = clock.now();
    const lone = this.#timer === undefined && now - this.#lastEvent >= quiet;
    this.#lastEvent = now;
    if (lone) return this.#act();
    if (this.#timer === undefined) this.#waitingSince = now;
    this.#timer?.cancel();
    const left = this.#waitingSince + longest - now;
    this.#timer = clock.after(Math.max(0, Math.min(quiet, left)), () => {
      this.#timer = undefined;
      this.#act();
    });
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
