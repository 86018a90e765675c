import type { JsonObject } from '@mizzen/xds';
import type { Cluster } from '../cluster/cluster.ts';
import type { ClusterHost } from '../cluster/host.ts';
import { localityKey } from '../cluster/priorities.ts';
import type { LocalityProgram } from '../program/types.ts';

export interface LocalityOfHosts {
  readonly locality: JsonObject;
  readonly priority: number;
  readonly hosts: readonly ClusterHost[];
}

/** Hosts by priority and locality, in the order of Envoy: the proxy's own locality, then by name. */
export function localitiesOf(cluster: Cluster, ownLocality: string): readonly LocalityOfHosts[] {
  const seen = new Set<ClusterHost>();
  const groups = new Map<string, { readonly at: LocalityProgram; readonly hosts: ClusterHost[] }>();
  for (const at of cluster.endpoints?.localities ?? []) {
    const key = `${at.priority} ${localityKey(at)}`;
    for (const endpoint of at.endpoints) {
      const host = cluster.hostOf(endpoint);
      if (host === undefined || seen.has(host)) continue;
      seen.add(host);
      const group = groups.get(key);
      if (group === undefined) groups.set(key, { at, hosts: [host] });
      else group.hosts.push(host);
    }
  }
  const order = ({ at }: { readonly at: LocalityProgram }): readonly (string | number)[] => [
    at.priority,
    localityKey(at) === ownLocality ? 0 : 1,
    at.region,
    at.zone,
    at.subZone,
  ];
  return [...groups.values()]
    .toSorted((a, b) => compare(order(a), order(b)))
    .map(({ at, hosts }) => ({ locality: localityJson(at), priority: at.priority, hosts }));
}

function compare(a: readonly (string | number)[], b: readonly (string | number)[]): number {
  const at = a.findIndex((each, i) => each !== b[i]);
  return at < 0 ? 0 : a[at]! < b[at]! ? -1 : 1;
}

function localityJson({ region, zone, subZone }: LocalityProgram): JsonObject {
  return { region, zone, subZone };
}
