import type { types } from '@mizzen/xds';
import type { CompileContext } from '../context.ts';
import type { Path } from '../path.ts';
import { messageOf } from '../read-resource.ts';
import { compileHashPolicies } from '../route/hash.ts';
import type { LoadWeights, OverrideSource } from '../types.ts';
import { asciiLower, milliseconds } from '../values.ts';
import {
  balanceFactor,
  compileSubsets,
  leastRequest,
  maglev,
  ringHash,
  slowStart,
  zoneAware,
  type BalancingProgram,
} from './lb.ts';

const PREFIX = 'envoy.extensions.load_balancing_policies.';
const BY_LOAD = `${PREFIX}client_side_weighted_round_robin.v3.ClientSideWeightedRoundRobin`;
const BASIS: Omit<BalancingProgram, 'zoneAware'> = {
  lb: { policy: 'ROUND_ROBIN', slowStart: undefined },
  localityWeighted: false,
  hashByHostname: false,
  hashBalanceFactor: 0,
  subsets: undefined,
  overrides: undefined,
  hashKey: undefined,
};

interface Locality {
  readonly localityLbConfig?: {
    readonly localityWeightedLbConfig?: object;
    readonly zoneAwareLbConfig?: Parameters<typeof zoneAware>[1];
  };
}
interface Hashing {
  readonly localityWeightedLbConfig?: object;
  readonly consistentHashingLbConfig?: {
    readonly useHostnameForHashing?: boolean;
    readonly hashBalanceFactor?: number;
    readonly hashPolicy?: readonly types.route.RouteAction_HashPolicy[];
  };
  readonly useHostnameForHashing?: boolean;
  readonly hashBalanceFactor?: number;
}
interface Override {
  readonly overrideHostSources?: readonly {
    readonly header?: string;
    readonly metadata?: { readonly key?: string; readonly path?: readonly { readonly key?: string }[] };
  }[];
  readonly fallbackPolicy?: types.cluster.LoadBalancingPolicy;
}
interface WrrLocality {
  readonly endpointPickingPolicy?: types.cluster.LoadBalancingPolicy;
}
interface ByLoad {
  readonly blackoutPeriod?: string;
  readonly weightExpirationPeriod?: string;
  readonly weightUpdatePeriod?: string;
  readonly errorUtilizationPenalty?: number;
  readonly metricNamesForComputingUtilization?: readonly string[];
  readonly slowStartConfig?: types.cluster.Cluster_SlowStartConfig;
}
interface Subset extends Exclude<Parameters<typeof compileSubsets>[1], undefined> {
  readonly subsetLbPolicy?: types.cluster.LoadBalancingPolicy;
}

/**
 * A typed policy stands for everything that `lbPolicy` and the fields beside it say. The first of them counts: whatever
 * Envoy would pass over is refused where it stands.
 */
export function compilePolicy(
  context: CompileContext,
  cluster: types.cluster.Cluster,
  policy: types.cluster.LoadBalancingPolicy,
): BalancingProgram {
  if (cluster.lbSubsetConfig !== undefined)
    context.refuse(['lbSubsetConfig'], 'cannot be set beside `loadBalancingPolicy`');
  for (const field of ['zoneAwareLbConfig', 'localityWeightedLbConfig', 'consistentHashingLbConfig'] as const) {
    if (cluster.commonLbConfig?.[field] !== undefined)
      context.refuse(['commonLbConfig', field], 'cannot be set beside `loadBalancingPolicy`');
  }
  return compileFirst(context, policy, ['loadBalancingPolicy']);
}

function compileFirst(
  context: CompileContext,
  policy: types.cluster.LoadBalancingPolicy,
  path: Path,
): BalancingProgram {
  const config = policy.policies?.[0]?.typedExtensionConfig?.typedConfig;
  const at = [...path, 'policies'];
  if (config === undefined) {
    context.refuse(at, 'must name a policy');
    return { ...BASIS, zoneAware: zoneAware(context, undefined) };
  }
  return compileTyped(context, config, [...at, 0, 'typedExtensionConfig', 'typedConfig']);
}

