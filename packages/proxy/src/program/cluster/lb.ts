import type { types } from '@mizzen/xds';
import { liveInteger, liveNumber, livePercentage } from '../../runtime/live.ts';
import type { CompileContext } from '../context.ts';
import type { Path } from '../path.ts';
import type {
  ClusterProgram,
  LbProgram,
  SelectorProgram,
  SlowStartProgram,
  SubsetProgram,
  ZoneAwareProgram,
} from '../types.ts';
import { milliseconds, percent } from '../values.ts';

const MAX_RING = 8 * 1024 * 1024;
const MAX_TABLE = 5_000_011;

/** How a cluster balances: its policy, and what belongs to the policy where it is typed. */
export interface BalancingProgram {
  readonly lb: LbProgram;
  readonly localityWeighted: boolean;
  readonly hashByHostname: boolean;
  readonly hashBalanceFactor: number;
  readonly zoneAware: ZoneAwareProgram;
  readonly subsets: SubsetProgram | undefined;
  readonly overrides: ClusterProgram['overrides'];
  /** What requests are hashed by, whatever their routes say. */
  readonly hashKey: ClusterProgram['hashKey'];
}

/** What `lbPolicy` and the fields beside it say. */
export function compileLb(context: CompileContext, cluster: types.cluster.Cluster): BalancingProgram {
  const { commonLbConfig: common } = cluster;
  if (cluster.lbSubsetConfig?.localityWeightAware === true && common?.localityWeightedLbConfig === undefined)
    context.refuse(['lbSubsetConfig', 'localityWeightAware'], 'goes with `commonLbConfig.localityWeightedLbConfig`');
  if (cluster.lbPolicy === 'LOAD_BALANCING_POLICY_CONFIG')
    context.refuse(['loadBalancingPolicy'], 'must be there for `LOAD_BALANCING_POLICY_CONFIG`');
  return {
    lb: compileNamed(context, cluster),
    localityWeighted: common?.localityWeightedLbConfig !== undefined,
    hashByHostname: common?.consistentHashingLbConfig?.useHostnameForHashing === true,
    hashBalanceFactor: balanceFactor(context, common?.consistentHashingLbConfig?.hashBalanceFactor, [
      'commonLbConfig',
      'consistentHashingLbConfig',
      'hashBalanceFactor',
    ]),
    zoneAware: zoneAware(context, common?.zoneAwareLbConfig),
    subsets: compileSubsets(context, cluster.lbSubsetConfig, ['lbSubsetConfig']),
    overrides: undefined,
    hashKey: undefined,
  };
}

/** 0: no bound. */
export function balanceFactor(context: CompileContext, given: number | undefined, path: Path): number {
  if (given !== undefined && given < 100) context.refuse(path, 'must be at least 100');
  return given ?? 0;
}

/** The cluster's own configuration and the typed one, which has more. */
interface ZoneAwareConfig extends types.cluster.Cluster_CommonLbConfig_ZoneAwareLbConfig {
  readonly forceLocalityDirectRouting?: boolean;
  readonly forceLocalZone?: { readonly minSize?: number };
  readonly localityBasis?: string;
}

export function zoneAware(context: CompileContext, config: ZoneAwareConfig | undefined): ZoneAwareProgram {
  const { runtime } = context.deps;
  const enabled = livePercentage(runtime, 'upstream.zone_routing.enabled', percent(config?.routingEnabled, 1));
  const least = liveInteger(runtime, 'upstream.zone_routing.min_cluster_size', Number(config?.minClusterSize ?? 6));
  return {
    get routingEnabled() {
      return enabled.value;
    },
    get minClusterSize() {
      return least.value;
    },
    failOnPanic: config?.failTrafficOnPanic === true,
    forceDirect: config?.forceLocalityDirectRouting === true,
    forceLocalFrom: config?.forceLocalZone === undefined ? undefined : (config.forceLocalZone.minSize ?? 1),
    byWeight: config?.localityBasis === 'HEALTHY_HOSTS_WEIGHT',
  };
}

function compileNamed(context: CompileContext, cluster: types.cluster.Cluster): LbProgram {
  switch (cluster.lbPolicy ?? 'ROUND_ROBIN') {
    case 'LEAST_REQUEST':
      if ((cluster.leastRequestLbConfig?.choiceCount ?? 2) < 2)
        context.refuse(['leastRequestLbConfig', 'choiceCount'], 'must be at least 2');
      return leastRequest(context, cluster.leastRequestLbConfig);
    case 'RANDOM':
      return { policy: 'RANDOM' };
    case 'RING_HASH':
      return ringHash(context, cluster.ringHashLbConfig, ['ringHashLbConfig']);
    case 'MAGLEV':
      return maglev(context, cluster.maglevLbConfig, ['maglevLbConfig']);
    case 'CLUSTER_PROVIDED':
      return { policy: 'CLUSTER_PROVIDED' };
    default:
      return { policy: 'ROUND_ROBIN', slowStart: slowStart(context, cluster.roundRobinLbConfig?.slowStartConfig) };
  }
}

