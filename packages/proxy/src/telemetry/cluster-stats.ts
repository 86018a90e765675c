import { remainingOf } from '../cluster/circuit-breaker.ts';
import type { Cluster } from '../cluster/cluster.ts';
import type { ManagedCluster } from '../cluster/managed.ts';
import { membership, nowhere } from '../cluster/assignment.ts';
import { newClusterStats, type ClusterDetailStats } from '../cluster/stats.ts';
import type { Spread } from '../lb/types.ts';
import type { ClusterProgram } from '../program/types.ts';
import type { AnswersByKind } from '../types/upstream.ts';
import type { SecretLookup } from '../tls/named-secrets.ts';
import { tlsOf } from '../tls/held.ts';
import { addExpirations } from './certificate-expirations.ts';
import { add, addAll, type Histograms, type Values } from './collect.ts';
import { addDnsCache } from './dns-cache-stats.ts';
import { addEndpoints } from './endpoint-stats.ts';
import type { Histogram } from './histogram.ts';
import { newBudgets, newSizes, type MessageSizes, type TimeoutBudgets } from './tracked.ts';
import { addFactory, addTls } from './tls-stats.ts';

/** Names of what cannot happen here, which Envoy has all the same. */
const NEVER =
  `assignment_use_cached lb_recalculate_zone_structures upstream_cx_connect_with_0_rtt upstream_cx_http2_total upstream_cx_http3_total
  upstream_cx_pool_overflow upstream_cx_preconnect_skipped upstream_cx_rx_bytes_buffered upstream_cx_tx_bytes_buffered
  upstream_http3_broken upstream_queue_overloaded upstream_rq_0rtt upstream_rq_rx_reset_no_error version
  warming_state`.split(/\s+/);

/** Of the codec, which is there once there was a connection. */
const CODEC_NEVER = [
  'dropped_headers_with_underscores',
  'metadata_not_supported_error',
  'requests_rejected_with_underscores_in_headers',
  'response_flood',
];

/** The values of a cluster, which has none of its own yet when nobody has asked for it. */
export function addClusterStats(
  values: Values,
  managed: ManagedCluster,
  /** How often secrets have come. */
  updatesOf: (secrets: readonly string[]) => number,
  secrets: SecretLookup,
): void {
  const { program } = managed;
  // Envoy has its ring, table or subsets from the start.
  const made = HASHES.has(program.lb.policy) || program.subsets !== undefined ? managed.cluster : managed.made;
  const prefix = `cluster.${program.statName}`;
  const stats = made?.stats ?? untouched(managed);
  for (const name of NEVER) values.set(`${prefix}.${name}`, values.get(`${prefix}.${name}`) ?? 0);
  if (spokeHttp1(program, stats)) for (const name of CODEC_NEVER) add(values, `${prefix}.http1.${name}`, 0);
  addAll(values, prefix, counts(stats));
  if (program.type === 'DYNAMIC_FORWARD_PROXY') addDnsCache(values, managed);
  add(values, `${prefix}.upstream_rq_completed`, 0);
  if (made !== undefined)
    add(values, `${prefix}.upstream_rq_pending_active`, made.limits.DEFAULT.pending + made.limits.HIGH.pending);
  addAnswers(values, prefix, stats);
  stats.grpc.addTo(values, prefix);
  addSpread(values, prefix, program.lb.policy, stats.lb_spread);
  for (const [name, count] of matches(
    program.transportMatches.map(({ name }) => name),
    stats,
  ))
    addAll(values, `${prefix}.${name}`, { total_match_count: count });
  const transports = [program.transport, ...program.transportMatches.map(({ transport }) => transport)];
  if (transports.some(({ kind }) => kind === 'proxy_protocol'))
    addAll(values, `${prefix}.upstream.proxyprotocol`, stats.proxyprotocol);
  const contexts = transports.map(tlsOf).filter((tls) => tls !== undefined);
  if (contexts.length > 0) {
    addTls(values, `${prefix}.ssl`, stats.ssl);
    addFactory(values, prefix, 'client', stats.ssl, updatesOf(program.secretNames));
    addExpirations(values, prefix, contexts, secrets);
  }
  if (program.outlierDetection !== undefined) addAll(values, `${prefix}.outlier_detection`, stats.outlier_detection);
  if (stats.health_check !== undefined) addNested(values, `${prefix}.health_check`, stats.health_check);
  addBreakers(values, `${prefix}.circuit_breakers`, program, made);
  addEndpoints(values, managed);
}

/** There was a connection that spoke HTTP/1.1, be it to ask how a host is. */
function spokeHttp1({ healthChecks }: ClusterProgram, stats: ClusterDetailStats): boolean {
  if (stats.upstream_cx_http1_total > 0) return true;
  const checks = stats.health_check;
  if (checks === undefined) return false;
  return healthChecks.some(({ name, check }) => {
    const counts = 'attempt' in checks ? checks : checks.name[name];
    return check.kind === 'http' && Number(counts?.attempt) > 0;
  });
}

