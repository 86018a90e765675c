/** One descriptor's verdict as the service gives it. */
export interface DescriptorStatus {
  readonly code?: string;
  readonly currentLimit?: { readonly requestsPerUnit?: number; readonly unit?: string; readonly name?: string };
  readonly limitRemaining?: number;
  readonly durationUntilReset?: string;
}

const WINDOWS: Readonly<Record<string, number>> = {
  SECOND: 1,
  MINUTE: 60,
  HOUR: 3600,
  DAY: 86_400,
  WEEK: 604_800,
  MONTH: 2_592_000,
  YEAR: 31_536_000,
};

/**
 * `x-ratelimit-…` by the third draft: the limit that is nearest, and all that count. Nothing where the nearest is one that
 * clients are not told of.
 */
export function rateLimitHeaders(
  statuses: readonly DescriptorStatus[],
  tells: (index: number) => boolean,
): [string, string][] {
  let nearest: DescriptorStatus | undefined;
  let policy = '';
  let nearestIsTold = false;
  for (const [i, status] of statuses.entries()) {
    const { currentLimit: limit } = status;
    if (limit === undefined) continue;
    const isTold = tells(i);
    if (nearest === undefined || (status.limitRemaining ?? 0) < (nearest.limitRemaining ?? 0)) {
      nearest = status;
      nearestIsTold = isTold;
    }
    if (!isTold) continue;
    const window = WINDOWS[limit.unit ?? ''];
    if (window === undefined) continue;
    const name = limit.name === undefined || limit.name === '' ? '' : `;name="${limit.name}"`;
    policy += `, ${limit.requestsPerUnit ?? 0};w=${window}${name}`;
  }
  if (nearest === undefined || !nearestIsTold) return [];
  return [
    ['x-ratelimit-limit', `${nearest.currentLimit?.requestsPerUnit ?? 0}${policy}`],
    ['x-ratelimit-remaining', String(nearest.limitRemaining ?? 0)],
    ['x-ratelimit-reset', String(Math.trunc(Number((nearest.durationUntilReset ?? '0s').slice(0, -1))))],
  ];
}

/** Seconds until the last limit that is exceeded starts anew, at least 1; undefined: none is. */
export function retryAfter(statuses: readonly DescriptorStatus[]): number | undefined {
  let longest: number | undefined;
  for (const { code, durationUntilReset = '0s' } of statuses)
    if (code === 'OVER_LIMIT') longest = Math.max(longest ?? 1, Math.trunc(Number(durationUntilReset.slice(0, -1))));
  return longest;
}
