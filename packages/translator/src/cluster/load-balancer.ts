import type { networking } from '@mizzen/api';
import type { types } from '@mizzen/xds';
import { duration } from '../duration.ts';
import type { LocalityPolicy } from '../endpoint/locality-policy.ts';
import type { ClusterDraft } from './draft.ts';

/**
 * PASSTHROUGH keeps the address a connection was for. Where nothing is intercepted (`byName`) there is no such address,
 * only the name of the service, so its endpoints are balanced as usual.
 */
export function applyLoadBalancer(
  draft: ClusterDraft,
  settings: networking.LoadBalancerSettings | undefined,
  places: LocalityPolicy,
  byName: boolean,
): void {
  const { cluster } = draft;
  cluster.commonLbConfig = { ...cluster.commonLbConfig, ...localityConfig(places) };
  if (cluster.type === 'ORIGINAL_DST') {
    cluster.lbPolicy = 'CLUSTER_PROVIDED';
    return;
  }
  const slowStart = slowStartOf(settings);
  const simple = settings?.simple ?? 'UNSPECIFIED';
  switch (simple === 'PASSTHROUGH' && byName ? 'UNSPECIFIED' : simple) {
    case 'RANDOM':
      cluster.lbPolicy = 'RANDOM';
      break;
    case 'ROUND_ROBIN':
      cluster.lbPolicy = undefined;
      if (slowStart !== undefined) cluster.roundRobinLbConfig = { slowStartConfig: slowStart };
      break;
    case 'PASSTHROUGH':
      cluster.lbPolicy = 'CLUSTER_PROVIDED';
      cluster.type = 'ORIGINAL_DST';
      cluster.loadAssignment = undefined;
      break;
    default:
      cluster.lbPolicy = 'LEAST_REQUEST';
      if (slowStart !== undefined) cluster.leastRequestLbConfig = { slowStartConfig: slowStart };
  }
  const hash = settings?.consistentHash;
  if (hash === undefined) return;
  cluster.leastRequestLbConfig = undefined;
  cluster.roundRobinLbConfig = undefined;
  if (hash.maglev !== undefined) {
    cluster.lbPolicy = 'MAGLEV';
    const size = positive(hash.maglev.tableSize);
    if (size !== undefined) cluster.maglevLbConfig = { tableSize: String(size) };
  } else {
    cluster.lbPolicy = 'RING_HASH';
    const size =
      hash.ringHash === undefined ? (positive(hash.minimumRingSize) ?? 1024) : positive(hash.ringHash.minimumRingSize);
    if (size !== undefined) cluster.ringHashLbConfig = { minimumRingSize: String(size) };
  }
}

function positive(size: string | number | undefined): string | number | undefined {
  return Number(size ?? 0) > 0 ? size : undefined;
}

/** Whether Envoy weighs localities, or keeps traffic in its own zone; without either, places do not matter. */
function localityConfig({ setting, failover, zoneAware }: LocalityPolicy): types.cluster.Cluster_CommonLbConfig {
  if (zoneAware !== undefined) {
    const size = positive(zoneAware.minClusterSize);
    // Said outright, because Envoy's default is to do it.
    if (zoneAware.enabled === false) return { zoneAwareLbConfig: { routingEnabled: {} } };
    return { zoneAwareLbConfig: size === undefined ? {} : { minClusterSize: String(size) } };
  }
  const ranks = (setting?.failover?.length ?? 0) > 0 || (setting?.failoverPriority?.length ?? 0) > 0;
  const weighted = (setting?.distribute?.length ?? 0) > 0 || (failover && ranks);
  return weighted ? { localityWeightedLbConfig: {} } : {};
}

function slowStartOf(
  settings: networking.LoadBalancerSettings | undefined,
): types.cluster.Cluster_SlowStartConfig | undefined {
  const warmup = settings?.warmup;
  if (warmup !== undefined) {
    return {
      slowStartWindow: duration(warmup.duration),
      // Envoy wants a key to be given; there is no runtime value of that name.
      aggression: { defaultValue: warmup.aggression ?? 1, runtimeKey: '(' },
      minWeightPercent: { value: warmup.minimumPercent ?? 10 },
    };
  }
  return settings?.warmupDurationSecs === undefined
    ? undefined
    : { slowStartWindow: duration(settings.warmupDurationSecs) };
}
