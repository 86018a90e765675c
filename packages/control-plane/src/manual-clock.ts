import type { Clock, Timer } from './clock.ts';

/** A clock that moves when it is told to. For tests. */
export class ManualClock implements Clock {
  #time = Date.UTC(2026, 0, 1);
  readonly #timers = new Set<{ at: number; fn: () => void }>();

  wall(): number {
    return this.#time;
  }
  now(): number {
    return this.#time;
  }
  after(ms: number, fn: () => void): Timer {
    const timer = { at: this.#time + ms, fn };
    this.#timers.add(timer);
    return { cancel: () => this.#timers.delete(timer) };
  }
  get pending(): number {
    return this.#timers.size;
  }

  advance(ms: number): void {
    const end = this.#time + ms;
    for (;;) {
      const next = [...this.#timers].filter((timer) => timer.at <= end).toSorted((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#time = Math.max(this.#time, next.at);
      next.fn();
    }
    this.#time = end;
  }
}
