import { UNITS, type Limit, type Limits } from './config.ts';
import type { Window, WindowCounters } from './counters.ts';
import { findLimit, RequestError, type Descriptor } from './find.ts';
import type { Stats } from './stats.ts';

export interface RateLimitRequest {
  readonly domain?: string;
  readonly descriptors?: readonly Descriptor[];
  readonly hitsAddend?: number;
}
export interface RateLimitResponse {
  readonly overallCode: 'OK' | 'OVER_LIMIT';
  readonly statuses: readonly object[];
}

const UNLIMITED = 0xffffffff;
/** From this share of a limit on, hits are counted as near it. */
const NEAR = 0.8;

interface Counted {
  readonly limit: Limit;
  readonly hits: number;
  readonly window: Window;
  /** Seconds until the window is over. */
  readonly reset: number;
}

/** Envoy's `RateLimitService.ShouldRateLimit`. */
export async function shouldRateLimit(
  request: RateLimitRequest,
  limits: Limits,
  counters: WindowCounters,
  stats: Stats,
  /** Seconds since the epoch. */
  now: number,
): Promise<RateLimitResponse> {
  const { domain = '', descriptors = [] } = request;
  if (domain === '') throw new RequestError('rate limit domain must not be empty');
  if (descriptors.length === 0) throw new RequestError('rate limit descriptor list must not be empty');
  const usual = Math.max(1, request.hitsAddend ?? 0);
  const found = descriptors.map((descriptor) => findLimit(limits, domain, descriptor));
  const replaced = new Set(found.flatMap((limit) => limit?.replaces ?? []));
  const counted = descriptors.map((descriptor, i): Counted | 'unlimited' | undefined => {
    const limit = found[i];
    if (limit === undefined || (limit.name !== '' && replaced.has(limit.name))) return undefined;
    if (limit.unlimited) return 'unlimited';
    const seconds = UNITS[limit.unit];
    const hits = descriptor.hitsAddend === undefined ? usual : Number(descriptor.hitsAddend);
    const start = Math.floor(now / seconds) * seconds;
    return {
      limit,
      hits,
      window: { key: keyOf(domain, descriptor, start), hits, seconds },
      reset: start + seconds - now,
    };
  });
  const windows = counted.flatMap((one) => (one === undefined || one === 'unlimited' ? [] : [one.window]));
  const totals = windows.length === 0 ? [] : await counters.add(windows);
  let at = 0;
  let over = false;
  const statuses = counted.map((one, i): object => {
    if (one === undefined) return { code: 'OK' };
    if (one === 'unlimited') {
      stats.count(found[i]!.statKey, 'within_limit', 1);
      return { code: 'OK', limitRemaining: UNLIMITED };
    }
    const total = totals[at++]!;
    const { limit } = one;
    const exceeds = total > limit.requestsPerUnit;
    record(stats, one, total);
    if (exceeds && !limit.shadow) over = true;
    return {
      code: exceeds && !limit.shadow ? 'OVER_LIMIT' : 'OK',
      currentLimit: {
        ...(limit.name === '' ? {} : { name: limit.name }),
        requestsPerUnit: limit.requestsPerUnit,
        unit: limit.unit,
      },
      limitRemaining: Math.max(0, limit.requestsPerUnit - total),
      durationUntilReset: `${Math.max(0, Math.ceil(one.reset))}s`,
    };
  });
  return { overallCode: over ? 'OVER_LIMIT' : 'OK', statuses };
}

/** Hits before and after the limit was reached are counted apart. */
function record(stats: Stats, { limit, hits }: Counted, total: number): void {
  const max = limit.requestsPerUnit;
  const over = Math.min(hits, Math.max(0, total - max));
  const near = Math.min(hits, Math.max(0, total - Math.floor(max * NEAR))) - over;
  stats.count(limit.statKey, 'total_hits', hits);
  stats.count(limit.statKey, 'over_limit', over);
  stats.count(limit.statKey, 'near_limit', Math.max(0, near));
  stats.count(limit.statKey, 'within_limit', hits - over);
  if (limit.shadow) stats.count(limit.statKey, 'shadow_mode', over);
}

/** As envoyproxy/ratelimit names it, so that both may count in one Redis. */
function keyOf(domain: string, { entries = [] }: Descriptor, start: number): string {
  return [domain, ...entries.flatMap(({ key = '', value = '' }) => [key, value]), String(start)].join('_');
}
