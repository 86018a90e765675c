import type { HistogramView } from '../../admin/histograms.ts';
import type { Clock } from '../../deps.ts';
import type { Histograms, Values } from '../collect.ts';
import { RecordFeed } from './records.ts';
import type { StatsSink, StatsSnapshot } from './types.ts';
import { UsedStats } from './used.ts';

/** Where a feed has statistics from. */
export interface FeedSource {
  readonly clock: Clock;
  readonly accepts: (name: string) => boolean;
  readonly isGauge: (name: string) => boolean;
  /** What has been counted since the start, whatever was reset in between. */
  readonly raw: () => Values;
  /** What is shown. */
  readonly values: () => ReadonlyMap<string, number | bigint>;
  readonly histograms: () => Histograms;
  readonly views: () => readonly HistogramView[];
}

/** Gives sinks what is new, each time they are flushed. */
export class StatsFeed {
  readonly #sinks: readonly StatsSink[];
  readonly #from: FeedSource;
  readonly #used = new UsedStats();
  readonly #records: RecordFeed | undefined;
  /** What counters were at the last flush. */
  #before: ReadonlyMap<string, number | bigint> = new Map();

  constructor(sinks: readonly StatsSink[], from: FeedSource) {
    this.#sinks = sinks;
    this.#from = from;
    const recorders = sinks.flatMap((sink) => (sink.record === undefined ? [] : [sink.record.bind(sink)]));
    if (recorders.length === 0) return;
    this.#records = new RecordFeed(from.clock, from.histograms, (name, value, scale) => {
      if (from.accepts(name)) for (const record of recorders) record(name, value, scale);
    });
  }

  flush(): void {
    this.#records?.drain();
    const snapshot = this.#snapshot();
    for (const sink of this.#sinks) sink.flush(snapshot);
  }

  async close(): Promise<void> {
    this.#records?.close();
    await Promise.all(this.#sinks.map((sink) => sink.close()));
  }

  #snapshot(): StatsSnapshot {
    const values = this.#from.values();
    const now = new Map<string, number | bigint>([...values, ...this.#from.raw()]);
    const counters: { name: string; value: number; delta: number }[] = [];
    const gauges: { name: string; value: number | bigint }[] = [];
    for (const [name, value] of values) {
      const counted = now.get(name)!;
      if (!this.#used.used(name, counted, now)) continue;
      if (this.#from.isGauge(name)) {
        gauges.push({ name, value });
        continue;
      }
      const before = Number(this.#before.get(name) ?? 0);
      // What began anew counts from there.
      const delta = Number(counted) < before ? Number(counted) : Number(counted) - before;
      counters.push({ name, value: Number(value), delta });
    }
    this.#before = now;
    const histograms = this.#from.views().filter(({ total }) => total.count > 0);
    return { wall: this.#from.clock.wall(), counters, gauges, histograms };
  }
}