function compileTyped(context: CompileContext, config: { readonly '@type': string }, path: Path): BalancingProgram {
  const type = messageOf(config['@type']);
  const { localityLbConfig } = config as Locality;
  const byLocality = {
    ...BASIS,
    localityWeighted: localityLbConfig?.localityWeightedLbConfig !== undefined,
    zoneAware: zoneAware(context, localityLbConfig?.zoneAwareLbConfig),
  };
  const usual = { ...BASIS, zoneAware: zoneAware(context, undefined) };
  const hashing = config as Hashing;
  const byHash = {
    ...usual,
    hashBalanceFactor: balanceFactor(
      context,
      hashing.consistentHashingLbConfig?.hashBalanceFactor ?? hashing.hashBalanceFactor,
      [...path, 'hashBalanceFactor'],
    ),
    localityWeighted: hashing.localityWeightedLbConfig !== undefined,
    hashKey: compileHashPolicies(context, hashing.consistentHashingLbConfig?.hashPolicy, [
      ...path,
      'consistentHashingLbConfig',
      'hashPolicy',
    ]),
    hashByHostname:
      (hashing.consistentHashingLbConfig?.useHostnameForHashing ?? hashing.useHostnameForHashing) === true,
  };
  switch (type) {
    case `${PREFIX}round_robin.v3.RoundRobin`: {
      const { slowStartConfig } = config as { readonly slowStartConfig?: types.cluster.Cluster_SlowStartConfig };
      return { ...byLocality, lb: { policy: 'ROUND_ROBIN', slowStart: slowStart(context, slowStartConfig) } };
    }
    case `${PREFIX}least_request.v3.LeastRequest`:
      return { ...byLocality, lb: typedLeastRequest(context, config) };
    case BY_LOAD: {
      const { slowStartConfig } = config as ByLoad;
      return {
        ...usual,
        lb: {
          policy: 'ROUND_ROBIN',
          slowStart: slowStart(context, slowStartConfig),
          byLoad: loadWeights(config as ByLoad),
        },
      };
    }
    case `${PREFIX}wrr_locality.v3.WrrLocality`:
      return compileByLocality(context, config as WrrLocality, path);
    case `${PREFIX}cluster_provided.v3.ClusterProvided`:
      return { ...usual, lb: { policy: 'CLUSTER_PROVIDED' } };
    case `${PREFIX}override_host.v3.OverrideHost`:
      return compileOverride(context, config as Override, path);
    case `${PREFIX}subset.v3.Subset`: {
      const subset = config as Subset;
      const at = [...path, 'subsetLbPolicy'];
      if (subset.subsetLbPolicy === undefined) {
        context.refuse(at, 'must be there');
        return usual;
      }
      const inner = compileFirst(context, subset.subsetLbPolicy, at);
      if ('byLoad' in inner.lb && inner.lb.byLoad !== undefined)
        context.refuse(at, 'hosts of subsets are not weighed by their load');
      if (inner.subsets !== undefined) context.refuse(at, 'subsets have no subsets of their own');
      return { ...inner, subsets: compileSubsets(context, subset, path) };
    }
    case `${PREFIX}random.v3.Random`:
      return { ...byLocality, lb: { policy: 'RANDOM' } };
    case `${PREFIX}ring_hash.v3.RingHash`:
      return { ...byHash, lb: ringHash(context, config as Parameters<typeof ringHash>[1], path) };
    case `${PREFIX}maglev.v3.Maglev`:
      return { ...byHash, lb: maglev(context, config as Parameters<typeof maglev>[1], path) };
    default:
      context.refuse(path, `\`${type}\` is not a load balancing policy that is supported`);
      return usual;
  }
}

function loadWeights(config: ByLoad): LoadWeights {
  return {
    blackoutPeriod: milliseconds(config.blackoutPeriod, 10_000),
    expirationPeriod: milliseconds(config.weightExpirationPeriod, 180_000),
    updatePeriod: Math.max(100, milliseconds(config.weightUpdatePeriod, 1000)),
    errorPenalty: Number(config.errorUtilizationPenalty ?? 0),
    metrics: config.metricNamesForComputingUtilization ?? [],
  };
}

function compileByLocality(
  context: CompileContext,
  { endpointPickingPolicy }: WrrLocality,
  path: Path,
): BalancingProgram {
  const at = [...path, 'endpointPickingPolicy'];
  const first = endpointPickingPolicy?.policies?.[0]?.typedExtensionConfig?.typedConfig;
  if (first !== undefined && messageOf(first['@type']) !== BY_LOAD)
    context.refuse(at, 'must be a `ClientSideWeightedRoundRobin`');
  return { ...compileFirst(context, endpointPickingPolicy ?? {}, at), localityWeighted: true };
}

function typedLeastRequest(context: CompileContext, config: object): BalancingProgram['lb'] {
  const { enableFullScan, selectionMethod } = config as {
    readonly enableFullScan?: boolean;
    readonly selectionMethod?: string;
  };
  return leastRequest(
    context,
    config as types.cluster.Cluster_LeastRequestLbConfig,
    enableFullScan === true || selectionMethod === 'FULL_SCAN',
  );
}

function compileOverride(context: CompileContext, config: Override, path: Path): BalancingProgram {
  const { overrideHostSources = [], fallbackPolicy } = config;
  if (overrideHostSources.length === 0) context.refuse([...path, 'overrideHostSources'], 'must not be empty');
  const overrides = overrideHostSources.map(({ header = '', metadata }, i): OverrideSource => {
    const at = [...path, 'overrideHostSources', i];
    if (header !== '' && metadata !== undefined) context.refuse([...at, 'metadata'], 'cannot be set beside `header`');
    if (header === '' && metadata === undefined) context.refuse(at, 'must say where hosts are named');
    if (metadata === undefined) return { header: asciiLower(header) };
    return { metadata: [metadata.key ?? '', ...(metadata.path ?? []).map(({ key = '' }) => key)] };
  });
  if (fallbackPolicy === undefined) {
    context.refuse([...path, 'fallbackPolicy'], 'must be there');
    return { ...BASIS, zoneAware: zoneAware(context, undefined) };
  }
  return { ...compileFirst(context, fallbackPolicy, [...path, 'fallbackPolicy']), overrides };
}
