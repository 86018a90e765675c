import type { types } from '@mizzen/xds';
import type { CompileContext } from '../context.ts';
import type { LbProgram, SlowStartProgram, SubsetProgram } from '../types.ts';
import { milliseconds, percent } from '../values.ts';

const MAX_RING = 8 * 1024 * 1024;
const MAX_TABLE = 5_000_011;

export function compileLb(context: CompileContext, cluster: types.cluster.Cluster): LbProgram {
  switch (cluster.lbPolicy ?? 'ROUND_ROBIN') {
    case 'LEAST_REQUEST': {
      const config = cluster.leastRequestLbConfig;
      const choiceCount = config?.choiceCount ?? 2;
      if (choiceCount < 2) context.refuse(['leastRequestLbConfig', 'choiceCount'], 'must be at least 2');
      return {
        policy: 'LEAST_REQUEST',
        choiceCount,
        activeRequestBias: Number(config?.activeRequestBias?.defaultValue ?? 1),
        slowStart: slowStart(config?.slowStartConfig),
      };
    }
    case 'RANDOM':
      return { policy: 'RANDOM' };
    case 'RING_HASH': {
      const config = cluster.ringHashLbConfig;
      const minimumRingSize = Number(config?.minimumRingSize ?? 1024);
      const maximumRingSize = Number(config?.maximumRingSize ?? MAX_RING);
      if (maximumRingSize > MAX_RING)
        context.refuse(['ringHashLbConfig', 'maximumRingSize'], `must be at most ${MAX_RING}`);
      if (minimumRingSize > maximumRingSize) {
        context.refuse(
          ['ringHashLbConfig', 'minimumRingSize'],
          `${minimumRingSize} is more than \`maximumRingSize\` ${maximumRingSize}`,
        );
      }
      return { policy: 'RING_HASH', minimumRingSize, maximumRingSize, hashFunction: config?.hashFunction ?? 'XX_HASH' };
    }
    case 'MAGLEV': {
      const tableSize = Number(cluster.maglevLbConfig?.tableSize ?? 65537);
      if (tableSize > MAX_TABLE || !isPrime(tableSize)) {
        context.refuse(['maglevLbConfig', 'tableSize'], `must be a prime number of at most ${MAX_TABLE}`);
      }
      return { policy: 'MAGLEV', tableSize };
    }
    case 'CLUSTER_PROVIDED':
      return { policy: 'CLUSTER_PROVIDED' };
    default:
      return { policy: 'ROUND_ROBIN', slowStart: slowStart(cluster.roundRobinLbConfig?.slowStartConfig) };
  }
}

function slowStart(config: types.cluster.Cluster_SlowStartConfig | undefined): SlowStartProgram | undefined {
  if (config?.slowStartWindow === undefined) return undefined;
  return {
    window: milliseconds(config.slowStartWindow, 0),
    aggression: Number(config.aggression?.defaultValue ?? 1),
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
