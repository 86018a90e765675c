import type { Writable } from 'node:stream';
import type { JsonObject, types } from '@mizzen/xds';
import type { FilterState } from '../filter-state/state.ts';
import type { CompileDeps, Counter } from '../program/types.ts';
import { NO_PEER, peerOf, toMetadata } from './peer.ts';
import { PEER_ID, PEER_METADATA } from './peer-headers.ts';
import { decodeStruct, encodeStruct } from './struct.ts';

const MAGIC = 0x3d230467;
const HEAD_BYTES = 8;
/** More than this nobody has to say of himself. */
const MAX_BYTES = 1 << 20;
const STRUCT = 'type.googleapis.com/google.protobuf.Struct';

/** How the two ends of a connection tell each other who they are, before anything else. */
export interface ExchangeProgram {
  /** They do where ALPN agreed on this. */
  readonly protocol: string;
  readonly labels: readonly string[];
  /** What this end says. */
  readonly frame: Buffer;
  readonly counts: Readonly<Record<(typeof COUNTS)[number], Counter>>;
}
const COUNTS = [
  'alpn_protocol_found',
  'alpn_protocol_not_found',
  'initial_header_not_found',
  'header_not_found',
  'metadata_added',
] as const;

export function compileExchange(
  { deps }: { readonly deps: Pick<CompileDeps, 'nodeId' | 'nodeMetadata' | 'counter'> },
  { protocol = '', additionalLabels = [] }: types.metadataExchange.MetadataExchange,
): ExchangeProgram {
  const metadata = toMetadata(peerOf(deps.nodeMetadata ?? {}, additionalLabels));
  const id = deps.nodeId ?? '';
  const counts = Object.fromEntries(COUNTS.map((name) => [name, deps.counter(`metadata_exchange.${name}`)]));
  return {
    protocol,
    labels: additionalLabels,
    frame: frameOf({ [PEER_METADATA]: metadata, ...(id === '' ? {} : { [PEER_ID]: id }) }),
    counts: counts as ExchangeProgram['counts'],
  };
}

/** Magic, length, and a google.protobuf.Any with a Struct in it. */
function frameOf(value: JsonObject): Buffer {
  const any = Buffer.concat([field(1, Buffer.from(STRUCT)), field(2, encodeStruct(value))]);
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32BE(MAGIC, 0);
  head.writeUInt32BE(any.length, 4);
  return Buffer.concat([head, any]);
}

function field(number: number, bytes: Buffer): Buffer {
  const head = [(number << 3) | 2];
  let length = bytes.length;
  for (; length > 127; length >>>= 7) head.push((length & 127) | 128);
  head.push(length);
  return Buffer.concat([Buffer.from(head), bytes]);
}

/** Takes off what the other end says of itself, and notes it in a filter state. */
export class PeerExchange {
  readonly #program: ExchangeProgram;
  readonly #state: FilterState;
  readonly #key: string;
  #held: Buffer | undefined;
  #done = false;

  constructor(program: ExchangeProgram, state: FilterState, key: string) {
    this.#program = program;
    this.#state = state;
    this.#key = key;
  }

  /** It is known who the peer is, or that nobody will say. */
  get done(): boolean {
    return this.#done;
  }

  /** Bytes of the application; undefined: none so far. */
  read(chunk: Buffer): Buffer | undefined {
    if (this.#done) return chunk;
    const all = this.#held === undefined ? chunk : Buffer.concat([this.#held, chunk]);
    const { counts } = this.#program;
    if (all.length < HEAD_BYTES) {
      counts.initial_header_not_found.value++;
      return this.#hold(all);
    }
    const size = all.readUInt32BE(4);
    if (all.readUInt32BE(0) !== MAGIC || size > MAX_BYTES) {
      counts.initial_header_not_found.value++;
      return this.#end(all);
    }
    if (all.length < HEAD_BYTES + size) return this.#hold(all);
    const value = structIn(all.subarray(HEAD_BYTES, HEAD_BYTES + size));
    if (value === undefined) {
      counts.header_not_found.value++;
      return this.#end(all.subarray(HEAD_BYTES));
    }
    const metadata = value[PEER_METADATA];
    if (typeof metadata === 'object' && metadata !== null && !Array.isArray(metadata))
      this.#state.set(this.#key, peerOf(metadata as JsonObject, this.#program.labels), 'NONE');
    this.#done = true;
    this.#held = undefined;
    return all.length === HEAD_BYTES + size ? undefined : all.subarray(HEAD_BYTES + size);
  }

  #hold(all: Buffer): undefined {
    // What a reader gives is its own again once it has been looked at.
    this.#held = Buffer.from(all);
    return undefined;
  }

  #end(rest: Buffer): Buffer {
    this.#done = true;
    this.#held = undefined;
    noPeer(this.#state);
    return rest;
  }
}

/** Says who this end is, where ALPN agreed on that; undefined: it did not, and the peer stays unknown. */
export function beginExchange(
  program: ExchangeProgram,
  state: FilterState,
  key: string,
  agreed: string,
  to: Writable,
): PeerExchange | undefined {
  if (agreed !== program.protocol) {
    program.counts.alpn_protocol_not_found.value++;
    noPeer(state);
    return undefined;
  }
  program.counts.alpn_protocol_found.value++;
  program.counts.metadata_added.value++;
  to.write(program.frame);
  return new PeerExchange(program, state, key);
}

/** Nobody will say who the peer is. */
function noPeer(state: FilterState): void {
  state.set(NO_PEER, { value: '', text: undefined, json: undefined }, 'NONE');
}

/** The Struct in an Any; undefined: these bytes are none. */
function structIn(any: Buffer): JsonObject | undefined {
  let value: Buffer = Buffer.alloc(0);
  for (let at = 0; at < any.length;) {
    const tag = any[at++]!;
    let length = 0;
    let shift = 0;
    for (let byte = 128; byte > 127; shift += 7) {
      if (at >= any.length || shift > 28) return undefined;
      byte = any[at++]!;
      length += (byte & 127) * 2 ** shift;
    }
    if ((tag & 7) !== 2 || at + length > any.length) return undefined;
    if (tag >> 3 === 2) value = any.subarray(at, at + length);
    at += length;
  }
  return decodeStruct(value);
}
