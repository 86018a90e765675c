import type { ClusterHost } from '../cluster/host.ts';
import type { ManagedCluster } from '../cluster/managed.ts';
import { addAll, type Values } from './collect.ts';

export const HOST_COUNTERS = [
  'cx_connect_fail',
  'cx_total',
  'rq_error',
  'rq_success',
  'rq_timeout',
  'rq_total',
] as const;
export const HOST_GAUGES = ['cx_active', 'rq_active', 'rq_pending_active'] as const;

/** What a host counts, under Envoy's names. */
export function hostStats({
  stats,
  active,
  issued,
}: ClusterHost): Record<(typeof HOST_COUNTERS | typeof HOST_GAUGES)[number], number> {
  return {
    cx_active: stats.cx_active,
    cx_connect_fail: stats.cx_connect_fail,
    cx_total: stats.cx_total,
    rq_active: active,
    rq_error: stats.rq_error,
    rq_pending_active: 0,
    rq_success: stats.rq_success,
    rq_timeout: stats.rq_timeout,
    rq_total: issued,
  };
}

function nameOf({ program }: ManagedCluster, { authority }: ClusterHost): string {
  return `cluster.${program.statName}.endpoint.${authority.replaceAll(':', '_')}`;
}

/** Each endpoint of a cluster that tracks them. */
export function addEndpoints(values: Values, managed: ManagedCluster): void {
  if (!managed.program.tracking.endpoints) return;
  for (const host of managed.cluster.hosts)
    addAll(values, nameOf(managed, host), {
      ...hostStats(host),
      healthy: Number(host.availability === 'healthy'),
    });
}

/** The tags of the statistics of endpoints, by what these have in common: what comes before the last dot. */
export function endpointTags(clusters: Iterable<ManagedCluster>): Map<string, { name: string; value: string }[]> {
  const tags = new Map<string, { name: string; value: string }[]>();
  for (const managed of clusters) {
    if (!managed.program.tracking.endpoints) continue;
    for (const host of managed.cluster.hosts)
      tags.set(nameOf(managed, host), [
        { name: 'envoy.cluster_name', value: managed.program.statName },
        { name: 'envoy.endpoint_address', value: host.authority },
        ...(host.hostname === '' ? [] : [{ name: 'envoy.endpoint_hostname', value: host.hostname }]),
      ]);
  }
  return tags;
}
