import { encodeIntoCompressedBase64 } from 'hdr-histogram-js';
import type { Run } from '../engine/run.ts';
import { percentile } from '../stats/histogram.ts';
import type { Interval } from '../stats/series.ts';
import { measured, Tally } from '../stats/tally.ts';
import { judge, type Threshold, type Verdict } from '../thresholds.ts';
import { driftOf } from './drift.ts';
import { latencyOf, type Point, type Requests, type Result, type Stress } from './result.ts';

export interface Context {
  readonly startedAt: Date;
  readonly from: string;
  readonly rate: number;
  readonly peak: number;
  readonly seed: number;
  readonly thresholds: readonly Threshold[];
  readonly stress: Stress | null;
}

/** The result of a run that has ended. */
export function summarize(run: Run, context: Context): Result {
  const { options, series } = run;
  const seconds = run.elapsed / 1000;
  const points = series.intervals.map(pointOf);
  const thresholds = context.thresholds.map((threshold) => verdict(run, threshold));
  const drift = options.mode === 'soak' ? driftOf(series) : null;
  return {
    mode: options.mode,
    target: options.target ?? '',
    from: context.from,
    startedAt: context.startedAt.toISOString(),
    seconds,
    ending: run.ending,
    arrival: options.arrival,
    rate: context.rate,
    peak: context.peak,
    seed: context.seed,
    arrivals: { ...run.arrivals },
    requests: requestsOf(run.total, seconds),
    steps: run.steps.map(({ scenario, step, tally }) => ({
      scenario: scenario.name,
      step: step.name,
      protocol: scenario.protocol,
      ...requestsOf(tally, seconds),
    })),
    series: { everySeconds: series.every, points },
    thresholds,
    drift,
    stress: context.stress,
    histogram: encodeIntoCompressedBase64(run.total.latency),
    // Limits of its own a stress run is there to find; those that were asked for it has broken.
    ok: thresholds.every(({ ok }) => ok) && (thresholds.length === 0 || (context.stress?.broke ?? null) === null),
  };
}

/** A threshold of the whole run, or of the steps it names. */
export function verdict(run: Run, threshold: Threshold): Verdict {
  const seconds = run.elapsed / 1000;
  if (threshold.of === '') return judge(threshold, measured(run.total, run.arrivals, seconds));
  const named = run.steps.filter(
    ({ scenario, step }) => scenario.name === threshold.of || `${scenario.name}/${step.name}` === threshold.of,
  );
  if (named.length === 0) return judge(threshold, undefined);
  const together = new Tally();
  for (const { tally } of named) together.add(tally);
  return judge(threshold, measured(together, run.arrivals, seconds));
}

function requestsOf(tally: Tally, seconds: number): Requests {
  const { sent, ended, answered, errors, aborted, cancelled, bytesIn, bytesOut } = tally;
  return {
    sent,
    ended,
    answered,
    errors,
    aborted,
    cancelled,
    perSecond: seconds > 0 ? ended / seconds : 0,
    bytesIn,
    bytesOut,
    statuses: sorted(tally.statuses),
    causes: sorted(tally.causes),
    latency: latencyOf(tally.latency),
  };
}

/** The most frequent first. */
function sorted(counts: ReadonlyMap<string, number>): Readonly<Record<string, number>> {
  return Object.fromEntries([...counts].toSorted(([a, n], [b, m]) => m - n || a.localeCompare(b)));
}

function pointOf({ latency, ...counts }: Interval): Point {
  const at = (percent: number): number | null => percentile(latency, percent) ?? null;
  return { ...counts, p50: at(50), p95: at(95), p99: at(99) };
}
