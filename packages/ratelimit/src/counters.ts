/** Counts hits in windows. */
export interface WindowCounters {
  /** Adds to each of the windows and gives what they then hold; `seconds` is how long each is needed. */
  add(windows: readonly Window[]): Promise<readonly number[]>;
  close(): Promise<void>;
}
export interface Window {
  readonly key: string;
  readonly hits: number;
  readonly seconds: number;
}

/** Windows kept before those that are over are looked for. */
const SWEEP = 10_000;

/** In this process. `now` gives seconds since the epoch. */
export class MemoryCounters implements WindowCounters {
  readonly #now: () => number;
  readonly #windows = new Map<string, { hits: number; readonly until: number }>();
  #sweepAt = SWEEP;

  constructor(now: () => number) {
    this.#now = now;
  }

  add(windows: readonly Window[]): Promise<readonly number[]> {
    const now = this.#now();
    if (this.#windows.size >= this.#sweepAt) {
      for (const [key, { until }] of this.#windows) if (until <= now) this.#windows.delete(key);
      this.#sweepAt = Math.max(SWEEP, this.#windows.size * 2);
    }
    return Promise.resolve(
      windows.map(({ key, hits, seconds }) => {
        const window = this.#windows.get(key);
        if (window === undefined) {
          this.#windows.set(key, { hits, until: now + seconds });
          return hits;
        }
        return (window.hits += hits);
      }),
    );
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
