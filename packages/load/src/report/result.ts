import type { Histogram } from 'hdr-histogram-js';
import type { Ending } from '../engine/run.ts';
import type { Mode } from '../modes.ts';
import type { Arrivals } from '../stats/tally.ts';
import type { Verdict } from '../thresholds.ts';

/** What a run came to; `mizzen load -o json`, docs/reference/schemas/load.schema.json. Times are milliseconds. */
export interface Result {
  readonly mode: Mode;
  /** Empty when every scenario has its own. */
  readonly target: string;
  /** Workload that sent it; empty for this command itself. */
  readonly from: string;
  /** RFC 3339. */
  readonly startedAt: string;
  /** Seconds, from the first arrival to the last answer. */
  readonly seconds: number;
  readonly ending: Ending;
  readonly arrival: 'constant' | 'poisson';
  readonly rate: number;
  readonly peak: number;
  readonly seed: number;
  readonly arrivals: Readonly<Arrivals>;
  readonly requests: Requests;
  readonly steps: readonly StepResult[];
  readonly series: { readonly everySeconds: number; readonly points: readonly Point[] };
  readonly thresholds: readonly Verdict[];
  readonly drift: Drift | null;
  readonly stress: Stress | null;
  /** All latencies: a compressed HdrHistogram (V2, base64) of microseconds. */
  readonly histogram: string;
  readonly ok: boolean;
}

export interface Requests {
  readonly sent: number;
  readonly ended: number;
  readonly answered: number;
  readonly errors: number;
  readonly aborted: number;
  readonly cancelled: number;
  readonly perSecond: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly statuses: Readonly<Record<string, number>>;
  readonly causes: Readonly<Record<string, number>>;
  readonly latency: Latency | null;
}

export interface StepResult extends Requests {
  readonly scenario: string;
  readonly step: string;
  readonly protocol: string;
}

export interface Latency {
  readonly min: number;
  readonly mean: number;
  readonly stdDev: number;
  readonly p50: number;
  readonly p75: number;
  readonly p90: number;
  readonly p95: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

export interface Point {
  /** Seconds from the start. */
  readonly at: number;
  /** Arrivals that were due. */
  readonly due: number;
  readonly sent: number;
  readonly ended: number;
  readonly errors: number;
  readonly dropped: number;
  readonly inFlight: number;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
}

/** Whether a long run ends as it began. */
export interface Drift {
  readonly steady: boolean;
  readonly measures: readonly {
    readonly name: 'p50' | 'p99' | 'errors';
    /** Median of the first and of the last fifth. Milliseconds; for errors a fraction. */
    readonly first: number;
    readonly last: number;
    /** Median slope (Theil-Sen), an hour. */
    readonly perHour: number;
    readonly drifting: boolean;
  }[];
}

export interface Stress {
  /** The highest rate at which every threshold held for a whole step; 0 for none. */
  readonly held: number;
  /** The rate at which one broke; null when none did. */
  readonly broke: number | null;
  readonly steps: readonly { readonly rate: number; readonly thresholds: readonly Verdict[] }[];
}

/** A step by the names of its scenario and its own; of a plain URL both are the same. */
export function stepLabel({ scenario, step }: Pick<StepResult, 'scenario' | 'step'>): string {
  return scenario === step ? step : `${scenario}/${step}`;
}

export function latencyOf(histogram: Histogram): Latency | null {
  if (histogram.totalCount === 0) return null;
  const at = (percent: number): number => Math.min(histogram.getValueAtPercentile(percent), histogram.maxValue) / 1000;
  return {
    min: histogram.minNonZeroValue / 1000,
    mean: histogram.mean / 1000,
    stdDev: histogram.stdDeviation / 1000,
    p50: at(50),
    p75: at(75),
    p90: at(90),
    p95: at(95),
    p99: at(99),
    p999: at(99.9),
    max: histogram.maxValue / 1000,
  };
}
