import type { JsonObject } from '@mizzen/xds';
import { peerOf, type WorkloadPeer } from './peer.ts';

/** The workloads of one machine by their identities, for connections whose ends cannot tell each other who they are. */
export class KnownWorkloads {
  readonly #nodes = new Map<string, { readonly identity: string; readonly peer: WorkloadPeer }>();

  add(node: string, metadata: JsonObject): void {
    const [namespace, account] = [metadata['NAMESPACE'], metadata['SERVICE_ACCOUNT']];
    if (typeof namespace !== 'string' || typeof account !== 'string') return;
    const identity = `/ns/${namespace}/sa/${account}`;
    this.#nodes.set(node, { identity, peer: peerOf(metadata) });
  }

  remove(node: string): void {
    this.#nodes.delete(node);
  }

  ofNode(node: string): WorkloadPeer | undefined {
    return this.#nodes.get(node)?.peer;
  }

  /** The workload whose alone a SPIFFE id is; undefined: several have it, or none. */
  ofIdentity(principal: string): WorkloadPeer | undefined {
    if (principal === '') return undefined;
    let found: WorkloadPeer | undefined;
    for (const { identity, peer } of this.#nodes.values()) {
      if (!principal.endsWith(identity)) continue;
      if (found !== undefined && labelsOf(found) !== labelsOf(peer)) return undefined;
      found = peer;
    }
    return found;
  }
}

/** What of a workload metrics tell, which is not which of its pods it is. */
function labelsOf({ is: { name: _, ...rest } }: WorkloadPeer): string {
  return JSON.stringify(rest);
}
