import type { OutlierProgram } from '../program/types.ts';

/** Requests of one host in one interval. */
export interface IntervalCounts {
  readonly success: number;
  readonly total: number;
}

type Thresholds = Pick<
  OutlierProgram,
  | 'successRateMinimumHosts'
  | 'successRateRequestVolume'
  | 'successRateStdevFactor'
  | 'failurePercentageMinimumHosts'
  | 'failurePercentageRequestVolume'
  | 'failurePercentageThreshold'
>;

/** Indexes of hosts whose success rate lies too many standard deviations under the average. */
export function successOutliers(counts: readonly IntervalCounts[], program: Thresholds): number[] {
  const judged = withVolume(counts, program.successRateRequestVolume);
  if (judged.length === 0 || judged.length < program.successRateMinimumHosts) return [];
  const mean = judged.reduce((sum, { rate }) => sum + rate, 0) / judged.length;
  const variance = judged.reduce((sum, { rate }) => sum + (rate - mean) ** 2, 0) / judged.length;
  const threshold = mean - Math.sqrt(variance) * program.successRateStdevFactor;
  return judged.filter(({ rate }) => rate < threshold).map(({ index }) => index);
}

/** Indexes of hosts that fail at least a given percentage. */
export function failureOutliers(counts: readonly IntervalCounts[], program: Thresholds): number[] {
  const judged = withVolume(counts, program.failurePercentageRequestVolume);
  if (judged.length === 0 || judged.length < program.failurePercentageMinimumHosts) return [];
  return judged.filter(({ rate }) => 100 - rate >= program.failurePercentageThreshold).map(({ index }) => index);
}

/** Rates in percent of hosts that had enough requests. */
function withVolume(
  counts: readonly IntervalCounts[],
  volume: number,
): { readonly index: number; readonly rate: number }[] {
  return counts.flatMap(({ success, total }, index) =>
    total > 0 && total >= volume ? [{ index, rate: (100 * success) / total }] : [],
  );
}
