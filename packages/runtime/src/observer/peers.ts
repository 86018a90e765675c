import type { Clock } from '@mizzen/proxy/deps.ts';
import { KnownWorkloads } from '@mizzen/proxy/istio/known-workloads.ts';
import type { WorkloadPeer } from '@mizzen/proxy/istio/peer.ts';

/** For how long it is known whose connection one was that has ended, milliseconds. */
const REMEMBERED = 5000;

/** Who connections come from, where peers cannot tell each other: by their ends, or by a certificate that only one has. */
export class Peers extends KnownWorkloads {
  readonly #clock: Clock;
  readonly #connections = new Map<string, WorkloadPeer>();

  constructor(clock: Clock) {
    super();
    this.#clock = clock;
  }

  /** A proxy has made a connection from this end. */
  connected(node: string, from: string): void {
    const peer = this.ofNode(node);
    if (peer !== undefined) this.#connections.set(from, peer);
  }

  /** The other end may hear of it later. */
  ended(from: string): void {
    const peer = this.#connections.get(from);
    if (peer === undefined) return;
    this.#clock.after(REMEMBERED, () => {
      if (this.#connections.get(from) === peer) this.#connections.delete(from);
    });
  }

  ofConnection(from: string): WorkloadPeer | undefined {
    return this.#connections.get(from);
  }
}
