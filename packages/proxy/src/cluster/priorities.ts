import type { LocalityHosts, PriorityHosts } from '../lb/types.ts';
import type { EndpointProgram, EndpointsProgram } from '../program/types.ts';
import { authorityOf, type ClusterHost } from './host.ts';

/** Sorts the hosts of a cluster by priority, locality and what each may be used for now; `least` priorities at least. */
export function priorities(
  endpoints: EndpointsProgram,
  hosts: ReadonlyMap<string, ClusterHost>,
  least: number,
): PriorityHosts[] {
  const last = Math.max(least - 1, ...endpoints.localities.map(({ priority }) => priority));
  const sorted: PriorityHosts[] = [];
  const seen = new Set<ClusterHost>();
  for (let priority = 0; priority <= last; priority++) {
    const localities = places(endpoints, priority).map(({ key, weight, members }) => {
      const own = members.map((endpoint) => hosts.get(hostKey(endpoint))!).filter((host) => !seen.has(host));
      for (const host of own) seen.add(host);
      return { key, weight, ...byAvailability(own) };
    });
    sorted.push({
      localities,
      hosts: localities.flatMap((locality) => locality.hosts),
      healthy: localities.flatMap((locality) => locality.healthy),
      degraded: localities.flatMap((locality) => locality.degraded),
      excluded: localities.reduce((sum, { excluded }) => sum + excluded, 0),
    });
  }
  return sorted;
}

interface Place {
  readonly key: string;
  weight: number;
  readonly members: EndpointProgram[];
}

/** A locality that is listed several times is one; the last weight that is given counts. */
function places({ localities }: EndpointsProgram, priority: number): readonly Place[] {
  const byKey = new Map<string, Place>();
  for (const locality of localities) {
    if (locality.priority !== priority) continue;
    const key = localityKey(locality);
    let place = byKey.get(key);
    if (place === undefined) byKey.set(key, (place = { key, weight: 0, members: [] }));
    place.weight = locality.weight ?? place.weight;
    place.members.push(...locality.endpoints);
  }
  return [...byKey.values()];
}

/** What makes two endpoints of an assignment the same one. */
export function hostKey(endpoint: EndpointProgram): string {
  const key = `${authorityOf(endpoint)} ${endpoint.hostname}`;
  return endpoint.copy === undefined ? key : `${key} ${endpoint.copy}`;
}

function byAvailability(hosts: readonly ClusterHost[]): Omit<LocalityHosts, 'weight' | 'key'> & { excluded: number } {
  return {
    hosts,
    healthy: hosts.filter((host) => host.availability === 'healthy'),
    degraded: hosts.filter((host) => host.availability === 'degraded'),
    excluded: hosts.filter((host) => host.excluded).length,
  };
}

export function localityKey(at: { readonly region: string; readonly zone: string; readonly subZone: string }): string {
  return JSON.stringify([at.region, at.zone, at.subZone]);
}
