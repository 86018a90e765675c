import type { Deps } from '../deps.ts';
import type { LocalityHosts, PriorityHosts } from './types.ts';

/** Zone-aware routing: which part of its requests a proxy sends to its own locality. */
export interface ZoneOptions {
  /** Healthy hosts of the cluster that the proxy is one of, by locality; the proxy's own locality. */
  readonly local: readonly LocalCount[];
  readonly ownLocality: string;
  readonly localPanics: boolean;
  /** Chance that a request is routed by zone at all. */
  readonly routingEnabled: number;
  readonly minClusterSize: number;
  readonly failOnPanic: boolean;
  readonly stats: ZoneStats;
}

export interface LocalCount {
  readonly locality: string;
  readonly healthy: number;
}

export interface ZoneStats {
  lb_local_cluster_not_ok: number;
  lb_zone_cluster_too_small: number;
  lb_zone_no_capacity_left: number;
  lb_zone_routing_all_directly: number;
  lb_zone_routing_sampled: number;
  lb_zone_routing_cross_zone: number;
}

/** Chooses the locality of each request; undefined: zones are not looked at for it; `nobody`: it fails. */
export type ChooseLocality = () => LocalityHosts | undefined | 'nobody';

/**
 * Every proxy fills its own locality as far as the share of hosts there allows, so that all of them together load all
 * hosts alike; the rest goes where others leave room. Parts of 10,000 as in Envoy. Only the first priority is routed so.
 */
export function zoneChoice(priority: PriorityHosts, options: ZoneOptions, deps: Deps): ChooseLocality | undefined {
  const { stats } = options;
  const localities = ownFirst(priority.localities, options.ownLocality);
  if (localities.length < 2) return undefined;
  const locals = options.local.reduce((sum, { healthy }) => sum + healthy, 0);
  if (locals === 0) {
    stats.lb_local_cluster_not_ok++;
    return undefined;
  }
  if (priority.healthy.length < options.minClusterSize) {
    stats.lb_zone_cluster_too_small++;
    return undefined;
  }
  const parts = localities.map(({ key, healthy }) => {
    const there = options.local.find(({ locality }) => locality === key)?.healthy ?? 0;
    return {
      local: Math.floor((10_000 * there) / locals),
      upstream: Math.floor((10_000 * healthy.length) / priority.healthy.length),
    };
  });
  const hasOwn = localities[0]!.key === options.ownLocality;
  const own = parts[0]!;
  const direct = hasOwn && own.upstream > 0 && own.upstream >= own.local;
  const toOwn = hasOwn && own.local > 0 ? Math.floor((own.upstream * 10_000) / own.local) : 0;
  let room = 0;
  const residual = parts.map(({ local, upstream }, i) => {
    if (!(hasOwn && i === 0) && upstream > local) room += upstream - local;
    return room;
  });
  const { random } = deps;
  return () => {
    if (options.routingEnabled < 1 && random.float() >= options.routingEnabled) return undefined;
    if (options.localPanics) {
      stats.lb_local_cluster_not_ok++;
      return options.failOnPanic ? 'nobody' : undefined;
    }
    if (direct) {
      stats.lb_zone_routing_all_directly++;
      return localities[0];
    }
    if (random.uint32() % 10_000 < toOwn) {
      stats.lb_zone_routing_sampled++;
      return localities[0];
    }
    stats.lb_zone_routing_cross_zone++;
    if (room === 0) {
      stats.lb_zone_no_capacity_left++;
      return localities[random.uint32() % localities.length];
    }
    const at = random.uint32() % room;
    return localities[residual.findIndex((upTo) => at < upTo)];
  };
}

function ownFirst(localities: readonly LocalityHosts[], own: string): readonly LocalityHosts[] {
  const at = localities.findIndex(({ key }) => key === own);
  return at <= 0 ? localities : [localities[at]!, ...localities.slice(0, at), ...localities.slice(at + 1)];
}
