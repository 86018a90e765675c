import type { EndpointProgram } from '../program/types.ts';
import { Cluster } from './cluster.ts';

/** A cluster whose hosts are those that requests have named. */
export abstract class LearningCluster<Known extends { readonly endpoint: EndpointProgram }> extends Cluster {
  protected readonly known = new Map<string, Known>();

  /** To be called whenever `known` has others. */
  protected publish(): void {
    this.setEndpoints({
      name: this.name,
      localities: [
        {
          region: '',
          zone: '',
          subZone: '',
          priority: 0,
          weight: undefined,
          endpoints: [...this.known.values()].map(({ endpoint }) => endpoint),
        },
      ],
      overprovisioningFactor: 140,
      weightedPriorityHealth: false,
      dropOverload: 0,
    });
  }
}

/** `hostname` may be empty; `others` are tried where the address does not answer. */
export function learnedEndpoint(
  hostname: string,
  address: string,
  port: number,
  others: readonly string[] = [],
): EndpointProgram {
  return {
    address: { kind: 'socket', address, port, ipv4Compat: false },
    endpointId: '',
    hostname,
    weight: 1,
    health: 'UNKNOWN',
    healthCheckAddress: undefined,
    additionalAddresses: others.map((other) => ({ address: other, port })),
    healthCheckHostname: '',
    healthCheckDisabled: true,
    metadata: undefined,
  };
}
