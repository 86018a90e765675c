import type { networking } from '@mizzen/api';
import type { types } from '@mizzen/xds';
import type { Draft } from '../draft.ts';
import { duration } from '../duration.ts';

// An import of node:http would load undici too (to re-export its WebSocket), which every start would wait for.
const { STATUS_CODES } = process.getBuiltinModule('node:http');

/** Istio retries what never reached an application, and the codes an application asks to retry. */
const DEFAULT_CONDITIONS = 'connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes';

const PREVIOUS_HOSTS: types.route.RetryPolicy_RetryHostPredicate = {
  name: 'envoy.retry_host_predicates.previous_hosts',
  typedConfig: {
    '@type': 'type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate',
  },
};

/**
 * Envoy's retry policy; undefined when retries are switched off (`attempts: 0`). With consistent hashing a retry goes to
 * the same host again.
 */
export function retryPolicy(
  settings: networking.HTTPRetry | undefined,
  { consistentHash }: { readonly consistentHash: boolean },
): types.route.RetryPolicy | undefined {
  const out: Draft<types.route.RetryPolicy> = {
    numRetries: 2,
    retryOn: DEFAULT_CONDITIONS,
    hostSelectionRetryMaxAttempts: '5',
  };
  if (!consistentHash) out.retryHostPredicate = [PREVIOUS_HOSTS];
  if (settings === undefined) return out;
  const attempts = settings.attempts ?? 0;
  if (attempts <= 0) return undefined;
  out.numRetries = attempts;
  if (settings.retryOn !== undefined && settings.retryOn !== '') {
    const { conditions, codes } = parseConditions(settings.retryOn);
    if (codes.length > 0 && !conditions.includes('retriable-status-codes')) conditions.push('retriable-status-codes');
    if (codes.length > 0) out.retriableStatusCodes = codes;
    out.retryOn = conditions.join(',');
  }
  if (settings.perTryTimeout !== undefined) out.perTryTimeout = duration(settings.perTryTimeout);
  if (settings.retryIgnorePreviousHosts !== undefined) {
    out.retryHostPredicate = settings.retryIgnorePreviousHosts ? [PREVIOUS_HOSTS] : undefined;
    if (out.retryHostPredicate === undefined) delete out.retryHostPredicate;
  }
  if (settings.retryRemoteLocalities === true) {
    out.retryPriority = {
      name: 'envoy.retry_priorities.previous_priorities',
      typedConfig: {
        '@type': 'type.googleapis.com/envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig',
        updateFrequency: 2,
      },
    };
  }
  if (settings.backoff !== undefined) out.retryBackOff = { baseInterval: duration(settings.backoff) };
  return out;
}

/** Status codes may stand among the conditions. */
function parseConditions(text: string): { conditions: string[]; codes: number[] } {
  const conditions: string[] = [];
  const codes: number[] = [];
  for (const part of text.split(',').map((piece) => piece.trim())) {
    if (part === '') continue;
    if (/^\d+$/.test(part) && STATUS_CODES[part] !== undefined) codes.push(Number(part));
    else conditions.push(part);
  }
  return { conditions, codes };
}
