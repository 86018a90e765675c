import type { DeltaResponse } from '../xds/types.ts';
import type { Encode, Protocol } from './ads-call.ts';
import { IncrementalSession } from './incremental-session.ts';
import { readIncrementalRequest, readWorldRequest } from './requests.ts';
import { incrementalResponse, worldResponse } from './responses.ts';
import { WorldSession } from './world-session.ts';

export class WorldProtocol implements Protocol {
  readonly name = 'state of the world';
  readonly #session = new WorldSession();

  get size(): number {
    return this.#session.size;
  }

  read(message: Buffer): ReturnType<Protocol['read']> {
    const request = readWorldRequest(message);
    const { node, typeUrl } = request;
    return { node, typeUrl, toDelta: () => this.#session.request(request) };
  }

  write(response: DeltaResponse, encode: Encode): Buffer {
    const { typeUrl, versionInfo, nonce, resources } = this.#session.response(response);
    return worldResponse(typeUrl, versionInfo, nonce, encode(resources));
  }
}

export class IncrementalProtocol implements Protocol {
  readonly name = 'incremental';
  readonly #session = new IncrementalSession();

  get size(): number {
    return this.#session.size;
  }

  read(message: Buffer): ReturnType<Protocol['read']> {
    const request = readIncrementalRequest(message);
    const { node, typeUrl } = request;
    return { node, typeUrl, toDelta: () => this.#session.request(request) };
  }

  write(response: DeltaResponse, encode: Encode): Buffer {
    this.#session.response(response);
    const { typeUrl, nonce, resources, removed } = response;
    return incrementalResponse(typeUrl, nonce, encode(resources), removed);
  }
}
