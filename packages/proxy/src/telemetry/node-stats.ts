import type { Cluster } from '../cluster/cluster.ts';
import type { ProxyNode } from '../process/proxy-node.ts';
import type { ListenerProgram, UpstreamTransportProgram } from '../program/types.ts';

/** All counters and gauges of a proxy under Envoy's names, sorted. */
export function nodeStats(node: ProxyNode): Map<string, number> {
  const stats = new Map<string, number>();
  for (const { made: cluster } of node.clusters.active()) {
    if (cluster === undefined) continue;
    addAll(stats, `cluster.${cluster.program.statName}`, named(cluster), 'upstream_rq');
    for (const [priority, breaker] of Object.entries(cluster.limits)) {
      const prefix = `cluster.${cluster.program.statName}.circuit_breakers.${priority.toLowerCase()}`;
      addAll(stats, prefix, breaker.open(), '');
    }
  }
  for (const { prefix, stats: counts } of node.stats.allHcm()) {
    // Derived: all requests are HTTP/1, and a connection that is not active any more was destroyed.
    const derived = {
      downstream_cx_destroy: counts.downstream_cx_total - counts.downstream_cx_active,
      downstream_rq_http1_total: counts.downstream_rq_total,
    };
    addAll(stats, `http.${prefix}`, { ...counts, ...derived }, 'downstream_rq');
  }
  for (const { prefix, stats: counts } of node.stats.allTcp()) addAll(stats, `tcp.${prefix}`, counts, '');
  const secured = new Set(
    node.listeners.active().flatMap(({ listener: { program } }) => (hasTls(program) ? [program.statPrefix] : [])),
  );
  for (const { prefix, stats: counts } of node.stats.allListeners()) {
    const { ssl, ...plain } = counts;
    addAll(stats, `listener.${prefix}`, secured.has(prefix) ? { ...plain, ssl } : plain, '');
  }
  const { clusters, listeners, records } = node;
  addAll(
    stats,
    'cluster_manager',
    {
      ...clusters.counts,
      active_clusters: [...clusters.active()].length,
      warming_clusters: clusters.warming().length,
      ...(records.counts('cluster').update_attempt === 0 ? {} : { cds: records.counts('cluster') }),
    },
    '',
  );
  addAll(
    stats,
    'listener_manager',
    {
      ...listeners.counts,
      total_listeners_active: listeners.active().length,
      total_listeners_warming: listeners.waiting().length,
      ...(records.counts('listener').update_attempt === 0 ? {} : { lds: records.counts('listener') }),
    },
    '',
  );
  for (const [name, { value }] of node.counters.all()) add(stats, name, value);
  return new Map([...stats].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

const SSL = /^ssl_/;
const EJECTIONS = /^outlier_ejections_/;

/** A cluster's counters under Envoy's names, those of TLS and of ejections only where these are configured. */
function named({ stats, program }: Cluster): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  const ssl: Record<string, unknown> = {};
  const outlier: Record<string, number> = {};
  for (const [name, value] of Object.entries(stats) as [string, number | number[] | Record<string, number>][]) {
    if (SSL.test(name)) ssl[name.replace(SSL, '')] = value;
    else if (!EJECTIONS.test(name)) out[name] = value;
  }
  outlier['ejections_active'] = stats.outlier_ejections_active;
  outlier['ejections_enforced_total'] = stats.outlier_ejections_total;
  outlier['ejections_overflow'] = stats.outlier_ejections_overflow;
  for (const [kind, count] of Object.entries(stats.outlier_ejections_detected))
    outlier[`ejections_detected_${kind}`] = count;
  for (const [kind, count] of Object.entries(stats.outlier_ejections_enforced))
    outlier[`ejections_enforced_${kind}`] = count;
  const tls = [program.transport, ...program.transportMatches.map((match) => match.transport)].some(isTls);
  return {
    ...out,
    upstream_cx_destroy: stats.upstream_cx_total - stats.upstream_cx_active,
    ...(tls ? { ssl } : {}),
    ...(program.outlierDetection === undefined ? {} : { outlier_detection: outlier }),
  };
}

function isTls(transport: UpstreamTransportProgram): boolean {
  return transport.kind === 'tls' || (transport.kind === 'proxy_protocol' && isTls(transport.inner));
}

function hasTls({ chains, defaultChain }: ListenerProgram): boolean {
  return chains.some(({ tls }) => tls !== undefined) || defaultChain?.tls !== undefined;
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
