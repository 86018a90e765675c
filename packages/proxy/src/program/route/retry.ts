import type { types } from '@mizzen/xds';
import { parseRetryOn } from '../../http/retry.ts';
import type { RetryProgram } from '../../types.ts';
import type { CompileContext } from '../context.ts';
import { compileRequestHeader, compileResponseHeader } from '../match/header.ts';
import type { Path } from '../path.ts';
import { asciiLower, milliseconds } from '../values.ts';

const PREVIOUS_HOSTS = 'envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate';
const OMIT_CANARY = 'envoy.extensions.retry.host.omit_canary_hosts.v3.OmitCanaryHostsPredicate';

/** Conditions that Envoy does not know are ignored, as Envoy ignores them. */
export function compileRetry(context: CompileContext, policy: types.route.RetryPolicy, path: Path): RetryProgram {
  const base = milliseconds(policy.retryBackOff?.baseInterval, 25);
  const max = milliseconds(policy.retryBackOff?.maxInterval, base * 10);
  if (policy.retryBackOff !== undefined && (base < 1 || max < base)) {
    context.refuse(
      [...path, 'retryBackOff'],
      '`maxInterval` must be at least `baseInterval`, which must be at least 1 ms',
    );
  }
  let avoidPreviousHosts = false;
  let avoidCanaries = false;
  (policy.retryHostPredicate ?? []).forEach((predicate, i) => {
    const type = predicate.typedConfig?.['@type'] ?? '';
    if (type.endsWith(PREVIOUS_HOSTS)) avoidPreviousHosts = true;
    else if (type.endsWith(OMIT_CANARY)) avoidCanaries = true;
    else context.refuse([...path, 'retryHostPredicate', i], `\`${type}\` is not a predicate that is supported`);
  });
  return {
    on: parseRetryOn(policy.retryOn ?? ''),
    numRetries: policy.numRetries ?? 1,
    perTryTimeout: milliseconds(policy.perTryTimeout, 0),
    perTryIdleTimeout: milliseconds(policy.perTryIdleTimeout, 0),
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
    avoidCanaries,
    hostSelectionAttempts: Number(policy.hostSelectionRetryMaxAttempts ?? 0) || 1,
  };
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
