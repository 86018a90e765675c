import type { ClusterStats } from '../types.ts';

/** What cluster/ and health/ count beside the counters everybody adds to. */
export interface ClusterDetailStats extends ClusterStats {
  upstream_rq_drop_overload: number;
  lb_healthy_panic: number;
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
  update_success: number;
  update_failure: number;
  update_empty: number;
  ssl_handshake: number;
  ssl_connection_error: number;
  ssl_fail_verify_error: number;
  ssl_fail_verify_san: number;
  ssl_fail_verify_cert_hash: number;
  ssl_session_reused: number;
  readonly ssl_ciphers: Record<string, number>;
  readonly ssl_versions: Record<string, number>;
  /** Where there are active checks. */
  health_check: HealthCheckStats | undefined;
  outlier_ejections_active: number;
  outlier_ejections_total: number;
  outlier_ejections_overflow: number;
  /** By kind, e.g. `consecutive_5xx`. */
  outlier_ejections_detected: Record<string, number>;
  outlier_ejections_enforced: Record<string, number>;
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
    upstream_rq_timeout: 0,
    upstream_rq_per_try_timeout: 0,
    upstream_rq_maintenance_mode: 0,
    upstream_internal_redirect_succeeded_total: 0,
    upstream_internal_redirect_failed_total: 0,
    upstream_rq_retry: 0,
    upstream_rq_retry_success: 0,
    upstream_rq_retry_overflow: 0,
    upstream_rq_retry_limit_exceeded: 0,
    upstream_rq_pending_total: 0,
    upstream_rq_pending_overflow: 0,
    upstream_rq_pending_failure_eject: 0,
    upstream_rq_rx_reset: 0,
    upstream_rq_tx_reset: 0,
    upstream_rq_cancelled: 0,
    upstream_rq_completed: 0,
    upstream_cx_total: 0,
    upstream_cx_active: 0,
    upstream_cx_connect_fail: 0,
    upstream_cx_connect_timeout: 0,
    upstream_cx_overflow: 0,
    upstream_cx_none_healthy: 0,
    upstream_cx_destroy_with_active_rq: 0,
    upstream_rq_xx: [0, 0, 0, 0, 0, 0],
    retry: { upstream_rq_completed: 0, upstream_rq_xx: [0, 0, 0, 0, 0, 0] },
    upstream_rq_drop_overload: 0,
    lb_healthy_panic: 0,
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
    health_check: undefined,
    update_success: 0,
    update_failure: 0,
    update_empty: 0,
    ssl_handshake: 0,
    ssl_connection_error: 0,
    ssl_fail_verify_error: 0,
    ssl_fail_verify_san: 0,
    ssl_fail_verify_cert_hash: 0,
    ssl_session_reused: 0,
    ssl_ciphers: {},
    ssl_versions: {},
    outlier_ejections_active: 0,
    outlier_ejections_total: 0,
    outlier_ejections_overflow: 0,
    outlier_ejections_detected: {},
    outlier_ejections_enforced: {},
  };
}
