import { NOT_SUPPORTED, type FieldTable } from './table.ts';

const PREFIX = 'envoy.extensions.load_balancing_policies';

/** Typed load balancing policies. */
export const balancingFields: FieldTable = {
  'envoy.config.cluster.v3.LoadBalancingPolicy': { implemented: 'policies' },
  'envoy.config.cluster.v3.LoadBalancingPolicy.Policy': { implemented: 'typedExtensionConfig' },
  [`${PREFIX}.round_robin.v3.RoundRobin`]: { implemented: 'slowStartConfig localityLbConfig' },
  [`${PREFIX}.least_request.v3.LeastRequest`]: {
    implemented: 'choiceCount activeRequestBias slowStartConfig localityLbConfig selectionMethod enableFullScan',
  },
  [`${PREFIX}.random.v3.Random`]: { implemented: 'localityLbConfig' },
  [`${PREFIX}.ring_hash.v3.RingHash`]: {
    implemented: `hashFunction minimumRingSize maximumRingSize useHostnameForHashing consistentHashingLbConfig
      localityWeightedLbConfig hashBalanceFactor`,
  },
  [`${PREFIX}.maglev.v3.Maglev`]: {
    implemented: 'tableSize consistentHashingLbConfig localityWeightedLbConfig',
  },
  [`${PREFIX}.common.v3.SlowStartConfig`]: { implemented: 'slowStartWindow aggression minWeightPercent' },
  [`${PREFIX}.common.v3.LocalityLbConfig`]: {
    implemented: 'localityWeightedLbConfig zoneAwareLbConfig',
  },
  [`${PREFIX}.common.v3.LocalityLbConfig.LocalityWeightedLbConfig`]: {},
  [`${PREFIX}.common.v3.LocalityLbConfig.ZoneAwareLbConfig`]: {
    implemented: `routingEnabled minClusterSize failTrafficOnPanic forceLocalZone localityBasis
      forceLocalityDirectRouting`,
  },
  [`${PREFIX}.common.v3.LocalityLbConfig.ZoneAwareLbConfig.ForceLocalZone`]: { implemented: 'minSize' },
  [`${PREFIX}.override_host.v3.OverrideHost`]: {
    implemented: 'overrideHostSources fallbackPolicy',
    refused: { [NOT_SUPPORTED]: 'selectedHostKey' },
  },
  [`${PREFIX}.override_host.v3.OverrideHost.OverrideHostSource`]: { implemented: 'header metadata' },
  [`${PREFIX}.client_side_weighted_round_robin.v3.ClientSideWeightedRoundRobin`]: {
    implemented: `blackoutPeriod weightExpirationPeriod weightUpdatePeriod errorUtilizationPenalty
      metricNamesForComputingUtilization slowStartConfig`,
    noEffect: { 'it is about reports that are asked for': 'oobReportingPeriod oobReportingConfig' },
    refused: { 'reports come with responses only': 'enableOobLoadReport' },
  },
  [`${PREFIX}.wrr_locality.v3.WrrLocality`]: { implemented: 'endpointPickingPolicy' },
  [`${PREFIX}.cluster_provided.v3.ClusterProvided`]: {},
  [`${PREFIX}.subset.v3.Subset`]: {
    implemented: `fallbackPolicy defaultSubset subsetSelectors localityWeightAware scaleLocalityWeight panicModeAny
      listAsAny metadataFallbackPolicy subsetLbPolicy allowRedundantKeys`,
  },
  [`${PREFIX}.subset.v3.Subset.LbSubsetSelector`]: {
    implemented: 'keys fallbackPolicy fallbackKeysSubset singleHostPerSubset',
  },
  [`${PREFIX}.common.v3.ConsistentHashingLbConfig`]: {
    implemented: 'useHostnameForHashing hashBalanceFactor hashPolicy',
  },
};
