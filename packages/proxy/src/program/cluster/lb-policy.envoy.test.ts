import { startEnvoy } from '@mizzen/testkit';
import { expect, test } from 'vitest';
import { bootstrap } from '../../process/testing/bootstraps.ts';
import { testDeps } from '../testing/deps.ts';
import { compileCluster } from './compile.ts';

const TYPE = 'type.googleapis.com/envoy.extensions.load_balancing_policies';

function cluster(type: string, config: object, more: object = {}): object {
  const typedConfig = { '@type': `${TYPE}.${type}`, ...config };
  return {
    name: 'c',
    type: 'STATIC',
    loadAssignment: { clusterName: 'c' },
    loadBalancingPolicy: { policies: [{ typedExtensionConfig: { name: 'p', typedConfig } }] },
    ...more,
  };
}

const BY_LOAD = 'client_side_weighted_round_robin.v3.ClientSideWeightedRoundRobin';
const slowStartConfig = { slowStartWindow: '10s' };
const weighted = { localityWeightedLbConfig: {} };

function byLoad(config: object): object {
  const typedConfig = { '@type': `${TYPE}.${BY_LOAD}`, ...config };
  return { policies: [{ typedExtensionConfig: { name: 'p', typedConfig } }] };
}

test.each([
  [
    cluster('round_robin.v3.RoundRobin', { slowStartConfig, localityLbConfig: weighted }),
    {
      lb: { policy: 'ROUND_ROBIN', slowStart: { window: 10_000, aggression: 1, minWeight: 0.1 } },
      localityWeighted: true,
    },
  ],
  [
    cluster('least_request.v3.LeastRequest', { choiceCount: 5 }, { lbPolicy: 'RANDOM' }),
    { lb: { policy: 'LEAST_REQUEST', choiceCount: 5, activeRequestBias: 1 }, localityWeighted: false },
  ],
  [
    cluster('random.v3.Random', { localityLbConfig: { zoneAwareLbConfig: {} } }),
    { lb: { policy: 'RANDOM' }, localityWeighted: false },
  ],
  [
    cluster('ring_hash.v3.RingHash', {
      minimumRingSize: '7',
      consistentHashingLbConfig: { useHostnameForHashing: true },
    }),
    { lb: { policy: 'RING_HASH', minimumRingSize: 7, hashFunction: 'XX_HASH' }, hashByHostname: true },
  ],
  [
    cluster('maglev.v3.Maglev', { tableSize: 11, ...weighted }),
    { lb: { policy: 'MAGLEV', tableSize: 11 }, localityWeighted: true, hashByHostname: false },
  ],
  [
    cluster(BY_LOAD, { weightUpdatePeriod: '0.05s' }),
    { lb: { byLoad: { updatePeriod: 100 } }, localityWeighted: false },
  ],
  [
    cluster('wrr_locality.v3.WrrLocality', {
      endpointPickingPolicy: byLoad({
        blackoutPeriod: '2s',
        slowStartConfig,
        metricNamesForComputingUtilization: ['named_metrics.a'],
      }),
    }),
    {
      lb: {
        policy: 'ROUND_ROBIN',
        slowStart: { window: 10_000 },
        byLoad: {
          blackoutPeriod: 2000,
          expirationPeriod: 180_000,
          updatePeriod: 1000,
          errorPenalty: 0,
          metrics: ['named_metrics.a'],
        },
      },
      localityWeighted: true,
    },
  ],
])('taken as by Envoy: %j', async (config, program) => {
  expect(compileCluster(config, testDeps)).toMatchObject({ program });
  await (await startEnvoy(bootstrap([], [config]))).stop();
});

test.each([
  [cluster('round_robin.v3.RoundRobin', {}, { commonLbConfig: weighted }), 'commonLbConfig.localityWeightedLbConfig'],
  [cluster('random.v3.Random', {}, { lbSubsetConfig: { subsetSelectors: [{ keys: ['a'] }] } }), 'lbSubsetConfig'],
  [cluster('ring_hash.v3.RingHash', { minimumRingSize: 20, maximumRingSize: 10 }), 'typedConfig.minimumRingSize'],
  [cluster('maglev.v3.Maglev', { tableSize: 100 }), 'typedConfig.tableSize'],
  [cluster('cluster_provided.v3.ClusterProvided', {}), 'loadBalancingPolicy'],
  [{ name: 'c', lbPolicy: 'LOAD_BALANCING_POLICY_CONFIG' }, 'loadBalancingPolicy'],
  [{ name: 'c', loadBalancingPolicy: {} }, 'loadBalancingPolicy.policies'],
  [{ name: 'c', lbPolicy: 'CLUSTER_PROVIDED' }, 'lbPolicy'],
  [cluster('wrr_locality.v3.WrrLocality', {}), 'typedConfig.endpointPickingPolicy'],
  [cluster('wrr_locality.v3.WrrLocality', { endpointPickingPolicy: {} }), 'endpointPickingPolicy.policies'],
  [
    cluster('wrr_locality.v3.WrrLocality', {
      endpointPickingPolicy: {
        policies: [
          { typedExtensionConfig: { name: 'p', typedConfig: { '@type': `${TYPE}.round_robin.v3.RoundRobin` } } },
        ],
      },
    }),
    'endpointPickingPolicy',
  ],
])('refused as by Envoy: %j', async (config, field) => {
  const { nacks } = compileCluster(config, testDeps);
  expect(nacks?.map((nack) => nack.field).join()).toMatch(new RegExp(`${field.replaceAll('.', '\\.')}$`));
  await expect(startEnvoy(bootstrap([], [config]))).rejects.toThrow('did not start');
});
