import { build, type Histogram } from 'hdr-histogram-js';

/** Values are whole microseconds, to an hour; three significant digits. */
export function histogram(): Histogram {
  return build({
    bitBucketSize: 32,
    lowestDiscernibleValue: 1,
    highestTrackableValue: HIGHEST,
    numberOfSignificantValueDigits: 3,
  });
}

/** A small one, of which there may be hundreds: two significant digits, growing as needed. */
export function smallHistogram(): Histogram {
  return build({ bitBucketSize: 32, autoResize: true, lowestDiscernibleValue: 1, numberOfSignificantValueDigits: 2 });
}

const HIGHEST = 3_600_000_000;

export function micros(ms: number): number {
  return Math.min(HIGHEST, Math.max(1, Math.round(ms * 1000)));
}

/** Milliseconds; undefined when nothing was recorded. */
export function percentile(of: Histogram, percent: number): number | undefined {
  return of.totalCount === 0 ? undefined : Math.min(of.getValueAtPercentile(percent), of.maxValue) / 1000;
}
