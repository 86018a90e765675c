import type { JsonObject, types } from '@mizzen/xds';
import type { CompileContext } from '../../program/context.ts';
import { addHeader, applyMutations, compileMutations, isFieldName, noteValue } from '../../program/headers.ts';
import { httpStatus } from '../../program/http-status.ts';
import type { Path } from '../../program/path.ts';
import { RESPONSE_SINGLE, REQUEST_SINGLE } from '../../codec/single-headers.ts';
import { asciiLower, milliseconds, wire } from '../../program/values.ts';
import { liveFraction, livePercentage, type Live } from '../../runtime/live.ts';
import type { Runtime } from '../../runtime/runtime.ts';
import { ResponseFlag, type HttpFilter, type HttpStream, type RateLimitDescriptor } from '../../types.ts';
import { compileGrpcMethod } from '../grpc-service.ts';
import { Headers } from '../../http/headers.ts';
import { countUnder } from '../cluster-counter.ts';
import type { FilterScope } from '../scope.ts';
import { rateLimitHeaders, retryAfter, type DescriptorStatus } from './headers.ts';
import { policiesOf, rateLimitPerRoute, type RateLimitPerRoute } from './per-route.ts';
import { compileRateLimits } from './policies.ts';

const METADATA = 'envoy.filters.http.ratelimit';
const RESOURCE_EXHAUSTED = 8;
/** What Envoy waits for an answer when nothing is said, milliseconds. */
export const TIMEOUT = 20;
export const METHOD = {
  name: 'envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit',
  requestType: 'envoy.service.ratelimit.v3.RateLimitRequest',
  answerType: 'envoy.service.ratelimit.v3.RateLimitResponse',
};

interface Answer {
  readonly overallCode?: string;
  readonly statuses?: readonly DescriptorStatus[];
  readonly responseHeadersToAdd?: readonly types.core.HeaderValue[];
  readonly requestHeadersToAdd?: readonly types.core.HeaderValue[];
  readonly rawBody?: string;
  readonly dynamicMetadata?: JsonObject;
}

