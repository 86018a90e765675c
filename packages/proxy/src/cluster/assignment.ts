import { isDeepStrictEqual } from 'node:util';
import type { EndpointProgram, EndpointsProgram } from '../program/types.ts';
import { hostKey, localityKey } from './priorities.ts';
import type { PriorityUpdate } from './update-merging.ts';

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
  for (const priority of new Set([...were.keys(), ...are.keys()]))
    if (!sameKeys(were.get(priority), are.get(priority))) changed++;
  return changed;
}

function sameKeys(before: ReadonlySet<string> | undefined, now: ReadonlySet<string> | undefined): boolean {
  return before?.size === now?.size && [...(before ?? [])].every((key) => now?.has(key) === true);
}

/** Priorities of which something is another, be it only the weight or health of a host. */
export function updatedPriorities(before: EndpointsProgram | undefined, now: EndpointsProgram): PriorityUpdate[] {
  const [were, are] = [keysByPriority(before), keysByPriority(now)];
  const updates: PriorityUpdate[] = [];
  for (let priority = 0; priority < Math.max(prioritiesOf(before), prioritiesOf(now)); priority++) {
    const membership = !sameKeys(were.get(priority), are.get(priority));
    if (membership || !sameAssignment(only(before, priority), only(now, priority)!))
      updates.push({ priority, membership });
  }
  return updates;
}

/** As many as there would be in Envoy: one at least, and those before the last. */
export function prioritiesOf(endpoints: EndpointsProgram | undefined): number {
  return Math.max(1, ...(endpoints?.localities ?? []).map(({ priority }) => priority + 1));
}

/** As Envoy has it, of the last priority that there ever was, and 1 when nobody is there. */
export function heaviestOfLast({ localities }: EndpointsProgram, priorities: number): number {
  let most = 1;
  for (const { priority, endpoints } of localities)
    if (priority === priorities - 1) for (const { weight } of endpoints) most = Math.max(most, weight);
  return most;
}

function only(endpoints: EndpointsProgram | undefined, wanted: number): EndpointsProgram | undefined {
  if (endpoints === undefined) return undefined;
  return { ...endpoints, localities: endpoints.localities.filter(({ priority }) => priority === wanted) };
}

function keysByPriority(endpoints: EndpointsProgram | undefined): Map<number, Set<string>> {
  const map = new Map<number, Set<string>>();
  for (const locality of endpoints?.localities ?? []) {
    let keys = map.get(locality.priority);
    if (keys === undefined) map.set(locality.priority, (keys = new Set()));
    for (const endpoint of locality.endpoints) keys.add(`${hostKey(endpoint)} ${localityKey(locality)}`);
  }
  return new Map([...map].filter(([, keys]) => keys.size > 0));
}

/** The gauges of a cluster's hosts, as what lists them says. */
export function membership({ localities }: EndpointsProgram): {
  readonly membership_total: number;
  readonly membership_healthy: number;
  readonly membership_degraded: number;
  readonly membership_excluded: number;
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
  };
}
