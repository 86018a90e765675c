import type { Deps } from '../deps.ts';
import type { BalancedHost, HostPicker } from './types.ts';

/** RANDOM: any of them; weights do not count, as in Envoy. */
export function randomHost(hosts: readonly BalancedHost[], deps: Deps): HostPicker {
  const size = hosts.length;
  return { pick: () => (size === 0 ? undefined : hosts[deps.random.uint32() % size]) };
}
