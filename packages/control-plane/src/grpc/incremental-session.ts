import { TypeUrl } from '@mizzen/xds';
import type { DeltaRequest, DeltaResponse } from '../xds/types.ts';
import { refusedResources } from './refusal.ts';
import type { IncrementalRequest } from './requests.ts';

const WILDCARDS: readonly string[] = [TypeUrl.listener, TypeUrl.cluster];

interface Followed {
  readonly names: Set<string>;
  /** The latest response: its nonce and the names in it. */
  nonce: string | undefined;
  sent: readonly string[];
}

/** The incremental protocol as gRPC carries it, for one stream. */
export class IncrementalSession {
  readonly #types = new Map<string, Followed>();

  /** How many names the stream follows. */
  get size(): number {
    let size = 0;
    for (const { names } of this.#types.values()) size += names.size;
    return size;
  }

  request({ typeUrl, subscribe, unsubscribe, initialVersions, nonce, error }: IncrementalRequest): DeltaRequest {
    let state = this.#types.get(typeUrl);
    let names = subscribe;
    if (state === undefined) {
      this.#types.set(typeUrl, (state = { names: new Set(), nonce: undefined, sent: [] }));
      // Naming nothing at first means everything (xDS protocol, "resource hints").
      if (names.length === 0 && WILDCARDS.includes(typeUrl)) names = ['*'];
    }
    for (const name of names) state.names.add(name);
    for (const name of unsubscribe) state.names.delete(name);
    const refused = error !== undefined && nonce === state.nonce;
    const resources = refused ? refusedResources(typeUrl, error, state.sent) : undefined;
    return {
      typeUrl,
      ...(names.length > 0 ? { subscribe: names } : {}),
      ...(unsubscribe.length > 0 ? { unsubscribe } : {}),
      ...(Object.keys(initialVersions).length > 0 ? { initialResourceVersions: initialVersions } : {}),
      ...(nonce === '' ? {} : { responseNonce: nonce }),
      ...(refused ? { refusal: { message: error, ...(resources === undefined ? {} : { resources }) } } : {}),
    };
  }

  /** Remembers what is sent. */
  response({ typeUrl, nonce, resources }: DeltaResponse): void {
    const state = this.#types.get(typeUrl);
    if (state === undefined) return;
    state.nonce = nonce;
    state.sent = resources.map((each) => each.name);
  }
}
