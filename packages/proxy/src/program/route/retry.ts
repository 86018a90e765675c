import { isDeepStrictEqual } from 'node:util';
import type { types } from '@mizzen/xds';
import { parseRetryOn } from '../../http/retry.ts';
import type { RetryProgram, UpstreamHost } from '../../types.ts';
import type { CompileContext } from '../context.ts';
import { compileRequestHeader, compileResponseHeader } from '../match/header.ts';
import { lbMetadata } from './lb-metadata.ts';
import type { Path } from '../path.ts';
import { asciiLower, milliseconds, wholeMilliseconds } from '../values.ts';

const PREVIOUS_HOSTS = 'envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate';
const OMIT_METADATA = 'envoy.extensions.retry.host.omit_host_metadata.v3.OmitHostMetadataConfig';
const PREVIOUS_PRIORITIES = 'envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig';
const OMIT_CANARY = 'envoy.extensions.retry.host.omit_canary_hosts.v3.OmitCanaryHostsPredicate';

/** Conditions that Envoy does not know are ignored, as Envoy ignores them. */
export function compileRetry(context: CompileContext, policy: types.route.RetryPolicy, path: Path): RetryProgram {
  // Below a millisecond there is none.
  const base = Math.max(1, milliseconds(policy.retryBackOff?.baseInterval, 25));
  const max = Math.max(1, milliseconds(policy.retryBackOff?.maxInterval, base * 10));
  if (policy.retryBackOff !== undefined && max < base) {
    context.refuse([...path, 'retryBackOff'], '`maxInterval` must be at least `baseInterval`');
  }
  let avoidPreviousHosts = false;
  const avoided: ((host: UpstreamHost) => boolean)[] = [];
  (policy.retryHostPredicate ?? []).forEach((predicate, i) => {
    const type = predicate.typedConfig?.['@type'] ?? '';
    if (type.endsWith(PREVIOUS_HOSTS)) avoidPreviousHosts = true;
    else if (type.endsWith(OMIT_CANARY)) avoided.push((host) => host.canary === true);
    else if (type.endsWith(OMIT_METADATA)) avoided.push(hasMetadata(predicate.typedConfig as OmitMetadata));
    else context.refuse([...path, 'retryHostPredicate', i], `\`${type}\` is not a predicate that is supported`);
  });
  return {
    on: parseRetryOn(policy.retryOn ?? ''),
    numRetries: policy.numRetries ?? 1,
    perTryTimeout: wholeMilliseconds(policy.perTryTimeout, 0),
    perTryIdleTimeout: wholeMilliseconds(policy.perTryIdleTimeout, 0),
    retriableStatusCodes: policy.retriableStatusCodes ?? [],
    retriableHeaders: (policy.retriableHeaders ?? []).map(
      (matcher, i) => compileResponseHeader(context, matcher, [...path, 'retriableHeaders', i]).matches,
    ),
    backOffBase: policy.retryBackOff === undefined ? undefined : base,
    backOffMax: policy.retryBackOff === undefined ? undefined : max,
    retriableRequestHeaders: (policy.retriableRequestHeaders ?? []).map(
      (matcher, i) => compileRequestHeader(context, matcher, [...path, 'retriableRequestHeaders', i]).matches,
    ),
    resetHeaders: compileResetHeaders(context, policy.rateLimitedRetryBackOff, [...path, 'rateLimitedRetryBackOff']),
    resetMax: milliseconds(policy.rateLimitedRetryBackOff?.maxInterval, 300_000),
    avoidPreviousHosts,
    avoids: avoided.length === 0 ? undefined : (host) => avoided.some((avoids) => avoids(host)),
    leavesPrioritiesAfter: compileRetryPriority(context, policy.retryPriority, [...path, 'retryPriority']),
    hostSelectionAttempts: Number(policy.hostSelectionRetryMaxAttempts ?? 0) || 1,
  };
}

const ALL_FAILURES = '5xx,gateway-error,connect-failure,reset';

/** What asks the proxy's own services again. The longest pause is also how long an attempt may take, as in Envoy. */
export function compileCoreRetry(
  context: CompileContext,
  policy: types.core.RetryPolicy,
  path: Path,
  retryOn = ALL_FAILURES,
): RetryProgram {
  const base = milliseconds(policy.retryBackOff?.baseInterval, 1000);
  const max = milliseconds(policy.retryBackOff?.maxInterval, base * 10);
  if (max < base) context.refuse([...path, 'retryBackOff', 'maxInterval'], 'must not be less than `baseInterval`');
  const { numRetries = 1 } = policy;
  const program = compileRetry(context, { retryOn, numRetries }, path);
  return { ...program, perTryTimeout: max, backOffBase: base, backOffMax: max };
}

function compileResetHeaders(
  context: CompileContext,
  backOff: types.route.RetryPolicy_RateLimitedRetryBackOff | undefined,
  path: Path,
): RetryProgram['resetHeaders'] {
  if (backOff === undefined) return [];
  const { resetHeaders = [] } = backOff;
  if (resetHeaders.length === 0) context.refuse([...path, 'resetHeaders'], 'must not be empty');
  return resetHeaders.map(({ name = '', format }, i) => {
    if (name === '') context.refuse([...path, 'resetHeaders', i, 'name'], 'must not be empty');
    return { name: asciiLower(name), unixTime: format === 'UNIX_TIMESTAMP' };
  });
}

interface OmitMetadata {
  readonly metadataMatch?: types.core.Metadata;
}

/** Without anything to look for, no host has it. */
function hasMetadata({ metadataMatch }: OmitMetadata): (host: UpstreamHost) => boolean {
  const wanted = Object.entries(lbMetadata(metadataMatch) ?? {});
  if (wanted.length === 0) return () => false;
  return ({ lbMetadata: has }) =>
    has !== undefined && wanted.every(([key, value]) => isDeepStrictEqual(has[key], value));
}

function compileRetryPriority(
  context: CompileContext,
  priority: types.route.RetryPolicy_RetryPriority | undefined,
  path: Path,
): number | undefined {
  if (priority === undefined) return undefined;
  const type = priority.typedConfig?.['@type'] ?? '';
  if (!type.endsWith(PREVIOUS_PRIORITIES)) {
    context.refuse([...path, 'typedConfig'], `\`${type}\` is not supported`);
    return undefined;
  }
  const { updateFrequency = 0 } = priority.typedConfig as { readonly updateFrequency?: number };
  if (updateFrequency < 1) context.refuse([...path, 'typedConfig', 'updateFrequency'], 'must be at least 1');
  return updateFrequency;
}
