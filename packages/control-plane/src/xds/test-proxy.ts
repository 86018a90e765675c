import { TypeUrl } from '@mizzen/xds';
import { referencesOf } from './references.ts';
import type { XdsServer } from './server.ts';
import type { XdsStream } from './stream.ts';
import type { DeltaRequest, DeltaResponse, RefusedResource } from './types.ts';

/** Clusters come before whoever leads to them, also when a proxy reconnects. */
const ORDER = [TypeUrl.secret, TypeUrl.cluster, TypeUrl.endpoint, TypeUrl.listener, TypeUrl.route];

/** Type URL → name → JSON of the resource in force. */
export type Applied = Map<string, Map<string, string>>;

/**
 * A proxy as Envoy is one: follows all clusters and listeners, asks for the endpoints, routes and secrets that these
 * name, and gives up what nothing names any more. Both directions are queues, so that a test decides what arrives when.
 */
export class TestProxy {
  readonly #server: XdsServer;
  readonly node: string;
  readonly applied: Applied = new Map();
  readonly #versions = new Map<string, Map<string, string>>();
  readonly #followed = new Map<string, Set<string>>();
  #stream: XdsStream | undefined;
  toProxy: DeltaResponse[] = [];
  toServer: DeltaRequest[] = [];
  writable = true;
  /** Every response, in the order received. */
  readonly received: DeltaResponse[] = [];
  /** Says why a resource is refused. */
  refuse: (typeUrl: string, json: string) => string | undefined = () => undefined;

  constructor(server: XdsServer, node: string) {
    this.#server = server;
    this.node = node;
  }

  get connected(): boolean {
    return this.#stream !== undefined;
  }

  connect(): void {
    this.#stream = this.#server.open(this.node, {
      send: (response) => {
        this.toProxy.push(response);
        return response.resources.reduce((bytes, { json }) => bytes + json.length, 0);
      },
      writable: () => this.writable,
    });
    for (const typeUrl of ORDER) {
      const wildcard = typeUrl === TypeUrl.cluster || typeUrl === TypeUrl.listener;
      const subscribe = wildcard ? ['*'] : [...(this.#followed.get(typeUrl) ?? [])];
      if (subscribe.length === 0) continue;
      const versions = Object.fromEntries(this.#versions.get(typeUrl) ?? []);
      this.toServer.push({ typeUrl, subscribe, initialResourceVersions: versions });
    }
  }

  disconnect(): void {
    if (this.#stream !== undefined) this.#server.close(this.#stream);
    this.#stream = undefined;
    this.toProxy = [];
    this.toServer = [];
  }

  setWritable(writable: boolean): void {
    this.writable = writable;
    if (writable) this.#stream?.flush();
  }

  /** Delivers the oldest message of one direction; false when there is none. */
  deliver(direction: 'toServer' | 'toProxy'): boolean {
    if (direction === 'toServer') {
      const request = this.toServer.shift();
      if (request !== undefined) this.#stream?.request(request);
      return request !== undefined;
    }
    const response = this.toProxy.shift();
    if (response !== undefined) this.#apply(response);
    return response !== undefined;
  }

  settle(): void {
    while (this.deliver('toServer') || this.deliver('toProxy'));
  }

  names(typeUrl: string): string[] {
    return [...(this.applied.get(typeUrl)?.keys() ?? [])].toSorted();
  }

  #apply(response: DeltaResponse): void {
    const { typeUrl } = response;
    this.received.push(response);
    const applied = map(this.applied, typeUrl);
    const versions = map(this.#versions, typeUrl);
    const refused: RefusedResource[] = [];
    for (const { name, version, json } of response.resources) {
      const message = this.refuse(typeUrl, json);
      if (message !== undefined) {
        refused.push({ resource: name, field: 'x', message });
        continue;
      }
      applied.set(name, json);
      versions.set(name, version);
    }
    for (const name of response.removed) {
      applied.delete(name);
      versions.delete(name);
    }
    const refusal = refused.length === 0 ? undefined : { message: 'refused', resources: refused };
    this.toServer.push({ typeUrl, responseNonce: response.nonce, refusal });
    this.#follow();
  }

  /** Subscribes to what is newly named and unsubscribes from the rest. */
  #follow(): void {
    const wanted = new Map<string, Set<string>>();
    for (const typeUrl of [TypeUrl.cluster, TypeUrl.listener]) {
      for (const [name, json] of this.applied.get(typeUrl) ?? []) {
        const resource = { name, version: '', json, resource: JSON.parse(json) as object };
        for (const each of referencesOf(typeUrl, resource)) {
          wanted.set(each.typeUrl, (wanted.get(each.typeUrl) ?? new Set()).add(each.name));
        }
      }
    }
    for (const typeUrl of [TypeUrl.endpoint, TypeUrl.route, TypeUrl.secret]) {
      const want = wanted.get(typeUrl) ?? new Set<string>();
      const have = this.#followed.get(typeUrl) ?? new Set<string>();
      const subscribe = [...want].filter((name) => !have.has(name));
      const unsubscribe = [...have].filter((name) => !want.has(name));
      this.#followed.set(typeUrl, want);
      for (const name of unsubscribe) {
        this.applied.get(typeUrl)?.delete(name);
        this.#versions.get(typeUrl)?.delete(name);
      }
      if (subscribe.length + unsubscribe.length > 0) this.toServer.push({ typeUrl, subscribe, unsubscribe });
    }
  }
}

function map<V>(maps: Map<string, Map<string, V>>, key: string): Map<string, V> {
  let inner = maps.get(key);
  if (inner === undefined) maps.set(key, (inner = new Map<string, V>()));
  return inner;
}
