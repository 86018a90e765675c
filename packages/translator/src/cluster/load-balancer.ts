import type { mesh, networking } from '@mizzen/api';
import type { types } from '@mizzen/xds';
import type { Draft } from '../draft.ts';
import { duration } from '../duration.ts';
import type { ClusterDraft } from './draft.ts';

/** The locality settings in force for a service: its rule's, else the mesh's; undefined when switched off. */
export function localitySetting(
  own: networking.LocalityLoadBalancerSetting | undefined,
  config: mesh.MeshConfig,
): networking.LocalityLoadBalancerSetting | undefined {
  if (own !== undefined) return own.enabled === false ? undefined : own;
  const shared = config.localityLbSetting;
  return shared === undefined || shared.enabled === false ? undefined : shared;
}

/**
 * PASSTHROUGH keeps the address a connection was for. Where nothing is intercepted (`byName`) there is no such address,
 * only the name of the service, so its endpoints are balanced as usual.
 */
export function applyLoadBalancer(
  draft: ClusterDraft,
  settings: networking.LoadBalancerSettings | undefined,
  locality: networking.LocalityLoadBalancerSetting | undefined,
  byName: boolean,
): void {
  const { cluster } = draft;
  const failover = cluster.outlierDetection !== undefined;
  const weighted =
    (locality?.distribute?.length ?? 0) > 0 ||
    (failover && ((locality?.failover?.length ?? 0) > 0 || (locality?.failoverPriority?.length ?? 0) > 0));
  if (weighted) cluster.commonLbConfig = { ...cluster.commonLbConfig, localityWeightedLbConfig: {} };
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
    const size = hash.maglev.tableSize;
    if (size !== undefined) cluster.maglevLbConfig = { tableSize: String(size) };
  } else {
    cluster.lbPolicy = 'RING_HASH';
    const size =
      hash.ringHash?.minimumRingSize ?? (Number(hash.minimumRingSize ?? 0) > 0 ? hash.minimumRingSize : undefined);
    cluster.ringHashLbConfig = { minimumRingSize: String(size ?? 1024) };
  }
}

function slowStartOf(
  settings: networking.LoadBalancerSettings | undefined,
): types.cluster.Cluster_SlowStartConfig | undefined {
  const warmup = settings?.warmup;
  if (warmup !== undefined) {
    const out: Draft<types.cluster.Cluster_SlowStartConfig> = { slowStartWindow: duration(warmup.duration) };
    if (warmup.aggression !== undefined) out.aggression = { defaultValue: warmup.aggression };
    if (warmup.minimumPercent !== undefined) out.minWeightPercent = { value: warmup.minimumPercent };
    return out;
  }
  return settings?.warmupDurationSecs === undefined
    ? undefined
    : { slowStartWindow: duration(settings.warmupDurationSecs) };
}
