import type { Runtime } from '../runtime/runtime.ts';
import { daysUntilFirstExpiry, secondsUntilFirstStaple } from './certs.ts';
import type { AdminContext, ServerState } from './context.ts';

/** Envoy's order of states in `server.state`. */
const STATES = { LIVE: 0, DRAINING: 1, PRE_INITIALIZING: 2, INITIALIZING: 3 } as const;

/** `server.…`; zero is what cannot happen here. */
export function serverStats(context: AdminContext, state: ServerState): Record<string, number> {
  const { deps, started, node } = context;
  const { heapUsed, heapTotal, rss } = process.memoryUsage();
  let connections = 0;
  for (const { stats } of node.stats.allListeners()) connections += stats.downstream_cx_active;
  return {
    'compilation_settings.fips_mode': 0,
    concurrency: 1,
    days_until_first_cert_expiring: daysUntilFirstExpiry(context),
    debug_assertion_failures: 0,
    dropped_stat_flushes: 0,
    dynamic_unknown_fields: 0,
    envoy_bug_failures: 0,
    envoy_notifications: 0,
    hot_restart_epoch: 0,
    hot_restart_generation: 1,
    live: state === 'LIVE' ? 1 : 0,
    memory_allocated: heapUsed,
    memory_heap_size: heapTotal,
    memory_physical_size: rss,
    parent_connections: 0,
    seconds_until_first_ocsp_response_expiring: secondsUntilFirstStaple(context),
    state: STATES[state],
    static_unknown_fields: 0,
    total_connections: connections,
    uptime: Math.floor((deps.clock.wall() - started) / 1000),
    wip_protos: 0,
  };
}

/** What a runtime without layers says of itself. */
const NO_RUNTIME = {
  admin_overrides_active: 0,
  deprecated_feature_seen_since_process_start: 0,
  deprecated_feature_use: 0,
  load_error: 0,
  load_success: 2,
  num_keys: 0,
  num_layers: 0,
  override_dir_exists: 0,
  override_dir_not_exists: 2,
};

export function runtimeStats(runtime: Runtime | undefined): Record<string, number> {
  if (runtime === undefined) return NO_RUNTIME;
  const { load_error, load_success, override_dir_exists, override_dir_not_exists } = runtime.stats;
  return {
    deprecated_feature_seen_since_process_start: 0,
    deprecated_feature_use: 0,
    admin_overrides_active: Number(runtime.overridden),
    load_error: load_error,
    load_success: load_success,
    num_keys: runtime.keys,
    num_layers: runtime.layers.length,
    override_dir_exists: override_dir_exists,
    override_dir_not_exists: override_dir_not_exists,
  };
}
