import type { Clock, Timer } from '../deps.ts';

/**
 * A deadline that moves often and is reached seldom: moving it is an assignment, and the one timer behind it looks
 * again when it fires. Times are `Clock.now()` milliseconds.
 */
export class Deadline {
  #at = 0;
  #timer: Timer | undefined;
  #timerAt = 0;
  readonly #clock: Clock;
  readonly #reached: () => void;

  constructor(clock: Clock, reached: () => void) {
    this.#clock = clock;
    this.#reached = reached;
  }

  get pending(): boolean {
    return this.#at !== 0;
  }

  /** It has been reached, and has not called back yet. */
  get due(): boolean {
    return this.#at !== 0 && this.#clock.now() >= this.#at;
  }

  /** Calls back once at `at`, unless moved or cleared before. */
  set(at: number): void {
    this.#at = at;
    if (this.#timer !== undefined) {
      if (this.#timerAt <= at) return;
      this.#timer.cancel();
    }
    this.#arm(at);
  }

  /** The timer behind stays and finds nothing to do. */
  clear(): void {
    this.#at = 0;
  }

  /** Lets go of the timer too: for the end of whatever owns this. */
  stop(): void {
    this.#at = 0;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #arm(at: number): void {
    this.#timerAt = at;
    this.#timer = this.#clock.after(Math.max(1, at - this.#clock.now()), this.#fired);
  }

  readonly #fired = (): void => {
    this.#timer = undefined;
    if (this.#at === 0) return;
    if (this.#clock.now() < this.#at) {
      this.#arm(this.#at);
      return;
    }
    this.#at = 0;
    this.#reached();
  };
}
