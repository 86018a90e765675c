import type { Deps } from '../deps.ts';
import type { ZoneAwareProgram } from '../program/types.ts';
import type { LocalityHosts, PriorityHosts } from './types.ts';

/** Zone-aware routing: which part of its requests a proxy sends to its own locality. */
export interface ZoneOptions {
  readonly program: ZoneAwareProgram;
  /** The cluster that the proxy is one of, by locality; the proxy's own locality. */
  readonly local: readonly LocalCount[];
  readonly ownLocality: string;
  readonly localPanics: boolean;
  readonly stats: ZoneStats;
}

/** Of a locality that has hosts, healthy or not. */
export interface LocalCount {
  readonly locality: string;
  readonly healthy: number;
  /** Of the healthy ones together. */
  readonly weight: number;
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
  const { stats, local, ownLocality, program } = options;
  const localities = ownFirst(
    priority.localities.filter(({ hosts }) => hosts.length > 0),
    ownLocality,
  );
  if (localities.length < 2) return undefined;
  if (local.length < 2 && !program.forceDirect && program.forceLocalFrom === undefined) return undefined;
  if (!local.some(({ locality }) => locality === ownLocality)) {
    stats.lb_local_cluster_not_ok++;
    return undefined;
  }
  if (priority.healthy.length < program.minClusterSize) {
    stats.lb_zone_cluster_too_small++;
    return undefined;
  }
  const { parts, hasOwn, direct } = partsOf(localities, options);
  const own = parts[0]!;
  const toOwn = hasOwn && own.local > 0 ? Math.floor((own.upstream * 10_000) / own.local) : 0;
  let room = 0;
  const residual = parts.map((part, i) => {
    if (!(hasOwn && i === 0) && part.upstream > part.local) room += part.upstream - part.local;
    return room;
  });
  const { random } = deps;
  return () => {
    if (program.routingEnabled < 1 && random.float() >= program.routingEnabled) return undefined;
    if (options.localPanics) {
      stats.lb_local_cluster_not_ok++;
      return program.failOnPanic ? 'nobody' : undefined;
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

interface Parts {
  /** What each locality has of the proxies and of the hosts. */
  readonly parts: readonly { readonly local: number; readonly upstream: number }[];
  /** The first locality is the proxy's own. */
  readonly hasOwn: boolean;
  /** Its own locality takes everything. */
  readonly direct: boolean;
}

function partsOf(localities: readonly LocalityHosts[], options: ZoneOptions): Parts {
  const { local, ownLocality } = options;
  const { byWeight, forceDirect, forceLocalFrom } = options.program;
  const ofLocal = (count: LocalCount): number => (byWeight ? count.weight : count.healthy);
  const ofUpstream = ({ healthy }: LocalityHosts): number =>
    byWeight ? healthy.reduce((sum, { weight }) => sum + weight, 0) : healthy.length;
  const locals = local.reduce((sum, count) => sum + ofLocal(count), 0);
  const upstreams = localities.reduce((sum, locality) => sum + ofUpstream(locality), 0);
  const parts = localities.map((locality) => {
    const here = local.find((count) => count.locality === locality.key);
    const known = here !== undefined && locality.healthy.length > 0;
    return {
      local: known && locals > 0 ? Math.floor((10_000 * ofLocal(here)) / locals) : 0,
      upstream: upstreams > 0 ? Math.floor((10_000 * ofUpstream(locality)) / upstreams) : 0,
    };
  });
  const [first] = localities;
  const own = parts[0]!;
  const hasOwn = first!.key === ownLocality;
  const enough = own.upstream > 0 && own.upstream >= own.local;
  const forced = forceDirect || (forceLocalFrom !== undefined && first!.healthy.length >= forceLocalFrom);
  return { parts, hasOwn, direct: hasOwn && (enough || forced) };
}

function ownFirst(localities: readonly LocalityHosts[], own: string): readonly LocalityHosts[] {
  const at = localities.findIndex(({ key }) => key === own);
  return at <= 0 ? localities : [localities[at]!, ...localities.slice(0, at), ...localities.slice(at + 1)];
}
