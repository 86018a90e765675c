import type { CodecStats, HcmStats } from '../http/runtime.ts';
import type { ListenerStats } from '../listener/services.ts';
import type { TcpProxyStats } from '../listener/tcp-runtime.ts';
import type { ProxyNode } from '../process/proxy-node.ts';
import { tlsSecrets } from '../program/transport.ts';
import type { ListenerProgram } from '../program/types.ts';
import { addExpirations } from './certificate-expirations.ts';
import { add, addAll, numbers, type Histograms, type Values } from './collect.ts';
import { addClusterHistograms, addClusterStats } from './cluster-stats.ts';
import { addFactory, addTls } from './tls-stats.ts';
import { addXdsStats, type OtherStats } from './xds-stats.ts';

/** Names of what cannot happen here, which Envoy has all the same. */
const HCM_NEVER = `downstream_cx_destroy_active_rq downstream_cx_http1_soft_drain downstream_cx_http2_active
  downstream_cx_http2_total downstream_cx_http3_active downstream_cx_http3_total
  downstream_cx_overload_disable_keepalive downstream_cx_rx_bytes_buffered downstream_cx_tx_bytes_buffered
  downstream_rq_http2_total downstream_rq_http3_total downstream_rq_overload_close
  downstream_rq_too_many_premature_resets`.split(/\s+/);
const ROUTER_NEVER = ['rq_overload_local_reply'];
const LISTENER_NEVER = ['downstream_cx_overload_reject'];
const TCP_NEVER = `downstream_cx_drain_close downstream_cx_overload_close downstream_cx_rx_bytes_buffered
  downstream_cx_tx_bytes_buffered downstream_flow_control_paused_reading_total
  downstream_flow_control_resumed_reading_total route_delayed_total
  upstream_flush_active upstream_flush_total`.split(/\s+/);
