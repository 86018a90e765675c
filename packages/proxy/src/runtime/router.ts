import type { RouterRuntime } from '../program/types.ts';
import { liveInteger, livePercentage } from './live.ts';
import type { Runtime } from './runtime.ts';

/** The keys that Envoy's router looks up for every request. */
export function routerRuntime(runtime: Runtime | undefined): RouterRuntime | undefined {
  if (runtime === undefined) return undefined;
  return {
    useRetry: livePercentage(runtime, 'upstream.use_retry', 1),
    baseBackOff: liveInteger(runtime, 'upstream.base_retry_backoff_ms', 25),
  };
}
