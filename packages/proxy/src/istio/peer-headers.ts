import type { Headers } from '../http/headers.ts';
import type { WorkloadPeer } from './peer.ts';
import { peerOf } from './peer.ts';
import { decodeStruct } from './struct.ts';

export const PEER_ID = 'x-envoy-peer-metadata-id';
export const PEER_METADATA = 'x-envoy-peer-metadata';

/** As many peers are remembered; Istio's own number. */
const MAX_PEERS = 500;

/** What a peer says of itself, and what it decodes to. */
interface Known {
  readonly id: string | undefined;
  readonly value: string;
  readonly peer: WorkloadPeer | undefined;
}

/** Reads what peers say of themselves in header fields, and remembers them by their ids. */
export class PeerReader {
  readonly #labels: readonly string[];
  readonly #known = new Map<string, Known>();
  #last: Known | undefined;

  constructor(labels: readonly string[]) {
    this.#labels = labels;
  }

  read(id: string | undefined, value: string): WorkloadPeer | undefined {
    const last = this.#last;
    if (last !== undefined && last.id === id && last.value === value) return last.peer;
    const known = this.#find(id, value);
    this.#last = known;
    return known.peer;
  }

  #find(id: string | undefined, value: string): Known {
    // Those that do not say theirs are known by all that they say.
    const key = id === undefined || id === '' ? value : id;
    const known = this.#known.get(key);
    if (known !== undefined && known.value === value && known.id === id) return known;
    const made = { id: own(id), value: own(value), peer: known?.value === value ? known.peer : this.#decode(value) };
    if (known === undefined && this.#known.size >= MAX_PEERS) this.#known.clear();
    this.#known.set(own(key), made);
    return made;
  }

  #decode(value: string): WorkloadPeer | undefined {
    const metadata = decodeStruct(Buffer.from(value, 'base64'));
    return metadata === undefined ? undefined : peerOf(metadata, this.#labels);
  }
}

/** A copy: a part of a head would keep all of it alive. */
function own<T extends string | undefined>(text: T): T {
  return (text === undefined ? text : Buffer.from(text, 'latin1').toString('latin1')) as T;
}

/** Takes what a peer says off a head: the first of each, and the others with them; undefined: it says nothing. */
export function takePeer(
  headers: Headers,
): readonly [id: string | undefined, metadata: string | undefined] | undefined {
  return headers.removeBoth(PEER_ID, PEER_METADATA);
}

/** Says both in a head. */
export function tellPeer(headers: Headers, id: string, metadata: string): void {
  headers.set(PEER_ID, id);
  headers.set(PEER_METADATA, metadata);
}