/** Asks a rate limit service about requests that a policy of their route counts. */
export function rateLimitFilter(
  context: CompileContext,
  config: types.rateLimit.RateLimit,
  scope: FilterScope,
  path: Path,
): HttpFilter {
  const { random } = context.deps;
  const { stage = 0, requestType = '' } = config;
  if (config.domain === undefined || config.domain === '') context.refuse([...path, 'domain'], 'must not be empty');
  if (!['', 'both', 'internal', 'external'].includes(requestType))
    context.refuse([...path, 'requestType'], 'must be `internal`, `external` or `both`');
  const service = config.rateLimitService?.grpcService;
  const method = compileGrpcMethod(
    context,
    // The filter's own time is what counts.
    service === undefined ? undefined : { ...service, timeout: config.timeout ?? `${TIMEOUT / 1000}s` },
    METHOD,
    milliseconds(config.timeout, TIMEOUT),
    [...path, 'rateLimitService', 'grpcService'],
  );
  const own = compileRateLimits(context, config.rateLimits, [...path, 'rateLimits'], true);
  const adds = compileMutations(context, config.responseHeadersToAdd, undefined, path, 'response');
  const status = statusFrom400(httpStatus(config.rateLimitedStatus?.code)) ?? 429;
  const namespace =
    config.metadataNamespace === undefined || config.metadataNamespace === '' ? METADATA : config.metadataNamespace;
  const tellsAll = config.enableXRatelimitHeaders === 'DRAFT_VERSION_03';
  const statusOnError = httpStatus(config.statusOnError?.code) ?? 500;
  const { runtime } = context.deps;
  const enabled = ruledBy(runtime, config.filterEnabled, 'ratelimit.http_filter_enabled');
  const enforced = ruledBy(runtime, config.filterEnforced, 'ratelimit.http_filter_enforcing');
  const denies =
    config.failureModeDenyPercent === undefined
      ? { value: config.failureModeDeny === true ? 1 : 0 }
      : liveFraction(runtime, config.failureModeDenyPercent, 0);
  const prefix = config.statPrefix === undefined || config.statPrefix === '' ? '' : `${config.statPrefix}.`;
  const count = (cluster: string, ...names: readonly string[]): void => {
    for (const name of names) countUnder(context.deps, cluster, name);
  };
  const pending = new WeakMap<HttpStream, { cancel(): void }>();
  const forResponse = new WeakMap<HttpStream, Headers>();
  /** Requests that are not this filter's affair, at their end no more than before. */
  const passedBy = new WeakSet<HttpStream>();
  const passBy = (stream: HttpStream): undefined => void passedBy.add(stream);

  const chosen = (chance: number): boolean => chance >= 1 || random.float() < chance;
  const descriptors = (
    stream: HttpStream,
    perRoute: RateLimitPerRoute | undefined,
    done: boolean,
  ): RateLimitDescriptor[] => {
    const decision = stream.route();
    if (decision.kind !== 'cluster') return [];
    const policies = perRoute?.policies ?? own ?? policiesOf(decision, perRoute?.virtualHost ?? 'OVERRIDE');
    return policies.flatMap((policy) =>
      policy.stage === stage && policy.onStreamDone === done && chosen(policy.enabled.value)
        ? (policy.describe(stream) ?? [])
        : [],
    );
  };

  const settle = (
    stream: HttpStream,
    cluster: string,
    asked: readonly RateLimitDescriptor[],
    answer: Answer | undefined,
  ): undefined | 'stop' => {
    pending.delete(stream);
    if (answer === undefined) {
      count(cluster, `ratelimit.${prefix}error`);
      if (denies.value === 0 || (denies.value < 1 && random.float() >= denies.value)) {
        count(cluster, `ratelimit.${prefix}failure_mode_allowed`);
        return undefined;
      }
      const more = { flagsForLog: ResponseFlag.RLSE };
      stream.sendLocalReply(statusOnError, '', 'rate_limiter_error', 0, undefined, more);
      return 'stop';
    }
    if (answer.dynamicMetadata !== undefined) stream.setMetadata(namespace, answer.dynamicMetadata);
    const over = answer.overallCode === 'OVER_LIMIT';
    const headers = new Headers();
    for (const [name, value] of fields(answer.responseHeadersToAdd))
      if (!name.startsWith(':')) addHeader(headers, name, value, RESPONSE_SINGLE);
    if (over) {
      count(cluster, `ratelimit.${prefix}over_limit`);
      const names = ['upstream_rq_completed', `upstream_rq_${Math.trunc(status / 100)}xx`, `upstream_rq_${status}`];
      count(cluster, ...names, ...names.map((name) => `internal.${name}`));
      if (config.disableXEnvoyRatelimitedHeader !== true) headers.set('x-envoy-ratelimited', 'true');
    } else count(cluster, `ratelimit.${prefix}ok`);
    const statuses = answer.statuses ?? [];
    for (const [name, value] of rateLimitHeaders(statuses, (i) => asked[i]?.headers ?? tellsAll))
      headers.add(name, value);
    if (over && (enforced.value >= 1 || random.float() < enforced.value)) {
      const after = config.enableRetryAfterHeader === true && status === 429 ? retryAfter(statuses) : undefined;
      if (after !== undefined && !headers.has('retry-after')) headers.add('retry-after', String(after));
      applyMutations(adds, headers, stream);
      const body = Buffer.from(answer.rawBody ?? '', 'base64').toString('latin1');
      const given: [string, string][] = [];
      for (let i = 0; i < headers.flat.length; i += 2) given.push([headers.flat[i]!, headers.flat[i + 1]!]);
      const grpcStatus = config.rateLimitedAsResourceExhausted === true ? RESOURCE_EXHAUSTED : undefined;
      const more = { grpcStatus, flagsForLog: ResponseFlag.RL };
      stream.sendLocalReply(status, body, 'request_rate_limited', 0, given, more);
      return 'stop';
    }
    if (headers.count > 0) forResponse.set(stream, headers);
    for (const [name, value] of fields(answer.requestHeadersToAdd)) {
      const { headers: own } = stream.request;
      addHeader(own, name, value, REQUEST_SINGLE);
      noteValue(own, value);
      if (!isFieldName(name)) own.unchecked = true;
    }
    return undefined;
  };

  return {
    name: scope.name,
    onRequest(stream, trace) {
      if (enabled.value < 1 && random.float() >= enabled.value) return passBy(stream);
      if (requestType === 'internal' || requestType === 'external') {
        const internal = stream.request.headers.get('x-envoy-internal') === 'true';
        if (internal !== (requestType === 'internal')) return passBy(stream);
      }
      const perRoute = rateLimitPerRoute.mostSpecific(stream, scope.name);
      const asked = descriptors(stream, perRoute, false);
      const decision = stream.route();
      if (asked.length === 0 || decision.kind !== 'cluster') return undefined;
      if (trace !== undefined) {
        trace.push({ kind: 'rate-limit', text: `rate limit: the service would be asked about ${describe(asked)}` });
        return undefined;
      }
      const { cluster } = decision;
      const domain = perRoute === undefined || perRoute.domain === '' ? config.domain : perRoute.domain;
      const call = method.call({ domain, descriptors: asked.map(descriptorMessage) }, stream);
      if (call.failed === true) return settle(stream, cluster, asked, undefined);
      pending.set(stream, call);
      return call.answer.then(
        (answer) => settle(stream, cluster, asked, answer as Answer),
        () => settle(stream, cluster, asked, undefined),
      );
    },
    onResponse(stream) {
      const headers = forResponse.get(stream);
      if (headers === undefined || stream.response === undefined) return undefined;
      const { flat } = headers;
      for (let i = 0; i < flat.length; i += 2)
        addHeader(stream.response.headers, flat[i]!, flat[i + 1]!, RESPONSE_SINGLE);
      return undefined;
    },
    onEnd(stream) {
      const call = pending.get(stream);
      if (call !== undefined) return call.cancel();
      if (passedBy.has(stream)) return;
      const perRoute = rateLimitPerRoute.mostSpecific(stream, scope.name);
      const asked = descriptors(stream, perRoute, true);
      if (asked.length === 0) return;
      const domain = perRoute === undefined || perRoute.domain === '' ? config.domain : perRoute.domain;
      // Whatever the answer is, it is too late for it.
      method.call({ domain, descriptors: asked.map(descriptorMessage) }, stream).answer.catch(() => undefined);
    },
  };
}

