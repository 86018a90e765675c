import { isDeepStrictEqual } from 'node:util';
import type { EndpointProgram, EndpointsProgram } from '../program/types.ts';
import { hostKey } from './priorities.ts';

/** An assignment of nothing. */
export function nowhere(name: string): EndpointsProgram {
  return { name, localities: [], overprovisioningFactor: 140, weightedPriorityHealth: false, dropOverload: 0 };
}

/** Nothing that hosts are chosen by would be another; an assignment of nothing is as good as none. */
export function sameAssignment(before: EndpointsProgram | undefined, now: EndpointsProgram): boolean {
  return isDeepStrictEqual(essence(before ?? nowhere(now.name)), essence(now));
}

function essence({ localities, overprovisioningFactor, weightedPriorityHealth }: EndpointsProgram): unknown[] {
  const inUse = localities.filter(({ endpoints }) => endpoints.length > 0);
  return [
    inUse.map(({ endpoints, ...locality }) => [locality, byKey(endpoints)]),
    overprovisioningFactor,
    weightedPriorityHealth,
  ];
}

function byKey(endpoints: readonly EndpointProgram[]): Map<string, EndpointProgram> {
  return new Map(endpoints.map((endpoint) => [hostKey(endpoint), endpoint]));
}

/** In how many priorities hosts come or go. */
export function changedPriorities(before: EndpointsProgram | undefined, now: EndpointsProgram | undefined): number {
  const [were, are] = [keysByPriority(before), keysByPriority(now)];
  let changed = 0;
  for (const priority of new Set([...were.keys(), ...are.keys()])) {
    const [was, is] = [were.get(priority), are.get(priority)];
    if (was?.size !== is?.size || [...(was ?? [])].some((key) => is?.has(key) !== true)) changed++;
  }
  return changed;
}

function keysByPriority(endpoints: EndpointsProgram | undefined): Map<number, Set<string>> {
  const map = new Map<number, Set<string>>();
  for (const { priority, endpoints: members } of endpoints?.localities ?? []) {
    let keys = map.get(priority);
    if (keys === undefined) map.set(priority, (keys = new Set()));
    for (const endpoint of members) keys.add(hostKey(endpoint));
  }
  return new Map([...map].filter(([, keys]) => keys.size > 0));
}

/** The gauges of a cluster's hosts, as what lists them says. */
export function membership({ localities }: EndpointsProgram): {
  readonly membership_total: number;
  readonly membership_healthy: number;
  readonly membership_degraded: number;
  readonly membership_excluded: number;
  readonly max_host_weight: number;
} {
  const listed = new Map(
    localities.flatMap(({ endpoints }) => endpoints.map((each) => [hostKey(each), each] as const)),
  );
  const all = [...listed.values()];
  const degraded = all.filter(({ health }) => health === 'DEGRADED').length;
  const healthy = all.filter(({ health }) => health === 'UNKNOWN' || health === 'HEALTHY').length;
  return {
    membership_total: all.length,
    membership_healthy: healthy,
    membership_degraded: degraded,
    membership_excluded: all.filter(({ health }) => health === 'DRAINING').length,
    max_host_weight: all.reduce((most, { weight }) => Math.max(most, weight), 0),
  };
}
