import type { LocalityHosts, PriorityHosts } from '../lb/types.ts';
import type { EndpointsProgram } from '../program/types.ts';
import { authorityOf, type ClusterHost } from './host.ts';

/** Sorts the hosts of a cluster by priority, locality and what each may be used for now. */
export function priorities(endpoints: EndpointsProgram, hosts: ReadonlyMap<string, ClusterHost>): PriorityHosts[] {
  const last = Math.max(-1, ...endpoints.localities.map(({ priority }) => priority));
  const sorted: PriorityHosts[] = [];
  const seen = new Set<ClusterHost>();
  for (let priority = 0; priority <= last; priority++) {
    const localities = endpoints.localities
      .filter((locality) => locality.priority === priority)
      .map((locality): LocalityHosts & { excluded: number } => {
        const members = locality.endpoints
          .map((endpoint) => hosts.get(hostKey(endpoint))!)
          .filter((host) => !seen.has(host));
        for (const host of members) seen.add(host);
        return { key: localityKey(locality), weight: locality.weight ?? 0, ...byAvailability(members) };
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

/** What makes two endpoints of an assignment the same one. */
export function hostKey(endpoint: EndpointsProgram['localities'][number]['endpoints'][number]): string {
  return `${authorityOf(endpoint)} ${endpoint.hostname}`;
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