/** What the router counts under the connection manager's prefix. */
const ROUTER = new Set([
  'no_route',
  'no_cluster',
  'rq_redirect',
  'rq_direct_response',
  'rq_total',
  'rq_reset_after_downstream_response_started',
  'passthrough_internal_redirect_bad_location',
  'passthrough_internal_redirect_no_route',
  'passthrough_internal_redirect_predicate',
  'passthrough_internal_redirect_too_many_redirects',
  'passthrough_internal_redirect_unsafe_scheme',
]);
/** All counters and gauges of a proxy under Envoy's names, sorted. */
export function nodeStats(node: ProxyNode, other: OtherStats = { texts: new Map(), large: new Map() }): Values {
  const values: Values = new Map();
  const updatesOf = (secrets: readonly string[]): number =>
    secrets.reduce((sum, name) => sum + node.records.subscription('secret', name).others, 0);
  for (const managed of node.clusters.active()) addClusterStats(values, managed, updatesOf, node.secrets);
  for (const name of [...ROUTER, ...ROUTER_NEVER]) add(values, `http.async-client.${name}`, 0);
  for (const { prefix, stats } of node.stats.allHcm()) {
    addHcmStats(values, prefix, stats);
    for (const [field, value] of Object.entries(numbers(stats)))
      if (field.startsWith('tracing.')) add(values, `http.${prefix}.${field}`, value);
    for (const name of ROUTER_NEVER) add(values, `http.${prefix}.${name}`, 0);
    addAll(values, `http.${prefix}`, routerStats(stats));
    for (const [agent, counts] of stats.userAgents)
      addAll(values, `http.${prefix}.user_agent.${agent}`, numbers(counts));
  }
  addGroups(values, node);
  for (const { prefix, stats } of node.stats.allTcp()) addTcp(values, `tcp.${prefix}`, stats);
  addCodec(values, node.stats.codec);
  addListeners(values, node, updatesOf);
  addManagers(values, node);
  addXdsStats(values, other, node);
  for (const [name, { value }] of node.counters.all()) add(values, name, value);
  for (const { fullName, kind, counter } of node.tagged.all())
    if (kind !== 'histogram') add(values, fullName, counter.value);
  return new Map([...values].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

export function nodeHistograms(node: ProxyNode): Histograms {
  const histograms: Histograms = new Map();
  const join = (name: string, ...more: Histograms extends Map<string, infer T> ? T : never): void => {
    histograms.set(name, [...(histograms.get(name) ?? []), ...more]);
  };
  for (const managed of node.clusters.active()) addClusterHistograms(histograms, managed);
  for (const { prefix, stats } of node.stats.allHcm()) {
    join(`http.${prefix}.downstream_cx_length_ms`, stats.downstream_cx_length_ms);
    join(`http.${prefix}.downstream_rq_time`, stats.downstream_rq_time);
    for (const [agent, { downstream_cx_length_ms: length }] of stats.userAgents)
      join(`http.${prefix}.user_agent.${agent}.downstream_cx_length_ms`, length);
  }
  for (const [name, { upstream_rq_time: time }] of node.stats.requestGroups.all())
    if (time.begun) join(`${name}.upstream_rq_time`, time);
  for (const { prefix, stats } of node.stats.allListeners())
    join(`listener.${prefix}.downstream_cx_length_ms`, stats.downstream_cx_length_ms);
  for (const { fullName, histogram } of node.tagged.all()) if (histogram !== undefined) join(fullName, histogram);
  return new Map([...histograms].toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** What the connection manager counts, the router's part left out. */
export function addHcmStats(values: Values, prefix: string, stats: HcmStats): void {
  const name = `http.${prefix}`;
  for (const never of HCM_NEVER) add(values, `${name}.${never}`, 0);
  for (const [field, value] of Object.entries(numbers(stats)))
    if (!ROUTER.has(field) && !field.startsWith('tracing.')) add(values, `${name}.${field}`, value);
  const active = stats.downstream_cx_destroy_local_active_rq + stats.downstream_cx_destroy_remote_active_rq;
  add(values, `${name}.downstream_cx_destroy_active_rq`, active);
  addClasses(values, name, stats.downstream_rq_xx);
}

function routerStats(stats: HcmStats): Record<string, number> {
  return Object.fromEntries(Object.entries(numbers(stats)).filter(([field]) => ROUTER.has(field)));
}

function addGroups(values: Values, node: ProxyNode): void {
  const { requestGroups } = node.stats;
  // Those of routes in force are there before anybody asks.
  for (const { requestGroups: names } of node.routeConfigs()) for (const name of names) requestGroups.get(name);
  for (const [name, group] of requestGroups.all()) {
    addAll(values, name, numbers(group));
    group.codes.addTo(values, `${name}.`);
  }
}

function addListeners(values: Values, node: ProxyNode, updatesOf: (secrets: readonly string[]) => number): void {
  const secured = new Map<string, number>();
  for (const { listener } of node.listeners.active()) {
    const { program } = listener;
    if (!hasTls(program)) continue;
    const chains = program.defaultChain === undefined ? program.chains : [...program.chains, program.defaultChain];
    const contexts = chains.flatMap(({ tls }) => (tls === undefined ? [] : [tls]));
    addExpirations(values, `listener.${program.statPrefix}`, contexts, node.secrets);
    const secrets = contexts.flatMap(tlsSecrets);
    secured.set(program.statPrefix, (secured.get(program.statPrefix) ?? 0) + updatesOf(secrets));
  }
  for (const { prefix, stats } of node.stats.allListeners()) {
    addListenerStats(values, prefix, stats, 'worker_0');
    addAll(values, `listener.${prefix}`, missingFilters(stats));
    const updates = secured.get(prefix);
    if (updates === undefined) continue;
    addTls(values, `listener.${prefix}.ssl`, stats.ssl);
    addFactory(values, `listener.${prefix}`, 'server', stats.ssl, updates);
  }
}

function addTcp(values: Values, name: string, stats: TcpProxyStats): void {
  for (const never of TCP_NEVER) add(values, `${name}.${never}`, 0);
  const { downstream_cx_active: _, ...shown } = numbers(stats);
  addAll(values, name, shown);
}

function addCodec(values: Values, codec: CodecStats): void {
  addAll(values, 'http1', { ...codec, metadata_not_supported_error: 0, response_flood: 0 });
}

function missingFilters(stats: ListenerStats): Record<string, number> {
  const { extension_config_missing, network_extension_config_missing } = stats;
  return { extension_config_missing, network_extension_config_missing };
}

/** One thread, of that name, does it all. */
export function addListenerStats(values: Values, prefix: string, stats: ListenerStats, thread: string): void {
  const name = `listener.${prefix}`;
  for (const never of LISTENER_NEVER) add(values, `${name}.${never}`, 0);
  const { extension_config_missing: _, network_extension_config_missing: __, ...shown } = numbers(stats);
  addAll(values, name, shown);
  addAll(values, `${name}.${thread}`, {
    downstream_cx_active: stats.downstream_cx_active,
    downstream_cx_total: stats.downstream_cx_total,
  });
  for (const [hcm, answers] of stats.answers) {
    addAll(values, `${name}.http.${hcm}`, numbers(answers));
    addClasses(values, `${name}.http.${hcm}`, answers.downstream_rq_xx);
  }
}

function addManagers(values: Values, { clusters, listeners }: ProxyNode): void {
  addAll(values, 'cluster_manager', {
    ...clusters.counts,
    active_clusters: [...clusters.active()].length,
    warming_clusters: clusters.warming().length,
  });
  addAll(values, 'listener_manager', {
    listener_create_failure: 0,
    ...listeners.draining,
    workers_pinned: 0,
    workers_started: 1,
    ...listeners.counts,
    total_listeners_active: listeners.active().length,
    total_listeners_warming: listeners.waiting().length,
  });
}

function hasTls({ chains, defaultChain }: ListenerProgram): boolean {
  return chains.some(({ tls }) => tls !== undefined) || defaultChain?.tls !== undefined;
}

function addClasses(values: Values, prefix: string, classes: readonly number[]): void {
  for (let digit = 1; digit <= 5; digit++) add(values, `${prefix}.downstream_rq_${digit}xx`, classes[digit]!);
}
