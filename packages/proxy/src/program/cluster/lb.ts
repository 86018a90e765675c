import type { types } from '@mizzen/xds';
import { liveNumber } from '../../runtime/live.ts';
import type { CompileContext } from '../context.ts';
import type { Path } from '../path.ts';
import type { LbProgram, SlowStartProgram, SubsetProgram } from '../types.ts';
import { milliseconds, percent } from '../values.ts';

const MAX_RING = 8 * 1024 * 1024;
const MAX_TABLE = 5_000_011;

/** How a cluster balances: its policy, and what belongs to the policy where it is typed. */
export interface BalancingProgram {
  readonly lb: LbProgram;
  readonly localityWeighted: boolean;
  readonly hashByHostname: boolean;
}

/** What `lbPolicy` and the fields beside it say. */
export function compileLb(context: CompileContext, cluster: types.cluster.Cluster): BalancingProgram {
  const { commonLbConfig: common } = cluster;
  if (cluster.lbPolicy === 'LOAD_BALANCING_POLICY_CONFIG')
    context.refuse(['loadBalancingPolicy'], 'must be there for `LOAD_BALANCING_POLICY_CONFIG`');
  return {
    lb: compileNamed(context, cluster),
    localityWeighted: common?.localityWeightedLbConfig !== undefined,
    hashByHostname: common?.consistentHashingLbConfig?.useHostnameForHashing === true,
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
): LbProgram {
  const bias = liveNumber(
    context.deps.runtime,
    config?.activeRequestBias?.runtimeKey,
    Number(config?.activeRequestBias?.defaultValue ?? 1),
  );
  return {
    policy: 'LEAST_REQUEST',
    choiceCount: config?.choiceCount ?? 2,
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

export function compileSubsets(config: types.cluster.Cluster_LbSubsetConfig | undefined): SubsetProgram | undefined {
  if (config === undefined || (config.subsetSelectors ?? []).length === 0) return undefined;
  return {
    fallback: config.fallbackPolicy ?? 'NO_FALLBACK',
    defaultSubset: config.defaultSubset ?? {},
    selectors: (config.subsetSelectors ?? []).map((selector) => (selector.keys ?? []).toSorted()),
  };
}

function isPrime(value: number): boolean {
  if (value < 2) return false;
  for (let i = 2; i * i <= value; i++) if (value % i === 0) return false;
  return true;
}