export function leastRequest(
  context: CompileContext,
  config: types.cluster.Cluster_LeastRequestLbConfig | undefined,
  fullScan: boolean = false,
): LbProgram {
  const bias = liveNumber(
    context.deps.runtime,
    config?.activeRequestBias?.runtimeKey,
    Number(config?.activeRequestBias?.defaultValue ?? 1),
  );
  return {
    policy: 'LEAST_REQUEST',
    choiceCount: config?.choiceCount ?? 2,
    fullScan,
    get activeRequestBias() {
      return bias.value;
    },
    slowStart: slowStart(context, config?.slowStartConfig),
  };
}

export function ringHash(
  context: CompileContext,
  config:
    | {
        readonly minimumRingSize?: string | number;
        readonly maximumRingSize?: string | number;
        readonly hashFunction?: string;
      }
    | undefined,
  path: Path,
): LbProgram {
  const minimumRingSize = Number(config?.minimumRingSize ?? 1024);
  const maximumRingSize = Number(config?.maximumRingSize ?? MAX_RING);
  if (maximumRingSize > MAX_RING) context.refuse([...path, 'maximumRingSize'], `must be at most ${MAX_RING}`);
  if (minimumRingSize > maximumRingSize) {
    context.refuse(
      [...path, 'minimumRingSize'],
      `${minimumRingSize} is more than \`maximumRingSize\` ${maximumRingSize}`,
    );
  }
  return {
    policy: 'RING_HASH',
    minimumRingSize,
    maximumRingSize,
    hashFunction: config?.hashFunction === 'MURMUR_HASH_2' ? 'MURMUR_HASH_2' : 'XX_HASH',
  };
}

export function maglev(
  context: CompileContext,
  config: { readonly tableSize?: string | number } | undefined,
  path: Path,
): LbProgram {
  const tableSize = Number(config?.tableSize ?? 65537);
  if (tableSize > MAX_TABLE || !isPrime(tableSize)) {
    context.refuse([...path, 'tableSize'], `must be a prime number of at most ${MAX_TABLE}`);
  }
  return { policy: 'MAGLEV', tableSize };
}

export function slowStart(
  context: CompileContext,
  config: types.cluster.Cluster_SlowStartConfig | undefined,
): SlowStartProgram | undefined {
  if (config?.slowStartWindow === undefined) return undefined;
  const aggression = liveNumber(
    context.deps.runtime,
    config.aggression?.runtimeKey,
    Number(config.aggression?.defaultValue ?? 1),
  );
  return {
    window: milliseconds(config.slowStartWindow, 0),
    get aggression() {
      return aggression.value;
    },
    minWeight: percent(config.minWeightPercent, 0.1),
  };
}

/** What `lbSubsetConfig` and the typed policy have in common. */
interface SubsetConfig extends Omit<types.cluster.Cluster_LbSubsetConfig, 'subsetSelectors'> {
  readonly subsetSelectors?: readonly types.cluster.Cluster_LbSubsetConfig_LbSubsetSelector[];
  readonly allowRedundantKeys?: boolean;
}

/** Undefined where nothing is selected. */
export function compileSubsets(
  context: CompileContext,
  config: SubsetConfig | undefined,
  path: Path,
): SubsetProgram | undefined {
  if (config === undefined || (config.subsetSelectors ?? []).length === 0) return undefined;
  return {
    fallback: config.fallbackPolicy ?? 'NO_FALLBACK',
    defaultSubset: config.defaultSubset ?? {},
    selectors: (config.subsetSelectors ?? []).map((selector, i) =>
      compileSelector(context, selector, [...path, 'subsetSelectors', i]),
    ),
    localityWeightAware: config.localityWeightAware === true,
    scaleLocalityWeight: config.scaleLocalityWeight === true,
    panicModeAny: config.panicModeAny === true,
    listAsAny: config.listAsAny === true,
    metadataFallbackList: config.metadataFallbackPolicy === 'FALLBACK_LIST',
    allowRedundantKeys: config.allowRedundantKeys === true,
  };
}

function compileSelector(
  context: CompileContext,
  selector: types.cluster.Cluster_LbSubsetConfig_LbSubsetSelector,
  path: Path,
): SelectorProgram {
  const keys = [...new Set(selector.keys ?? [])].toSorted();
  const fallbackKeys = [...new Set(selector.fallbackKeysSubset ?? [])];
  const { fallbackPolicy = 'NOT_DEFINED' } = selector;
  const at = [...path, 'fallbackKeysSubset'];
  if (fallbackPolicy !== 'KEYS_SUBSET') {
    if (fallbackKeys.length > 0) context.refuse(at, 'says something with the policy `KEYS_SUBSET` only');
  } else if (fallbackKeys.length === 0) context.refuse(at, 'must not be empty');
  else if (!fallbackKeys.every((key) => keys.includes(key))) context.refuse(at, 'must be some of `keys`');
  else if (fallbackKeys.length === keys.length) context.refuse(at, 'must not be all of `keys`');
  return {
    keys,
    fallback: fallbackPolicy === 'NOT_DEFINED' ? undefined : fallbackPolicy,
    fallbackKeys,
    singleHost: selector.singleHostPerSubset === true && keys.length === 1,
  };
}

function isPrime(value: number): boolean {
  if (value < 2) return false;
  for (let i = 2; i * i <= value; i++) if (value % i === 0) return false;
  return true;
}
