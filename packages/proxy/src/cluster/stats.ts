import type { Spread } from '../lb/types.ts';
import { GrpcCalls } from '../telemetry/grpc-calls.ts';
import { Histogram } from '../telemetry/histogram.ts';
import { ResponseCodes } from '../telemetry/response-codes.ts';
import type { MessageSizes, TimeoutBudgets } from '../telemetry/tracked.ts';
import type { UpstreamTlsStats } from '../tls/client.ts';
import type { AnswersByKind, AnswerStats, ClusterStats } from '../types.ts';

/** What cluster/ and health/ count beside the counters everybody adds to. */
export interface ClusterDetailStats extends ClusterStats {
  upstream_rq_drop_overload: number;
  /** There was a connection of a check that speaks HTTP/1.1. */
  checkedOverHttp1: boolean;
  /** Of PROXY protocol headers that are sent. */
  readonly proxyprotocol: { v2_tlvs_exceed_max_length: number };
  lb_healthy_panic: number;
  lb_subsets_active: number;
  bind_errors: number;
  lb_subsets_created: number;
  lb_subsets_removed: number;
  lb_subsets_selected: number;
  lb_subsets_fallback: number;
  lb_subsets_fallback_panic: number;
  /** Where there are subsets: hosts that a subset of a single one leaves out. */
  lb_subsets_single_host_per_subset_duplicate: number | undefined;
  lb_local_cluster_not_ok: number;
  lb_zone_cluster_too_small: number;
  lb_zone_no_capacity_left: number;
  lb_zone_routing_all_directly: number;
  lb_zone_routing_sampled: number;
  lb_zone_routing_cross_zone: number;
  membership_change: number;
  membership_total: number;
  membership_healthy: number;
  membership_degraded: number;
  membership_excluded: number;
  max_host_weight: number;
  update_attempt: number;
  update_success: number;
  update_failure: number;
  update_empty: number;
  assignment_stale: number;
  assignment_timeout_received: number;
  update_no_rebuild: number;
  original_dst_host_invalid: number;
  /** Where hosts are found by hash. */
  lb_spread: Spread | undefined;
  /** How often a transport socket was chosen for a host, by the name of its match. */
  readonly transport_matches: Map<string, number>;
  readonly grpc: GrpcCalls;
  readonly ssl: UpstreamTlsStats;
  readonly outlier_detection: OutlierStats;
  /** Where the cluster tracks them. */
  budgets: TimeoutBudgets | undefined;
  sizes: MessageSizes | undefined;
  /** Where there are active checks. */
  health_check: HealthCheckStats | undefined;
}

/** Envoy's names, the older ones of the same thing among them. */
export interface OutlierStats extends Record<string, number> {
  ejections_active: number;
  ejections_overflow: number;
}

export function newAnswerStats(): AnswerStats {
  return { codes: new ResponseCodes(), upstream_rq_time: new Histogram() };
}

export function newAnswersByKind(): AnswersByKind {
  return { external: newAnswerStats(), internal: newAnswerStats(), canary: newAnswerStats(), zones: new Map() };
}

/** Counters of one check of a cluster, and how many hosts pass it. */
export interface CheckStats {
  attempt: number;
  success: number;
  failure: number;
  passive_failure: number;
  network_failure: number;
  verify_cluster: number;
  healthy: number;
  degraded: number;
  /** Where Redis is asked. */
  redis?: { exists_failure: number };
}

/** Of the one check of a cluster; or by name, and of all together where there are several. */
export type HealthCheckStats =
  | CheckStats
  | { healthy?: number; degraded?: number; readonly name: Readonly<Record<string, CheckStats>> };

export function newCheckStats(): CheckStats {
  return {
    attempt: 0,
    success: 0,
    failure: 0,
    passive_failure: 0,
    network_failure: 0,
    verify_cluster: 0,
    healthy: 0,
    degraded: 0,
  };
}

