import type { types as xds } from '@mizzen/xds';
import type { Clock, Random } from '../deps.ts';
import type { CompileContext } from '../program/context.ts';
import { applyMutations, compileMutations, type HeaderMutations } from '../program/headers.ts';
import type { Path } from '../program/path.ts';
import { fraction, milliseconds } from '../program/values.ts';
import { ResponseFlag, type HttpFilter, type HttpStream } from '../types.ts';
import type { FilterScope } from './scope.ts';

interface Config {
  readonly statPrefix?: string;
  readonly status?: { readonly code?: string | number };
  readonly tokenBucket?: {
    readonly maxTokens?: number;
    readonly tokensPerFill?: number;
    readonly fillInterval?: string;
  };
  readonly filterEnabled?: xds.core.RuntimeFractionalPercent;
  readonly filterEnforced?: xds.core.RuntimeFractionalPercent;
  readonly requestHeadersToAddWhenNotEnforced?: readonly xds.core.HeaderValueOption[];
  readonly responseHeadersToAdd?: readonly xds.core.HeaderValueOption[];
  readonly enableXRatelimitHeaders?: string;
  readonly localRateLimitPerDownstreamConnection?: boolean;
}

export interface LocalRateLimit {
  readonly statPrefix: string;
  readonly status: number;
  readonly bucket: TokenBucket | undefined;
  readonly enabled: number;
  readonly enforced: number;
  readonly requestHeaders: HeaderMutations;
  readonly responseHeaders: HeaderMutations;
  readonly xRateLimitHeaders: boolean;
}

/** Fills continuously, from full. */
export class TokenBucket {
  readonly max: number;
  readonly #perMillisecond: number;
  readonly #clock: Clock;
  #tokens: number;
  #at: number;

  constructor(max: number, perMillisecond: number, clock: Clock) {
    this.max = max;
    this.#perMillisecond = perMillisecond;
    this.#clock = clock;
    this.#tokens = max;
    this.#at = clock.now();
  }

  take(): boolean {
    const now = this.#clock.now();
    this.#tokens = Math.min(this.max, this.#tokens + (now - this.#at) * this.#perMillisecond);
    this.#at = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  get remaining(): number {
    return Math.floor(this.#tokens);
  }

  /** Whole seconds until one token is there. */
  get reset(): number {
    return this.#tokens >= 1 ? 0 : Math.ceil((1 - this.#tokens) / this.#perMillisecond / 1000 - 1e-6);
  }
}

export function compileBucket(context: CompileContext, bucket: xds.envoyType.TokenBucket, path: Path): TokenBucket {
  const interval = milliseconds(bucket.fillInterval, 0);
  if (interval < 50) context.refuse([...path, 'fillInterval'], 'must be at least 50 ms');
  if ((bucket.maxTokens ?? 0) === 0) context.refuse([...path, 'maxTokens'], 'must be at least 1');
  return new TokenBucket(
    bucket.maxTokens ?? 0,
    (bucket.tokensPerFill ?? 1) / Math.max(interval, 1),
    context.deps.clock,
  );
}

export function compileLocalRateLimit(context: CompileContext, config: Config, path: Path): LocalRateLimit {
  const { tokenBucket: bucket } = config;
  if (config.localRateLimitPerDownstreamConnection === true) {
    context.refuse([...path, 'localRateLimitPerDownstreamConnection'], 'buckets are not kept per connection');
  }
  const code = config.status?.code;
  return {
    statPrefix: config.statPrefix ?? '',
    status: typeof code === 'number' && code >= 400 ? code : statusOf(code),
    bucket: bucket === undefined ? undefined : compileBucket(context, bucket, [...path, 'tokenBucket']),
    enabled: fraction(config.filterEnabled?.defaultValue, 0),
    enforced: fraction(config.filterEnforced?.defaultValue, 0),
    requestHeaders: compileMutations(context, config.requestHeadersToAddWhenNotEnforced, undefined, path, 'request'),
    responseHeaders: compileMutations(context, config.responseHeadersToAdd, undefined, path, 'response'),
    xRateLimitHeaders: config.enableXRatelimitHeaders === 'DRAFT_VERSION_03',
  };
}

/** Envoy names statuses in an enum: `TooManyRequests`. Below 400 it answers 429. */
const STATUS: Readonly<Record<string, number>> = {
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  Conflict: 409,
  TooManyRequests: 429,
  InternalServerError: 500,
  ServiceUnavailable: 503,
};
function statusOf(code: string | number | undefined): number {
  return typeof code === 'string' ? (STATUS[code] ?? 429) : 429;
}

/** Answers 429 when the bucket is empty. The route's configuration replaces the filter's own. */
export function localRateLimitFilter(
  context: CompileContext,
  config: Config,
  scope: FilterScope,
  path: Path,
): HttpFilter {
  const own = compileLocalRateLimit(context, config, path);
  const { random } = context.deps;
  const counter = (name: string): { value: number } =>
    context.deps.counter(`${own.statPrefix}.http_local_rate_limit.${name}`);
  const enabled = counter('enabled');
  const ok = counter('ok');
  const limited = counter('rate_limited');
  const enforced = counter('enforced');
  const use = (stream: HttpStream): LocalRateLimit =>
    (stream.perRoute(scope.name) as LocalRateLimit | undefined) ?? own;
  return {
    name: scope.name,
    onRequest(stream, trace) {
      const limit = use(stream);
      if (limit.bucket === undefined || !roll(limit.enabled, random)) return undefined;
      enabled.value++;
      if (limit.bucket.take()) {
        ok.value++;
        return undefined;
      }
      limited.value++;
      if (!roll(limit.enforced, random)) {
        applyMutations(limit.requestHeaders, stream.request.headers, stream);
        return undefined;
      }
      enforced.value++;
      trace?.push({
        kind: 'rate-limit',
        text: `local rate limit: no token of ${limit.bucket.max} is left`,
        matched: false,
      });
      stream.sendLocalReply(limit.status, 'local_rate_limited', 'local_rate_limited', 0, undefined, {
        flagsForLog: ResponseFlag.RL,
      });
      return 'stop';
    },
    onResponse(stream) {
      const limit = use(stream);
      if (limit.bucket === undefined || stream.response === undefined) return undefined;
      const { headers } = stream.response;
      if (stream.info.responseCodeDetails === 'local_rate_limited')
        applyMutations(limit.responseHeaders, headers, stream);
      if (limit.xRateLimitHeaders) {
        headers.set('x-ratelimit-limit', String(limit.bucket.max));
        headers.set('x-ratelimit-remaining', String(limit.bucket.remaining));
        headers.set('x-ratelimit-reset', String(limit.bucket.reset));
      }
      return undefined;
    },
  };
}

function roll(chance: number, random: Random): boolean {
  return chance >= 1 || (chance > 0 && random.float() < chance);
}
