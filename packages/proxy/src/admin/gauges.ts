/** Names of statistics that go up and down; all others only count. */
const GAUGES = [
  /(^|\.|_)active$/,
  /_(open|active_total)$/,
  /^connection_limit\..*\.active_connections$/,
  /_bytes_buffered$/,
  /^http\..*\.downstream_cx_http1_soft_drain$/,
  /^listener_manager\.workers_/,
  /^runtime\.deprecated_feature_seen_since_process_start$/,
  /^cluster\..*\.upstream_queue_overloaded$/,
  /\.(update_time|config_reload_time_ms|version)$/,
  /\.remaining_(cx|pending|retries|rq)$/,
  /\.fault\.active_faults$/,
  /\.http_bandwidth_limit\.(request|response)_(pending|incoming_size|allowed_size)$/,
  /^cluster\..*\.membership_(total|healthy|degraded|excluded)$/,
  /^cluster\..*\.(version|max_host_weight|warming_state)$/,
  /^cluster\..*\.circuit_breakers\./,
  /^cluster\..*\.endpoint\..*\.healthy$/,
  /^cluster\..*\.(ring_hash|maglev)_lb\./,
  /^(listener|cluster)\..*\.ssl\.certificate\..*\.expiration_unix_time_seconds$/,
  /^cluster_manager\.(active_clusters|warming_clusters)$/,
  /^listener_manager\.total_/,
  /(^|\.)control_plane\.(connected_state|pending_requests)$/,
  /^runtime\.(admin_overrides_active|num_keys|num_layers)$/,
  /^server\.(?!((dynamic|static)_unknown_fields|debug_assertion_failures|dropped_stat_flushes|envoy_bug_failures|envoy_notifications|wip_protos)$)/,
];

export function isGauge(name: string): boolean {
  return GAUGES.some((pattern) => pattern.test(name));
}
