import type { types } from '@mizzen/xds';
import type { CompileContext } from '../program/context.ts';
import type { Path } from '../program/path.ts';
import type { GateDecision, NetworkGate } from '../program/types.ts';
import { liveFlag } from '../runtime/live.ts';
import { ResponseFlag } from '../types.ts';
import { compileBucket, sharedBucket } from './token-bucket.ts';

const ALLOWED: GateDecision = { allowed: true, details: '', flags: 0, metadata: undefined };
const LIMITED: GateDecision = {
  allowed: false,
  details: '',
  closeReason: 'local_ratelimit_close_over_limit',
  // As Envoy has it.
  flags: ResponseFlag.URX,
  metadata: undefined,
};

/** Closes connections at once when the bucket is empty. */
export function compileNetworkLocalRateLimit(
  context: CompileContext,
  config: types.networkLocalRateLimit.LocalRateLimit,
  path: Path,
): NetworkGate {
  if (config.statPrefix === undefined || config.statPrefix === '')
    context.refuse([...path, 'statPrefix'], 'must not be empty');
  const { shareKey = '', tokenBucket = {} } = config;
  const at = [...path, 'tokenBucket'];
  const bucket =
    shareKey === '' ? compileBucket(context, tokenBucket, at) : sharedBucket(context, shareKey, tokenBucket, at);
  const limited = context.deps.counter(`local_rate_limit.${config.statPrefix ?? ''}.rate_limited`);
  const enabled = liveFlag(
    context.deps.runtime,
    config.runtimeEnabled?.runtimeKey,
    config.runtimeEnabled?.defaultValue ?? true,
  );
  return {
    text: 'local rate limit',
    check() {
      if (!enabled.value || bucket.take()) return ALLOWED;
      limited.value++;
      return LIMITED;
    },
  };
}
