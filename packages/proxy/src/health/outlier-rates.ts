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

/** Percent: the average, and what a host must not fall below; -1 where too few hosts had enough requests. */
export interface RateJudgement {
  readonly average: number;
  readonly threshold: number;
}

export const NOT_JUDGED: RateJudgement = { average: -1, threshold: -1 };

/** Hosts whose success rate lies too many standard deviations under the average, by index. */
export function successOutliers(
  counts: readonly IntervalCounts[],
  program: Thresholds,
): RateJudgement & { readonly indexes: readonly number[] } {
  const judged = withVolume(counts, program.successRateRequestVolume);
  if (judged.length === 0 || judged.length < program.successRateMinimumHosts) return { ...NOT_JUDGED, indexes: [] };
  const average = judged.reduce((sum, { rate }) => sum + rate, 0) / judged.length;
  const variance = judged.reduce((sum, { rate }) => sum + (rate - average) ** 2, 0) / judged.length;
  const threshold = average - Math.sqrt(variance) * program.successRateStdevFactor;
  const indexes = judged.filter(({ rate }) => rate < threshold).map(({ index }) => index);
  return { average, threshold, indexes };
}

/** The rate that a host is shown with; -1: too few requests. */
export function shownRate(counts: IntervalCounts, program: Thresholds): number {
  const volume = Math.min(program.successRateRequestVolume, program.failurePercentageRequestVolume);
  return withVolume([counts], volume)[0]?.rate ?? -1;
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
