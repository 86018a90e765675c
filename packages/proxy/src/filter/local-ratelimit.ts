import type { types as xds } from '@mizzen/xds';
import type { Random } from '../deps.ts';
import type { CompileContext } from '../program/context.ts';
import { Headers } from '../http/headers.ts';
import { applyMutations, compileMutations, type HeaderMutations } from '../program/headers.ts';
import { httpStatus } from '../program/http-status.ts';
import type { Counter } from '../program/types.ts';
import type { Path } from '../program/path.ts';
import { liveFraction, type Live } from '../runtime/live.ts';
import {
  ResponseFlag,
  type ConnectionInfo,
  type HttpFilter,
  type HttpStream,
  type RateLimitDescriptor,
} from '../types.ts';
import { compileLimiter, type Limiter } from './local-limiter.ts';
import { statusFrom400 } from './ratelimit/filter.ts';
import { policiesOf } from './ratelimit/per-route.ts';
import { compileRateLimits } from './ratelimit/policies.ts';
import { PerRouteKind } from './per-route-kind.ts';
import type { FilterScope } from './scope.ts';
import type { TokenBucket } from './token-bucket.ts';

type Config = xds.localRateLimit.LocalRateLimit;

const RESOURCE_EXHAUSTED = 8;

interface LocalRateLimit {
  readonly counters: Readonly<Record<'enabled' | 'ok' | 'rate_limited' | 'enforced' | 'shadow_mode', Counter>>;
  readonly status: number;
  /** Undefined: nothing is limited. */
  readonly limiter: (connection: ConnectionInfo) => Limiter | undefined;
  readonly descriptors: (stream: HttpStream) => readonly RateLimitDescriptor[];
  readonly grpcStatus: number | undefined;
  readonly enabled: Live<number>;
  readonly enforced: Live<number>;
  readonly requestHeaders: HeaderMutations;
  readonly responseHeaders: HeaderMutations;
  readonly xRateLimitHeaders: boolean;
  readonly retryAfter: boolean;
}

function compileLocalRateLimit(context: CompileContext, config: Config, path: Path): LocalRateLimit {
  const limiter = compileLimiter(context, config, path);
  const counter = (name: string): Counter =>
    context.deps.counter(`${config.statPrefix ?? ''}.http_local_rate_limit.${name}`);
  const perConnection = config.localRateLimitPerDownstreamConnection === true;
  const connections = new WeakMap<ConnectionInfo, Limiter>();
  return {
    counters: {
      enabled: counter('enabled'),
      ok: counter('ok'),
      rate_limited: counter('rate_limited'),
      shadow_mode: counter('shadow_mode'),
      enforced: counter('enforced'),
    },
    status: statusFrom400(httpStatus(config.status?.code)) ?? 429,
    limiter: (connection) => {
      if (!perConnection || limiter === undefined) return limiter;
      let own = connections.get(connection);
      if (own === undefined) connections.set(connection, (own = limiter.fresh()));
      return own;
    },
    descriptors: compileDescriptions(context, config, path),
    grpcStatus: config.rateLimitedAsResourceExhausted === true ? RESOURCE_EXHAUSTED : undefined,
    enabled: liveFraction(context.deps.runtime, config.filterEnabled, 0),
    enforced: liveFraction(context.deps.runtime, config.filterEnforced, 0),
    requestHeaders: compileMutations(context, config.requestHeadersToAddWhenNotEnforced, undefined, path, 'request'),
    responseHeaders: compileMutations(context, config.responseHeadersToAdd, undefined, path, 'response'),
    xRateLimitHeaders: config.enableXRatelimitHeaders === 'DRAFT_VERSION_03',
    retryAfter: config.enableRetryAfterHeader === true,
  };
}

/** Of a route: it has a bucket of its own. */
export const localRateLimitPerRoute = new PerRouteKind((context, config: Config, path) => {
  if (config.tokenBucket === undefined) context.refuse([...path, 'tokenBucket'], 'must be there');
  return compileLocalRateLimit(context, config, path);
});

