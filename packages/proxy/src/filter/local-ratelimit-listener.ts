import type { types } from '@mizzen/xds';
import type { Step } from '../listener/inspect.ts';
import type { CompileContext } from '../program/context.ts';
import type { Path } from '../program/path.ts';
import { liveFlag } from '../runtime/live.ts';
import { compileBucket } from './token-bucket.ts';

/** Closes connections as they are accepted when the bucket is empty. */
export function compileListenerLocalRateLimit(
  context: CompileContext,
  { statPrefix = '', tokenBucket = {}, runtimeEnabled }: types.listenerLocalRateLimit.LocalRateLimit,
  path: Path,
): Step {
  const bucket = compileBucket(context, tokenBucket, [...path, 'tokenBucket']);
  const limited = context.deps.counter(`listener_local_ratelimit.${statPrefix}.rate_limited`);
  const enabled = liveFlag(context.deps.runtime, runtimeEnabled?.runtimeKey, runtimeEnabled?.defaultValue ?? true);
  return Object.assign(
    () => {
      if (!enabled.value || bucket.take()) return 0;
      limited.value++;
      return 'close' as const;
    },
    { atOnce: true },
  );
}
