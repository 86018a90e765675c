import type { Histogram } from 'hdr-histogram-js';
import { smallHistogram, micros } from './histogram.ts';

const MOST_POINTS = 300;

/** What happened in one stretch of time. */
export interface Interval {
  /** Seconds from the start. */
  readonly at: number;
  due: number;
  sent: number;
  ended: number;
  errors: number;
  dropped: number;
  /** The most requests under way at once. */
  inFlight: number;
  readonly latency: Histogram;
}

/** The run in stretches of a second, or longer ones where there would be too many. */
export class Series {
  /** Length of a stretch in seconds. */
  readonly every: number;
  readonly #intervals: Interval[] = [];

  constructor(seconds: number) {
    this.every = Math.max(1, Math.ceil(seconds / MOST_POINTS));
  }

  get intervals(): readonly Interval[] {
    return this.#intervals;
  }

  /** The stretch that a time (milliseconds from the start) falls into. */
  at(ms: number): Interval {
    const index = Math.max(0, Math.floor(ms / 1000 / this.every));
    while (this.#intervals.length <= index) {
      const at = this.#intervals.length * this.every;
      this.#intervals.push({
        at,
        due: 0,
        sent: 0,
        ended: 0,
        errors: 0,
        dropped: 0,
        inFlight: 0,
        latency: smallHistogram(),
      });
    }
    return this.#intervals[index]!;
  }

  latency(atMs: number, ms: number): void {
    this.at(atMs).latency.recordValue(micros(ms));
  }
}
