import type { types } from '@mizzen/xds';
import type { CompileContext } from '../context.ts';
import type { Path } from '../path.ts';
import { messageOf } from '../read-resource.ts';
import { leastRequest, maglev, ringHash, slowStart, type BalancingProgram } from './lb.ts';

const PREFIX = 'envoy.extensions.load_balancing_policies.';
const DEFAULT: BalancingProgram = {
  lb: { policy: 'ROUND_ROBIN', slowStart: undefined },
  localityWeighted: false,
  hashByHostname: false,
};

interface Locality {
  readonly localityLbConfig?: { readonly localityWeightedLbConfig?: object };
}
interface Hashing {
  readonly localityWeightedLbConfig?: object;
  readonly consistentHashingLbConfig?: { readonly useHostnameForHashing?: boolean };
  readonly useHostnameForHashing?: boolean;
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
  const config = policy.policies?.[0]?.typedExtensionConfig?.typedConfig;
  const at = ['loadBalancingPolicy', 'policies'];
  if (config === undefined) {
    context.refuse(at, 'must name a policy');
    return DEFAULT;
  }
  return compileTyped(context, config, [...at, 0, 'typedExtensionConfig', 'typedConfig']);
}

function compileTyped(context: CompileContext, config: { readonly '@type': string }, path: Path): BalancingProgram {
  const type = messageOf(config['@type']);
  const byLocality = {
    localityWeighted: (config as Locality).localityLbConfig?.localityWeightedLbConfig !== undefined,
    hashByHostname: false,
  };
  const hashing = config as Hashing;
  const byHash = {
    localityWeighted: hashing.localityWeightedLbConfig !== undefined,
    hashByHostname:
      (hashing.consistentHashingLbConfig?.useHostnameForHashing ?? hashing.useHostnameForHashing) === true,
  };
  switch (type) {
    case `${PREFIX}round_robin.v3.RoundRobin`: {
      const { slowStartConfig } = config as { readonly slowStartConfig?: types.cluster.Cluster_SlowStartConfig };
      return { lb: { policy: 'ROUND_ROBIN', slowStart: slowStart(context, slowStartConfig) }, ...byLocality };
    }
    case `${PREFIX}least_request.v3.LeastRequest`:
      return { lb: leastRequest(context, config as types.cluster.Cluster_LeastRequestLbConfig), ...byLocality };
    case `${PREFIX}random.v3.Random`:
      return { lb: { policy: 'RANDOM' }, ...byLocality };
    case `${PREFIX}ring_hash.v3.RingHash`:
      return { lb: ringHash(context, config as Parameters<typeof ringHash>[1], path), ...byHash };
    case `${PREFIX}maglev.v3.Maglev`:
      return { lb: maglev(context, config as Parameters<typeof maglev>[1], path), ...byHash };
    default:
      context.refuse(path, `\`${type}\` is not a load balancing policy that is supported`);
      return DEFAULT;
  }
}
