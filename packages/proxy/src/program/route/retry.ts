import type { types } from '@mizzen/xds';
import { parseRetryOn } from '../../http/retry.ts';
import type { RetryProgram } from '../../types.ts';
import type { CompileContext } from '../context.ts';
import { compileResponseHeader } from '../match/header.ts';
import type { Path } from '../path.ts';
import { milliseconds } from '../values.ts';

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
  (policy.retryHostPredicate ?? []).forEach((predicate, i) => {
    const type = predicate.typedConfig?.['@type'] ?? '';
    if (type.endsWith(PREVIOUS_HOSTS)) avoidPreviousHosts = true;
    else if (type.endsWith(OMIT_CANARY))
      context.refuse([...path, 'retryHostPredicate', i], 'canary hosts are not told apart');
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
    backOffBase: base,
    backOffMax: max,
    avoidPreviousHosts,
    hostSelectionAttempts: Number(policy.hostSelectionRetryMaxAttempts ?? 0) || 1,
  };
}
