import type { Clock } from '../../deps.ts';

interface Sample {
  readonly at: number;
  requests: number;
  successes: number;
}

/** Milliseconds for which answers are one sample. */
const SAMPLE = 1000;

/** How many requests were answered of late, and how many of them well. */
export class SamplingWindow {
  readonly #clock: Clock;
  readonly #length: number;
  /** Oldest first. */
  readonly #samples: Sample[] = [];
  requests = 0;
  successes = 0;

  /** `length`: milliseconds. */
  constructor(length: number, clock: Clock) {
    this.#clock = clock;
    this.#length = length;
  }

  record(success: boolean): void {
    this.update();
    const newest = this.#samples.at(-1)!;
    newest.requests++;
    this.requests++;
    if (!success) return;
    newest.successes++;
    this.successes++;
  }

  /** Whole requests a second, over at least one. */
  get averageRps(): number {
    const [oldest] = this.#samples;
    if (oldest === undefined || this.requests === 0) return 0;
    return Math.trunc(this.requests / Math.max(1, Math.trunc((this.#clock.now() - oldest.at) / 1000)));
  }

  /** Forgets what is too old, and begins a sample when it is time. */
  update(): void {
    const now = this.#clock.now();
    let [oldest] = this.#samples;
    while (oldest !== undefined && now - oldest.at >= this.#length) {
      this.#samples.shift();
      this.requests -= oldest.requests;
      this.successes -= oldest.successes;
      [oldest] = this.#samples;
    }
    const newest = this.#samples.at(-1);
    if (newest === undefined || now - newest.at >= SAMPLE) this.#samples.push({ at: now, requests: 0, successes: 0 });
  }
}
