import type { Cluster } from '@mizzen/xds';
import type { LocalTraces } from '../types.ts';
import { TRACES } from '../names.ts';

/** Leads to where `mizzen up` keeps traces. */
export function tracesCluster({ address, port }: LocalTraces): Cluster {
  return {
    name: TRACES,
    altStatName: `${TRACES};`,
    type: 'STATIC',
    connectTimeout: '1s',
    loadAssignment: {
      clusterName: TRACES,
      endpoints: [{ lbEndpoints: [{ endpoint: { address: { socketAddress: { address, portValue: port } } } }] }],
    },
  };
}
