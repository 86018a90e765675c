import { NOT_SUPPORTED, type FieldTable } from './table.ts';

const PREFIX = 'envoy.extensions.load_balancing_policies';
const NO_LOCAL_CLUSTER = 'there is no local cluster whose zone to prefer';

/** Typed load balancing policies. */
export const balancingFields: FieldTable = {
  'envoy.config.cluster.v3.LoadBalancingPolicy': { implemented: 'policies' },
  'envoy.config.cluster.v3.LoadBalancingPolicy.Policy': { implemented: 'typedExtensionConfig' },
  [`${PREFIX}.round_robin.v3.RoundRobin`]: { implemented: 'slowStartConfig localityLbConfig' },
  [`${PREFIX}.least_request.v3.LeastRequest`]: {
    implemented: 'choiceCount activeRequestBias slowStartConfig localityLbConfig selectionMethod',
    refused: { [NOT_SUPPORTED]: 'enableFullScan' },
    values: { selectionMethod: { FULL_SCAN: NOT_SUPPORTED } },
  },
  [`${PREFIX}.random.v3.Random`]: { implemented: 'localityLbConfig' },
  [`${PREFIX}.ring_hash.v3.RingHash`]: {
    implemented: `hashFunction minimumRingSize maximumRingSize useHostnameForHashing consistentHashingLbConfig
      localityWeightedLbConfig`,
    refused: { [NOT_SUPPORTED]: 'hashBalanceFactor' },
  },
  [`${PREFIX}.maglev.v3.Maglev`]: {
    implemented: 'tableSize consistentHashingLbConfig localityWeightedLbConfig',
  },
  [`${PREFIX}.common.v3.SlowStartConfig`]: { implemented: 'slowStartWindow aggression minWeightPercent' },
  [`${PREFIX}.common.v3.LocalityLbConfig`]: {
    implemented: 'localityWeightedLbConfig',
    noEffect: { [NO_LOCAL_CLUSTER]: 'zoneAwareLbConfig' },
  },
  [`${PREFIX}.common.v3.LocalityLbConfig.LocalityWeightedLbConfig`]: {},
  [`${PREFIX}.common.v3.ConsistentHashingLbConfig`]: {
    implemented: 'useHostnameForHashing',
    refused: { [NOT_SUPPORTED]: 'hashBalanceFactor hashPolicy' },
  },
};
