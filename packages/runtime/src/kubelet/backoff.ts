import type { Clock } from './clock.ts';

/** How long to wait before a restart. Delays double from `initialMs` up to `maxMs`; a long enough run resets them. */
export interface BackOffOptions {
  /** The first restart waits for nothing. */
  readonly firstAtOnce: boolean;
  readonly initialMs: number;
  readonly maxMs: number;
  readonly resetMs: number;
}

/** Kubernetes' for containers: the first restart at once, then 10 s, 20 s, ... 5 minutes; reset after 10 minutes. */
export const CRASH_LOOP: BackOffOptions = { firstAtOnce: true, initialMs: 10_000, maxMs: 300_000, resetMs: 600_000 };

/** For Mizzen's own processes, on which everything depends. */
export const OWN_PROCESS: BackOffOptions = { firstAtOnce: true, initialMs: 100, maxMs: 5_000, resetMs: 10_000 };

export class BackOff {
  readonly #clock: Clock;
  readonly #options: BackOffOptions;
  #failures = 0;
  #startedAt: number;

  constructor(clock: Clock, options: BackOffOptions) {
    this.#clock = clock;
    this.#options = options;
    this.#startedAt = clock.now();
  }

  started(): void {
    this.#startedAt = this.#clock.now();
  }

  /** Milliseconds to wait after the run that has just ended. */
  next(): number {
    const { firstAtOnce, initialMs, maxMs, resetMs } = this.#options;
    if (this.#clock.now() - this.#startedAt >= resetMs) this.#failures = 0;
    const n = this.#failures++ - (firstAtOnce ? 1 : 0);
    return n < 0 ? 0 : Math.min(maxMs, initialMs * 2 ** n);
  }
}
