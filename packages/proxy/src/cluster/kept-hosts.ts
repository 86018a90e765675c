import type { ClusterProgram, EndpointProgram, EndpointsProgram, LocalityProgram } from '../program/types.ts';
import type { ClusterHost } from './host.ts';
import { hostKey } from './priorities.ts';

/** What an assignment says of endpoints that are not to get requests, whatever checks find. */
export const FAILED_BY_EDS: ReadonlySet<EndpointProgram['health']> = new Set(['UNHEALTHY', 'TIMEOUT']);

/** What checks find healthy stays although the assignment lacks it, unless that is to be so. */
export function withThoseThatPass(
  given: EndpointsProgram,
  before: EndpointsProgram | undefined,
  { healthChecks, ignoreHealthOnHostRemoval, type }: ClusterProgram,
  hosts: ReadonlyMap<string, ClusterHost>,
): EndpointsProgram {
  if (before === undefined || healthChecks.length === 0 || ignoreHealthOnHostRemoval) return given;
  if (type === 'LOGICAL_DNS') return given;
  const listed = new Set(given.localities.flatMap(({ endpoints }) => endpoints.map(hostKey)));
  const stays = (endpoint: EndpointProgram): boolean => {
    const host = hosts.get(hostKey(endpoint));
    if (host === undefined) return false;
    host.pendingDynamicRemoval = false;
    if (listed.has(hostKey(endpoint)) || endpoint.healthCheckDisabled) return false;
    host.pendingDynamicRemoval = !host.failedActiveHc && !FAILED_BY_EDS.has(endpoint.health);
    return host.pendingDynamicRemoval;
  };
  const localities = [...given.localities];
  for (const locality of before.localities) {
    const kept = locality.endpoints.filter(stays);
    if (kept.length === 0) continue;
    const at = localities.findIndex((other) => sameLocality(other, locality));
    const into = localities[at];
    if (into === undefined) localities.push({ ...locality, weight: undefined, endpoints: kept });
    else localities[at] = { ...into, endpoints: [...into.endpoints, ...kept] };
  }
  return { ...given, localities: localities.sort((a, b) => a.priority - b.priority) };
}

function sameLocality(a: LocalityProgram, b: LocalityProgram): boolean {
  return a.priority === b.priority && a.region === b.region && a.zone === b.zone && a.subZone === b.subZone;
}
