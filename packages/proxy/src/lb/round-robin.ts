import type { Deps } from '../deps.ts';
import type { SlowStartProgram } from '../program/types.ts';
import type { BalancedHost, HostPicker } from './types.ts';
import { scheduleHosts, slowStartWeight, weightsEqual } from './weighted.ts';

/** ROUND_ROBIN: in turn, or by weight when weights differ. */
export function roundRobin(
  hosts: readonly BalancedHost[],
  slowStart: SlowStartProgram | undefined,
  deps: Deps,
): HostPicker {
  const size = hosts.length;
  const slow = slowStartWeight(slowStart, deps.clock);
  if (slow === undefined && weightsEqual(hosts)) {
    let next = size === 0 ? 0 : deps.random.uint32() % size;
    return {
      pick: () => {
        const host = hosts[next];
        next = next + 1 === size ? 0 : next + 1;
        return host;
      },
    };
  }
  const weight = slow ?? ((host: BalancedHost) => host.weight);
  const schedule = scheduleHosts(hosts, weight, deps.random.uint32());
  return { pick: () => schedule.pick(weight) };
}
