import type { ProxyNode } from '../process/proxy-node.ts';

/** All counters and gauges of a proxy under Envoy's names, sorted. */
export function nodeStats(node: ProxyNode): Map<string, number> {
  const stats = new Map<string, number>();
  for (const { made: cluster } of node.clusters.active()) {
    if (cluster === undefined) continue;
    addAll(stats, `cluster.${cluster.program.statName}`, cluster.stats, 'upstream_rq');
    for (const [priority, breaker] of Object.entries(cluster.limits)) {
      const prefix = `cluster.${cluster.program.statName}.circuit_breakers.${priority.toLowerCase()}`;
      const { connections, pending, requests, retries } = breaker;
      addAll(
        stats,
        prefix,
        { cx_active: connections, rq_pending_active: pending, rq_active: requests, rq_retry_active: retries },
        '',
      );
    }
  }
  for (const { prefix, stats: counts } of node.stats.allHcm()) addAll(stats, `http.${prefix}`, counts, 'downstream_rq');
  for (const { prefix, stats: counts } of node.stats.allTcp()) addAll(stats, `tcp.${prefix}`, counts, '');
  for (const { prefix, stats: counts } of node.stats.allListeners()) addAll(stats, `listener.${prefix}`, counts, '');
  for (const [name, { value }] of node.counters.all()) add(stats, name, value);
  return new Map([...stats].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** Nested counters get dotted names; the lists by status class become `…_2xx`; the same name from two places adds up. */
function addAll(stats: Map<string, number>, prefix: string, counts: object, classes: string): void {
  for (const [name, value] of Object.entries(counts)) {
    if (typeof value === 'number') add(stats, `${prefix}.${name}`, value);
    else if (Array.isArray(value)) {
      for (let status = 1; status < value.length; status++)
        add(stats, `${prefix}.${classes}_${status}xx`, value[status] as number);
    } else if (typeof value === 'object' && value !== null) addAll(stats, `${prefix}.${name}`, value, classes);
  }
}

function add(stats: Map<string, number>, name: string, value: number): void {
  stats.set(name, (stats.get(name) ?? 0) + value);
}