/** Answers 429 when the bucket is empty. The route's configuration replaces the filter's own. */
export function localRateLimitFilter(
  context: CompileContext,
  config: Config,
  scope: FilterScope,
  path: Path,
): HttpFilter {
  const own = compileLocalRateLimit(context, config, path);
  const { random } = context.deps;
  const looked = new WeakMap<HttpStream, TokenBucket>();
  const use = (stream: HttpStream): LocalRateLimit => localRateLimitPerRoute.mostSpecific(stream, scope.name) ?? own;
  return {
    name: scope.name,
    onRequest(stream, trace) {
      const limit = use(stream);
      const limiter = limit.limiter(stream.info.connection);
      if (limiter === undefined || !roll(limit.enabled.value, random)) return undefined;
      const { counters } = limit;
      counters.enabled.value++;
      const { allowed, bucket, shadowed, headers } = limiter.take(limit.descriptors(stream));
      if ((headers ?? limit.xRateLimitHeaders) && bucket !== undefined) looked.set(stream, bucket);
      if (allowed) {
        counters.ok.value++;
        return undefined;
      }
      counters.rate_limited.value++;
      if (shadowed === true) {
        counters.shadow_mode.value++;
        return undefined;
      }
      if (!roll(limit.enforced.value, random)) {
        applyMutations(limit.requestHeaders, stream.request.headers, stream);
        return undefined;
      }
      counters.enforced.value++;
      trace?.push({
        kind: 'rate-limit',
        text: `local rate limit: no token of ${bucket?.max ?? 0} is left`,
        matched: false,
      });
      const fields = fieldsOf(limit, stream);
      if (
        limit.retryAfter &&
        limit.status === 429 &&
        bucket !== undefined &&
        !fields.some(([name]) => name === 'retry-after')
      )
        fields.push(['retry-after', String(bucket.reset)]);
      stream.sendLocalReply(limit.status, 'local_rate_limited', 'local_rate_limited', 0, fields, {
        grpcStatus: limit.grpcStatus,
        flagsForLog: ResponseFlag.RL,
      });
      return 'stop';
    },
    onResponse(stream) {
      if (stream.response === undefined) return undefined;
      const { headers } = stream.response;
      const bucket = looked.get(stream);
      if (bucket !== undefined) {
        // Beside what the upstream says of limits of its own.
        headers.add('x-ratelimit-limit', String(bucket.max));
        headers.add('x-ratelimit-remaining', String(bucket.remaining));
        headers.add('x-ratelimit-reset', String(bucket.reset));
      }
      return undefined;
    },
  };
}

function fieldsOf({ responseHeaders }: LocalRateLimit, stream: HttpStream): [string, string][] {
  const headers = new Headers();
  applyMutations(responseHeaders, headers, stream);
  return headers.entries();
}

function roll(chance: number, random: Random): boolean {
  return chance >= 1 || (chance > 0 && random.float() < chance);
}

/** What a request is counted as: by the filter's own list, or by the route's and the virtual host's. */
function compileDescriptions(context: CompileContext, config: Config, path: Path): LocalRateLimit['descriptors'] {
  const { stage = 0, vhRateLimits = 'OVERRIDE' } = config;
  for (const [i, { limit }] of (config.rateLimits ?? []).entries()) {
    if (limit !== undefined)
      context.refuse([...path, 'rateLimits', i, 'limit'], 'is for policies of routes and virtual hosts');
  }
  const own = compileRateLimits(context, config.rateLimits, [...path, 'rateLimits'], true);
  if ((config.descriptors ?? []).length === 0) return () => [];
  return (stream) => {
    const decision = stream.route();
    const policies = own ?? (decision.kind === 'cluster' ? policiesOf(decision, vhRateLimits) : []);
    return policies.flatMap((policy) =>
      policy.disableKey === '' && (own !== undefined || policy.stage === stage) ? (policy.describe(stream) ?? []) : [],
    );
  };
}
