import type { Clock } from '../../deps.ts';
import { observeRecords, type Histogram } from '../histogram.ts';
import type { Histograms } from '../collect.ts';

/** Milliseconds until values are handed on. */
const DELAY = 20;

/** Single values of histograms, handed on soon after they are recorded, under the names of their histograms. */
export class RecordFeed {
  readonly #clock: Clock;
  readonly #histograms: () => Histograms;
  readonly #each: (name: string, value: number, scale: number) => void;
  #waiting: { readonly histogram: Histogram; readonly value: number }[] = [];
  #names = new Map<Histogram, readonly string[]>();

  constructor(clock: Clock, histograms: () => Histograms, each: (name: string, value: number, scale: number) => void) {
    this.#clock = clock;
    this.#histograms = histograms;
    this.#each = each;
    observeRecords((histogram, value) => this.#record(histogram, value));
  }

  #record(histogram: Histogram, value: number): void {
    if (this.#waiting.length === 0) this.#clock.after(DELAY, () => this.drain());
    this.#waiting.push({ histogram, value });
  }

  /** Hands on what waits. */
  drain(): void {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    this.#waiting = [];
    if (waiting.some(({ histogram }) => !this.#names.has(histogram))) this.#learn(waiting);
    for (const { histogram, value } of waiting)
      for (const name of this.#names.get(histogram)!) this.#each(name, value, histogram.scale);
  }

  close(): void {
    observeRecords(undefined);
    this.drain();
  }

  #learn(waiting: readonly { readonly histogram: Histogram }[]): void {
    const names = new Map<Histogram, string[]>();
    for (const [name, parts] of this.#histograms())
      for (const part of parts) {
        const known = names.get(part);
        if (known === undefined) names.set(part, [name]);
        else known.push(name);
      }
    // What belongs to nobody, or to nobody any more, has no name to be sent under.
    for (const { histogram } of waiting) if (!names.has(histogram)) names.set(histogram, []);
    this.#names = names;
  }
}
