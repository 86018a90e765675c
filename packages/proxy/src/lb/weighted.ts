import type { Clock } from '../deps.ts';
import type { SlowStartProgram } from '../program/types.ts';
import { EdfScheduler } from './edf.ts';
import type { BalancedHost } from './types.ts';

/** The weight a host has now. */
export type WeightOf = (host: BalancedHost) => number;

/** A healthy host that joined less than `window` ago gets a share that grows with its age. Undefined: weights are as given. */
export function slowStartWeight(slowStart: SlowStartProgram | undefined, clock: Clock): WeightOf | undefined {
  if (slowStart === undefined || slowStart.window === 0) return undefined;
  const { window, aggression, minWeight } = slowStart;
  return (host) => {
    const age = Math.max(1, clock.now() - host.since);
    if (age >= window || (host.availability ?? 'healthy') !== 'healthy') return host.weight;
    return host.weight * Math.max(minWeight, (age / window) ** (1 / aggression));
  };
}

export function weightsEqual(hosts: readonly BalancedHost[]): boolean {
  return hosts.every((host) => host.weight === hosts[0]!.weight);
}

/** A schedule of these hosts, begun at a random place so that many proxies do not all start with the same host. */
export function scheduleHosts(
  hosts: readonly BalancedHost[],
  weight: WeightOf,
  start: number,
): EdfScheduler<BalancedHost> {
  const schedule = new EdfScheduler<BalancedHost>();
  for (const host of hosts) schedule.add(host, weight(host));
  for (let i = start % hosts.length; i > 0; i--) schedule.pick(weight);
  return schedule;
}
