import { percentile, smallHistogram } from '../stats/histogram.ts';
import type { Interval, Series } from '../stats/series.ts';
import type { Drift } from './result.ts';

const WINDOWS = 20;
/** Of the standard normal distribution: one in a hundred, both sides. */
const SIGNIFICANT = 2.576;

type Measure = Drift['measures'][number];

/**
 * Compares how a run ended with how it began, in windows of equal length: something drifts when its trend is hardly
 * chance (Mann-Kendall) and large enough to matter. Null when there is too little to tell.
 */
export function driftOf(series: Series): Drift | null {
  const windows = windowsOf(series);
  if (windows.length < 8) return null;
  const measures: Measure[] = [
    measure(
      'p50',
      windows,
      (each) => each.p50,
      (first, last) => last > first * 1.2 && last - first > 1,
    ),
    measure(
      'p99',
      windows,
      (each) => each.p99,
      (first, last) => last > first * 1.5 && last - first > 2,
    ),
    measure(
      'errors',
      windows,
      (each) => each.errors,
      (first, last) => last - first > 0.005,
    ),
  ].filter((each) => each !== undefined);
  return { steady: measures.every(({ drifting }) => !drifting), measures };
}

interface Window {
  readonly hours: number;
  readonly p50: number | undefined;
  readonly p99: number | undefined;
  readonly errors: number | undefined;
}

function windowsOf({ intervals, every }: Series): readonly Window[] {
  // The first and the last are not whole: connections are opened in one, and the other may end early.
  const whole = intervals.slice(1, -1);
  const size = Math.max(1, Math.floor(whole.length / WINDOWS));
  const windows: Window[] = [];
  for (let from = 0; from + size <= whole.length; from += size) {
    windows.push(windowOf(whole.slice(from, from + size), every));
  }
  return windows;
}

function windowOf(intervals: readonly Interval[], every: number): Window {
  const latency = smallHistogram();
  let ended = 0;
  let errors = 0;
  for (const each of intervals) {
    latency.add(each.latency);
    ended += each.ended;
    errors += each.errors;
  }
  return {
    hours: (intervals[0]!.at + (every * intervals.length) / 2) / 3600,
    p50: percentile(latency, 50),
    p99: percentile(latency, 99),
    errors: ended === 0 ? undefined : errors / ended,
  };
}

function measure(
  name: Measure['name'],
  windows: readonly Window[],
  value: (window: Window) => number | undefined,
  matters: (first: number, last: number) => boolean,
): Measure | undefined {
  const points = windows.flatMap((each) => {
    const y = value(each);
    return y === undefined ? [] : [{ x: each.hours, y }];
  });
  if (points.length < 8) return undefined;
  const fifth = Math.max(1, Math.floor(points.length / 5));
  const first = median(points.slice(0, fifth).map(({ y }) => y));
  const last = median(points.slice(-fifth).map(({ y }) => y));
  const { slope, z } = trend(points);
  return { name, first, last, perHour: slope, drifting: z > SIGNIFICANT && matters(first, last) };
}

/** Theil-Sen slope, and Mann-Kendall's statistic with its correction for ties. */
export function trend(points: readonly { readonly x: number; readonly y: number }[]): { slope: number; z: number } {
  const slopes: number[] = [];
  let score = 0;
  const ties = new Map<number, number>();
  for (const [i, a] of points.entries()) {
    ties.set(a.y, (ties.get(a.y) ?? 0) + 1);
    for (const b of points.slice(i + 1)) {
      slopes.push((b.y - a.y) / (b.x - a.x));
      score += Math.sign(b.y - a.y);
    }
  }
  const pairs = (n: number): number => n * (n - 1) * (2 * n + 5);
  let variance = pairs(points.length);
  for (const count of ties.values()) variance -= pairs(count);
  const deviation = Math.sqrt(variance / 18);
  return { slope: median(slopes), z: deviation === 0 ? 0 : (score - Math.sign(score)) / deviation };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return sorted.length % 2 === 1 ? sorted[Math.floor(middle)]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
