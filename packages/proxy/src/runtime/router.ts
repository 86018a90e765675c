import type { RouterRuntime } from '../program/types.ts';
import { liveInteger, livePercentage, type Live } from './live.ts';
import type { Runtime } from './runtime.ts';

/** The keys that Envoy's router looks up for every request. */
export function routerRuntime(runtime: Runtime | undefined): RouterRuntime | undefined {
  if (runtime === undefined) return undefined;
  const maintenance = new Map<string, Live<number>>();
  return {
    useRetry: livePercentage(runtime, 'upstream.use_retry', 1),
    baseBackOff: liveInteger(runtime, 'upstream.base_retry_backoff_ms', 25),
    maintenance: (cluster) => {
      let chance = maintenance.get(cluster);
      if (chance === undefined) {
        chance = livePercentage(runtime, `upstream.maintenance_mode.${cluster}`, 0);
        maintenance.set(cluster, chance);
      }
      return chance.value;
    },
  };
}