function descriptorMessage({ entries, limit, hitsAddend, negative }: RateLimitDescriptor): object {
  return {
    entries,
    ...(limit === undefined ? {} : { limit }),
    ...(hitsAddend === undefined ? {} : { hitsAddend: String(hitsAddend) }),
    ...(negative === true ? { isNegativeHits: true } : {}),
  };
}

/** Envoy does not read what stands as bytes in `rawValue`. */
function fields(headers: readonly types.core.HeaderValue[] | undefined): [string, string][] {
  return (headers ?? []).map(({ key = '', value = '' }) => [asciiLower(key), wire(value)]);
}

/** `(key=value, key=value)` for each. */
function describe(descriptors: readonly RateLimitDescriptor[]): string {
  return descriptors
    .map(({ entries }) => `(${entries.map(({ key, value }) => `${key}=${value}`).join(', ')})`)
    .join(' ');
}

/** Envoy answers 429 in place of a status that is no error. */
export function statusFrom400(status: number | undefined): number | undefined {
  return status === undefined || status < 400 ? undefined : status;
}

/** A chance with its own key, or the one that Envoy has for all. */
function ruledBy(
  runtime: Runtime | undefined,
  config: types.core.RuntimeFractionalPercent | undefined,
  key: string,
): Live<number> {
  return config === undefined ? livePercentage(runtime, key, 1) : liveFraction(runtime, config, 1);
}
