import type { Histogram } from 'hdr-histogram-js';
import type { Outcome } from '../client/types.ts';
import type { Count, Measured } from '../thresholds.ts';
import { histogram, micros, percentile } from './histogram.ts';

/** Counts of requests, and how long they took. */
export class Tally {
  /** Written to a connection, whatever came of it. */
  sent = 0;
  /** Came to an end: answered, failed or aborted. */
  ended = 0;
  answered = 0;
  /** No answer, or not the one expected. */
  errors = 0;
  aborted = 0;
  /** Under way when the run was stopped. */
  cancelled = 0;
  bytesIn = 0;
  bytesOut = 0;
  readonly statuses = new Map<string, number>();
  readonly causes = new Map<string, number>();
  /** Of requests that were answered, from when they were due. */
  readonly latency: Histogram = histogram();

  record(outcome: Outcome, latencyMs: number, failures: readonly string[]): void {
    if (outcome.sent) this.sent++;
    this.bytesIn += outcome.bytesIn;
    this.bytesOut += outcome.bytesOut;
    if (outcome.error === 'cancelled') {
      this.cancelled++;
      return;
    }
    this.ended++;
    if (outcome.aborted) {
      this.aborted++;
      return;
    }
    if (outcome.answer !== undefined) {
      this.answered++;
      add(this.statuses, outcome.answer.status);
      this.latency.recordValue(micros(latencyMs));
    }
    const causes = outcome.error === undefined ? failures : [outcome.error];
    if (causes.length > 0) this.errors++;
    for (const cause of causes) add(this.causes, cause);
  }

  add(other: Tally): void {
    this.sent += other.sent;
    this.ended += other.ended;
    this.answered += other.answered;
    this.errors += other.errors;
    this.aborted += other.aborted;
    this.cancelled += other.cancelled;
    this.bytesIn += other.bytesIn;
    this.bytesOut += other.bytesOut;
    for (const [status, count] of other.statuses) add(this.statuses, status, count);
    for (const [cause, count] of other.causes) add(this.causes, cause, count);
    this.latency.add(other.latency);
  }
}

export function add(to: Map<string, number>, key: string, count = 1): void {
  to.set(key, (to.get(key) ?? 0) + count);
}

/** Arrivals of scenarios, as opposed to requests of their steps. */
export interface Arrivals {
  /** That should have been. */
  due: number;
  started: number;
  /** Finished all their steps. */
  completed: number;
  /** Began more than 10 ms after they were due. */
  late: number;
  /** Never began, because too many were under way or waiting. */
  dropped: number;
}

export function measured(tally: Tally, arrivals: Arrivals, seconds: number): Measured {
  const counts: Readonly<Record<Count, () => number>> = {
    requests: () => tally.ended,
    errors: () => tally.errors,
    aborted: () => tally.aborted,
    dropped: () => arrivals.dropped,
    late: () => arrivals.late,
  };
  const { latency } = tally;
  return {
    requests: tally.ended,
    perSecond: seconds > 0 ? tally.ended / seconds : 0,
    count: (name) => counts[name](),
    whole: (name) => (name === 'dropped' || name === 'late' ? arrivals.due : tally.ended),
    status(wanted) {
      let count = 0;
      for (const [status, times] of tally.statuses) {
        if (status === wanted || (wanted.endsWith('xx') && status[0] === wanted[0])) count += times;
      }
      return count;
    },
    percentile: (percent) => percentile(latency, percent),
    latency(name) {
      if (latency.totalCount === 0) return undefined;
      if (name === 'mean') return latency.mean / 1000;
      return (name === 'max' ? latency.maxValue : latency.minNonZeroValue) / 1000;
    },
  };
}
