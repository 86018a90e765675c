import type { BalancedHost, PriorityHosts, Share } from './types.ts';

/**
 * Each host's share for consistent hashing: its weight among its like, times its locality's where those count. Where they
 * do and none has any, nobody has a share.
 */
export function shares(priority: PriorityHosts, panic: boolean, localityWeighted: boolean): Share[] {
  if (!localityWeighted || priority.unweighted === true) return of(panic ? priority.hosts : priority.healthy, 1);
  const total = priority.localities.reduce((sum, { weight }) => sum + weight, 0);
  return priority.localities
    .filter(({ weight }) => weight > 0)
    .flatMap((locality) => of(panic ? locality.hosts : locality.healthy, locality.weight / total));
}

function of(hosts: readonly BalancedHost[], part: number): Share[] {
  const total = hosts.reduce((sum, { weight }) => sum + weight, 0);
  return hosts.map((host) => ({ host, weight: (host.weight * part) / total }));
}