export function newClusterStats(): ClusterDetailStats {
  return {
    upstream_rq_total: 0,
    upstream_rq_active: 0,
    upstream_rq_active_overflow: 0,
    upstream_rq_timeout: 0,
    upstream_rq_per_try_timeout: 0,
    upstream_rq_maintenance_mode: 0,
    upstream_internal_redirect_succeeded_total: 0,
    upstream_internal_redirect_failed_total: 0,
    upstream_rq_per_try_idle_timeout: 0,
    upstream_rq_max_duration_reached: 0,
    upstream_rq_retry: 0,
    upstream_rq_retry_success: 0,
    upstream_rq_retry_overflow: 0,
    upstream_rq_retry_limit_exceeded: 0,
    upstream_rq_retry_backoff_exponential: 0,
    upstream_rq_retry_backoff_ratelimited: 0,
    upstream_rq_pending_total: 0,
    upstream_rq_pending_active: 0,
    upstream_rq_pending_overflow: 0,
    upstream_rq_pending_failure_eject: 0,
    upstream_rq_rx_reset: 0,
    upstream_rq_tx_reset: 0,
    upstream_rq_cancelled: 0,
    retry_or_shadow_abandoned: 0,
    upstream_cx_total: 0,
    upstream_cx_active: 0,
    upstream_cx_http1_total: 0,
    upstream_cx_connect_attempts_exceeded: 0,
    upstream_cx_connect_fail: 0,
    upstream_cx_connect_timeout: 0,
    upstream_cx_overflow: 0,
    upstream_cx_none_healthy: 0,
    upstream_cx_close_notify: 0,
    upstream_cx_destroy: 0,
    upstream_cx_destroy_local: 0,
    upstream_cx_destroy_remote: 0,
    upstream_cx_destroy_with_active_rq: 0,
    upstream_cx_destroy_local_with_active_rq: 0,
    upstream_cx_destroy_remote_with_active_rq: 0,
    upstream_cx_idle_timeout: 0,
    upstream_cx_max_duration_reached: 0,
    upstream_cx_max_requests: 0,
    upstream_cx_protocol_error: 0,
    upstream_cx_rx_bytes_total: 0,
    upstream_cx_tx_bytes_total: 0,
    upstream_flow_control_paused_reading_total: 0,
    upstream_flow_control_resumed_reading_total: 0,
    upstream_flow_control_backed_up_total: 0,
    upstream_flow_control_drained_total: 0,
    upstream_cx_connect_ms: new Histogram(),
    upstream_cx_length_ms: new Histogram(),
    upstream_rq_per_cx: new Histogram(),
    ...newAnswersByKind(),
    alternatives: new Map(),
    retry: new ResponseCodes(),
    upstream_rq_drop_overload: 0,
    checkedOverHttp1: false,
    proxyprotocol: { v2_tlvs_exceed_max_length: 0 },
    lb_healthy_panic: 0,
    lb_subsets_active: 0,
    bind_errors: 0,
    lb_subsets_created: 0,
    lb_subsets_removed: 0,
    lb_subsets_selected: 0,
    lb_subsets_fallback: 0,
    lb_subsets_fallback_panic: 0,
    lb_subsets_single_host_per_subset_duplicate: undefined,
    lb_local_cluster_not_ok: 0,
    lb_zone_cluster_too_small: 0,
    lb_zone_no_capacity_left: 0,
    lb_zone_routing_all_directly: 0,
    lb_zone_routing_sampled: 0,
    lb_zone_routing_cross_zone: 0,
    membership_change: 0,
    membership_total: 0,
    membership_healthy: 0,
    membership_degraded: 0,
    membership_excluded: 0,
    max_host_weight: 0,
    update_attempt: 0,
    update_success: 0,
    update_failure: 0,
    update_empty: 0,
    assignment_stale: 0,
    assignment_timeout_received: 0,
    update_no_rebuild: 0,
    original_dst_host_invalid: 0,
    lb_spread: undefined,
    transport_matches: new Map(),
    grpc: new GrpcCalls(),
    ssl: {
      handshake: 0,
      connection_error: 0,
      fail_verify_error: 0,
      fail_verify_san: 0,
      fail_verify_cert_hash: 0,
      session_reused: 0,
      ciphers: {},
      versions: {},
      curves: {},
      sigalgs: {},
      secrets: { notReady: 0 },
    },
    outlier_detection: newOutlierStats(),
    budgets: undefined,
    sizes: undefined,
    health_check: undefined,
    load: { dropped: 0 },
  };
}

const EJECTION_KINDS = [
  'consecutive_5xx',
  'consecutive_gateway_failure',
  'consecutive_local_origin_failure',
  'failure_percentage',
  'local_origin_failure_percentage',
  'local_origin_success_rate',
  'success_rate',
];

function newOutlierStats(): OutlierStats {
  const stats: OutlierStats = {
    ejections_active: 0,
    ejections_overflow: 0,
    ejections_enforced_total: 0,
    ejections_total: 0,
    ejections_consecutive_5xx: 0,
    ejections_success_rate: 0,
    ejections_detected_degradation: 0,
  };
  for (const kind of EJECTION_KINDS) {
    stats[`ejections_detected_${kind}`] = 0;
    stats[`ejections_enforced_${kind}`] = 0;
  }
  return stats;
}
