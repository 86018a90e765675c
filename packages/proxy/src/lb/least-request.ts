import type { Deps } from '../deps.ts';
import type { LbProgram } from '../program/types.ts';
import type { BalancedHost, HostPicker } from './types.ts';
import { scheduleHosts, slowStartWeight, weightsEqual } from './weighted.ts';

type LeastRequest = Extract<LbProgram, { policy: 'LEAST_REQUEST' }>;

/**
 * LEAST_REQUEST: of a few hosts taken at random the one with the fewest requests under way; when weights differ, a
 * weighted schedule in which requests under way make a host lighter.
 */
export function leastRequest(hosts: readonly BalancedHost[], program: LeastRequest, deps: Deps): HostPicker {
  const slow = slowStartWeight(program.slowStart, deps.clock);
  if (slow === undefined && weightsEqual(hosts))
    return program.fullScan ? fewestOfAll(hosts, deps) : fewestOfSome(hosts, program.choiceCount, deps);
  const base = slow ?? ((host: BalancedHost) => host.weight);
  const bias = program.activeRequestBias;
  const weight =
    bias === 0
      ? base
      : bias === 1
        ? (host: BalancedHost) => base(host) / (host.active + 1)
        : (host: BalancedHost) => base(host) / (host.active + 1) ** bias;
  const schedule = scheduleHosts(hosts, weight, deps.random.uint32());
  return { pick: () => schedule.pick(weight) };
}

function fewestOfSome(hosts: readonly BalancedHost[], choices: number, deps: Deps): HostPicker {
  const { random } = deps;
  const size = hosts.length;
  return {
    pick: () => {
      if (size <= 1) return hosts[0];
      let best = hosts[random.uint32() % size]!;
      for (let i = 1; i < choices; i++) {
        const other = hosts[random.uint32() % size]!;
        if (other.active < best.active) best = other;
      }
      return best;
    },
  };
}

/** Among equals any of them. */
function fewestOfAll(hosts: readonly BalancedHost[], { random }: Deps): HostPicker {
  return {
    pick: () => {
      let best = hosts[0];
      let tied = 1;
      for (let i = 1; i < hosts.length; i++) {
        const other = hosts[i]!;
        if (other.active < best!.active) [best, tied] = [other, 1];
        else if (other.active === best!.active && random.uint32() % ++tied === 0) best = other;
      }
      return best;
    },
  };
}
