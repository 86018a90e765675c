import type { WorkloadPeer } from './peer.ts';
import { peerOf } from './peer.ts';
import { decodeStruct } from './struct.ts';

export const PEER_ID = 'x-envoy-peer-metadata-id';
export const PEER_METADATA = 'x-envoy-peer-metadata';

/** As many peers are remembered; Istio's own number. */
const MAX_PEERS = 500;

/** Reads what peers say of themselves in header fields, and remembers them by their ids. */
export class PeerReader {
  readonly #labels: readonly string[];
  readonly #known = new Map<string, { readonly value: string; readonly peer: WorkloadPeer | undefined }>();

  constructor(labels: readonly string[]) {
    this.#labels = labels;
  }

  read(id: string | undefined, value: string): WorkloadPeer | undefined {
    // Those that do not say theirs are known by all that they say.
    const key = id === undefined || id === '' ? value : id;
    const known = this.#known.get(key);
    if (known !== undefined && known.value === value) return known.peer;
    const peer = this.#decode(value);
    if (known === undefined && this.#known.size >= MAX_PEERS) this.#known.clear();
    this.#known.set(key, { value, peer });
    return peer;
  }

  #decode(value: string): WorkloadPeer | undefined {
    const metadata = decodeStruct(Buffer.from(value, 'base64'));
    return metadata === undefined ? undefined : peerOf(metadata, this.#labels);
  }
}
