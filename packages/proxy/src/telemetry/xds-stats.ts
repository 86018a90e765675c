import { xxHash64 } from '../lb/xxhash64.ts';
import type { ProxyNode } from '../process/proxy-node.ts';
import type { SubscriptionRecord } from '../xds/records.ts';
import type { ControlPlaneStats } from '../xds/source.ts';
import { addAll, type Values } from './collect.ts';

/** What is text, and numbers that a double does not hold. */
export interface OtherStats {
  readonly texts: Map<string, string>;
  readonly large: Map<string, bigint>;
}

/** How resources came that are not part of the bootstrap. */
export function addXdsStats(values: Values, { texts, large }: OtherStats, node: ProxyNode): void {
  const { records, clusters } = node;
  const add = (prefix: string, { counts, version, updated, controlPlane }: SubscriptionRecord): void => {
    addAll(values, prefix, { ...counts });
    // Several layers of the runtime have one name; what came last counts.
    const time = `${prefix}.update_time`;
    values.set(time, Math.max(values.get(time) ?? 0, updated));
    large.set(`${prefix}.version`, version === '' && updated === 0 ? 0n : xxHash64(version));
    texts.set(`${prefix}.version_text`, version);
    if (controlPlane !== undefined) addControlPlane(values, texts, `${prefix}.control_plane`, controlPlane);
  };
  const clustersFollowed = records.subscription('cluster', '*');
  if (clustersFollowed.counts.update_attempt > 0) {
    add('cluster_manager.cds', clustersFollowed);
    addReloads(values, 'cluster_manager.cds', clustersFollowed);
  }
  const listenersFollowed = records.subscription('listener', '*');
  if (listenersFollowed.counts.update_attempt > 0) add('listener_manager.lds', listenersFollowed);
  for (const [, layer] of records.subscriptions('runtime')) add('runtime', layer);
  for (const { program } of clusters.active()) {
    if (program.type !== 'EDS') continue;
    const prefix = `cluster.${program.statName}`;
    const subscription = records.subscription('endpoint', program.edsServiceName);
    values.delete(`${prefix}.version`);
    add(prefix, subscription);
    values.set(`${prefix}.update_empty`, subscription.empty);
  }
  const extensions = new Map(
    node.listeners
      .followed()
      .flatMap((program) => program.extensions.map((each) => [`${each.kind}.${each.name}`, each])),
  );
  for (const [key, { name }] of extensions) {
    const prefix = `extension_config_discovery.${key}`;
    const subscription = records.subscription('extension', name);
    const { update_rejected: refused, init_fetch_timeout: late } = subscription.counts;
    add(prefix, subscription);
    addAll(values, prefix, { config_reload: subscription.reloads, config_fail: refused + late, config_conflict: 0 });
  }
  for (const [name] of node.secrets.entries()) {
    const subscription = records.subscription('secret', name);
    if (subscription.counts.update_attempt === 0) continue;
    add(`sds.${name}`, subscription);
    addAll(values, `sds.${name}`, { key_rotation_failed: subscription.rotationsFailed });
  }
  // Whoever else follows one shares the counters of the first.
  const routes = new Map(
    node.listeners.followed().flatMap((program) => program.routeConfigs.map((each) => [each.name, each])),
  );
  for (const [name, { statPrefix }] of routes) {
    const subscription = records.subscription('route', name);
    const prefix = `http.${subscription.countedFor ?? statPrefix}.rds.${name}`;
    add(prefix, subscription);
    addReloads(values, prefix, subscription);
    addAll(values, prefix, { update_empty: subscription.empty });
  }
}

/** Requests to management servers are not limited. */
export function addControlPlane(
  values: Values,
  texts: OtherStats['texts'],
  prefix: string,
  { identifier, ...counts }: ControlPlaneStats,
): void {
  addAll(values, prefix, { ...counts, rate_limit_enforced: 0 });
  texts.set(`${prefix}.identifier`, identifier);
}

function addReloads(values: Values, prefix: string, { reloads, reloaded }: SubscriptionRecord): void {
  addAll(values, prefix, { config_reload: reloads, config_reload_time_ms: reloaded });
}