export function addClusterHistograms(histograms: Histograms, { made, program }: ManagedCluster): void {
  const prefix = `cluster.${program.statName}`;
  const stats = made?.stats ?? newClusterStats();
  for (const name of ['upstream_cx_connect_ms', 'upstream_cx_length_ms', 'upstream_rq_per_cx'] as const)
    histograms.set(`${prefix}.${name}`, [stats[name]]);
  const { budgets, sizes } = program.tracking;
  if (budgets) addTracked(histograms, prefix, stats.budgets ?? newBudgets());
  if (sizes) addTracked(histograms, prefix, stats.sizes ?? newSizes());
  stats.grpc.addHistogramsTo(histograms, prefix);
  addTimes(histograms, prefix, stats);
  for (const [name, answers] of stats.alternatives) addTimes(histograms, `${prefix}.${name}`, answers);
}

function addTracked(histograms: Histograms, prefix: string, tracked: TimeoutBudgets | MessageSizes): void {
  for (const [name, histogram] of Object.entries(tracked) as [string, Histogram][])
    histograms.set(`${prefix}.${name}`, [histogram]);
}

function addTimes(histograms: Histograms, prefix: string, answers: AnswersByKind): void {
  const times = [answers.external.upstream_rq_time, answers.internal.upstream_rq_time];
  if (times.some(({ begun }) => begun)) histograms.set(`${prefix}.upstream_rq_time`, times);
  for (const kind of ['external', 'internal', 'canary'] as const) {
    const { upstream_rq_time: time } = answers[kind];
    if (time.begun) histograms.set(`${prefix}.${kind}.upstream_rq_time`, [time]);
  }
  for (const [zones, { upstream_rq_time: time }] of answers.zones)
    if (time.begun) histograms.set(`${prefix}.zone.${zones}.upstream_rq_time`, [time]);
}

function untouched({ endpoints, counted, assignments }: ManagedCluster): ClusterDetailStats {
  const members = membership(endpoints ?? nowhere(''));
  return {
    ...newClusterStats(),
    ...counted,
    ...assignments.counts,
    ...members,
  };
}

/** Names of what is within others are joined by dots. */
function addNested(values: Values, prefix: string, counts: object): void {
  for (const [name, value] of Object.entries(counts) as [string, unknown][]) {
    if (typeof value === 'number') add(values, `${prefix}.${name}`, value);
    else if (typeof value === 'object' && value !== null) addNested(values, `${prefix}.${name}`, value);
  }
}

/** The numbers among the stats, and what follows from them. */
function counts(stats: ClusterDetailStats): Record<string, number> {
  const out: Record<string, number> = {};
  for (const [name, value] of Object.entries(stats) as [string, unknown][])
    if (typeof value === 'number') out[name] = value;
  delete out['upstream_rq_drop_overload'];
  out['upstream_cx_destroy_local'] = stats.upstream_cx_destroy - stats.upstream_cx_destroy_remote;
  out['upstream_cx_destroy_with_active_rq'] =
    stats.upstream_cx_destroy_local_with_active_rq + stats.upstream_cx_destroy_remote_with_active_rq;
  return out;
}

function addAnswers(values: Values, prefix: string, stats: ClusterDetailStats): void {
  addAnswersOf(values, prefix, stats);
  for (const [name, answers] of stats.alternatives) addAnswersOf(values, `${prefix}.${name}`, answers);
  stats.retry.addTo(values, `${prefix}.retry.`, true);
}

function addAnswersOf(values: Values, prefix: string, answers: AnswersByKind): void {
  for (const kind of ['external', 'internal'] as const) {
    answers[kind].codes.addTo(values, `${prefix}.`, true);
    answers[kind].codes.addTo(values, `${prefix}.${kind}.`);
  }
  answers.canary.codes.addTo(values, `${prefix}.canary.`);
  for (const [zones, { codes }] of answers.zones) codes.addTo(values, `${prefix}.zone.${zones}.`);
}

function matches(names: readonly string[], { transport_matches: counts }: ClusterDetailStats): [string, number][] {
  return ['default', ...names].map((name) => [name, counts.get(name) ?? 0]);
}

function addBreakers(values: Values, prefix: string, program: ClusterProgram, made: Cluster | undefined): void {
  for (const priority of ['DEFAULT', 'HIGH'] as const) {
    const open = made?.limits[priority].open() ?? CLOSED;
    addAll(values, `${prefix}.${priority.toLowerCase()}`, open);
    if (program.thresholds[priority].trackRemaining)
      addAll(
        values,
        `${prefix}.${priority.toLowerCase()}`,
        made?.limits[priority].remaining() ?? remainingOf(program.thresholds[priority]),
      );
  }
}

const HASHES: ReadonlySet<string> = new Set(['RING_HASH', 'MAGLEV']);

function addSpread(values: Values, prefix: string, policy: string, spread: Spread | undefined): void {
  const { size, least, most } = spread ?? { size: 0, least: 0, most: 0 };
  if (policy === 'RING_HASH')
    addAll(values, `${prefix}.ring_hash_lb`, { size, min_hashes_per_host: least, max_hashes_per_host: most });
  if (policy === 'MAGLEV')
    addAll(values, `${prefix}.maglev_lb`, { min_entries_per_host: least, max_entries_per_host: most });
}

const CLOSED = { cx_open: 0, cx_pool_open: 0, rq_open: 0, rq_pending_open: 0, rq_retry_open: 0 };
