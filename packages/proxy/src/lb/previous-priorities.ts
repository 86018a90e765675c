import type { LbContext, UpstreamHost } from '../types.ts';
import { availabilities, spread, type PriorityLoad, type PriorityOptions } from './priority-load.ts';
import type { PriorityHosts } from './types.ts';

/** What a request with retries remembers of the priorities it has been to. */
export interface TriedPriorities {
  /** Attempts after which the priorities that were tried are left out. */
  readonly every: number;
  /** Hosts of attempts, oldest first. */
  readonly hosts: UpstreamHost[];
  readonly left: Set<number>;
  load: PriorityLoad | undefined;
}

/** The load of a retry: priorities that were tried get none as long as others can take it. */
export function loadOfRetry(
  tried: NonNullable<LbContext['tried']>,
  original: PriorityLoad,
  priorities: readonly PriorityHosts[],
  options: PriorityOptions,
): PriorityLoad {
  const { hosts, every, left } = tried;
  if (hosts.length < every) return original;
  if (hosts.length % every === 0) {
    for (const host of hosts) {
      const priority = priorities.findIndex((one) => one.hosts.some(({ authority }) => authority === host.authority));
      if (priority >= 0) left.add(priority);
    }
    tried.load = adjusted(tried, priorities, options);
  }
  return tried.load ?? original;
}

/** Undefined: nobody is available at all. */
function adjusted(
  { hosts, left }: TriedPriorities,
  priorities: readonly PriorityHosts[],
  options: PriorityOptions,
): PriorityLoad | undefined {
  const all = availabilities(priorities, options);
  const rest = (kind: readonly number[]): number[] => kind.map((part, i) => (left.has(i) ? 0 : part));
  let healthy = rest(all.healthy);
  let degraded = rest(all.degraded);
  if (healthy.every((part) => part === 0) && degraded.every((part) => part === 0)) {
    // All have been tried: from the beginning.
    left.clear();
    hosts.length = 0;
    healthy = [...all.healthy];
    degraded = [...all.degraded];
  }
  return spread(healthy, degraded);
}
