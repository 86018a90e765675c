import type { Clock } from '../../deps.ts';
import { systemDeps } from '../../process/deps.ts';

/** Time that passes when it is told to, from now on. */
export class ManualClock implements Clock {
  readonly #begun = systemDeps().clock.wall();
  #now = 0;
  #timers: { at: number; fn: () => void }[] = [];
  now = (): number => this.#now;
  wall = (): number => this.#begun + this.#now;
  after = (ms: number, fn: () => void): { cancel: () => void } => {
    const timer = { at: this.#now + ms, fn };
    this.#timers.push(timer);
    return { cancel: () => (this.#timers = this.#timers.filter((one) => one !== timer)) };
  };
  /** Timers that have not fired. */
  get waiting(): number {
    return this.#timers.length;
  }
  advance(ms: number): void {
    this.#now += ms;
    const due = this.#timers.filter((timer) => timer.at <= this.#now);
    this.#timers = this.#timers.filter((timer) => timer.at > this.#now);
    for (const timer of due) timer.fn();
  }
}
