import { TypeUrl } from '@mizzen/xds';
import { referencesOf } from '../../xds/references.ts';
import type { XdsServer } from '../../xds/server.ts';
import type { XdsStream } from '../../xds/stream.ts';
import type { WorldRequest } from '../requests.ts';
import { WorldSession } from '../world-session.ts';
import type { WorldResponse } from '../world-session.ts';

const { cluster, endpoint, listener, route, secret } = TypeUrl;
const NAMED: readonly string[] = [endpoint, route, secret];

/**
 * An Envoy that speaks the state-of-the-world protocol: it keeps what it has when it refuses, answers a response about
 * clusters only when these are warm, and asks by name for what clusters and listeners refer to. Both directions are
 * queues, so that a test decides what arrives when.
 */
export class WorldProxy {
  readonly #server: XdsServer;
  readonly #node: string;
  readonly applied = new Map<string, Map<string, string>>();
  readonly #names = new Map<string, readonly string[]>();
  readonly #versions = new Map<string, string>();
  readonly #nonces = new Map<string, string>();
  /** Clusters that wait for their endpoints, and the answers that wait for these. */
  readonly #warming = new Set<string>();
  #held: WorldRequest[] = [];
  #session = new WorldSession();
  #stream: XdsStream | undefined;
  toProxy: WorldResponse[] = [];
  toServer: WorldRequest[] = [];
  writable = true;
  readonly received: WorldResponse[] = [];
  /** Whether a resource is refused. */
  refuse: (typeUrl: string, json: string) => boolean = () => false;
  /** Says of a refusal which resources it is about, as Envoy does of listeners and clusters. */
  precise = true;

  constructor(server: XdsServer, node: string) {
    this.#server = server;
    this.#node = node;
  }

  connect(): void {
    const session = (this.#session = new WorldSession());
    this.#stream = this.#server.open(this.#node, {
      send: (response) => this.toProxy.push(session.response(response)),
      writable: () => this.writable,
      warms: true,
    });
    this.#nonces.clear();
    for (const typeUrl of [cluster, endpoint, listener, route, secret]) {
      if (NAMED.includes(typeUrl) && (this.#names.get(typeUrl) ?? []).length === 0) continue;
      this.#ask(typeUrl);
    }
  }

  disconnect(): void {
    if (this.#stream !== undefined) this.#server.close(this.#stream);
    this.#stream = undefined;
    this.toProxy = [];
    this.toServer = [];
    this.#held = [];
  }

  setWritable(writable: boolean): void {
    this.writable = writable;
    if (writable) this.#stream?.flush();
  }

  /** Delivers the oldest message of one direction; false when there is none. */
  deliver(direction: 'toServer' | 'toProxy'): boolean {
    if (direction === 'toServer') {
      const request = this.toServer.shift();
      const delta = request === undefined ? undefined : this.#session.request(request);
      if (delta !== undefined) this.#stream?.request(delta);
      return request !== undefined;
    }
    const response = this.toProxy.shift();
    if (response !== undefined) this.#apply(response);
    return response !== undefined;
  }

  settle(): void {
    while (this.deliver('toServer') || this.deliver('toProxy'));
  }

  /** Says again what it wants, as Envoy does when something begins to wait for a resource that it has. */
  repeat(typeUrl: string): void {
    if (this.#nonces.has(typeUrl)) this.#ask(typeUrl);
  }

  #ask(typeUrl: string, error?: string, nonce = this.#nonces.get(typeUrl) ?? ''): void {
    const request: WorldRequest = {
      node: undefined,
      typeUrl,
      versionInfo: this.#versions.get(typeUrl) ?? '',
      names: this.#names.get(typeUrl) ?? [],
      nonce,
      error,
    };
    if (typeUrl === cluster && this.#warming.size > 0) this.#held.push(request);
    else this.toServer.push(request);
  }

  #apply(response: WorldResponse): void {
    const { typeUrl, nonce, versionInfo } = response;
    this.received.push(response);
    const before = this.applied.get(typeUrl) ?? new Map<string, string>();
    const whole = !NAMED.includes(typeUrl);
    // What was asked for when it left may be of no interest any more.
    const names = this.#names.get(typeUrl) ?? [];
    const resources = whole ? response.resources : response.resources.filter(({ name }) => names.includes(name));
    const after = new Map(whole ? [] : before);
    const refused = resources.filter(({ json }) => this.refuse(typeUrl, json)).map((each) => each.name);
    const all = refused.length > 0 && !(this.precise && whole);
    for (const { name, json } of resources) {
      const kept = before.get(name);
      if (!all && !refused.includes(name)) after.set(name, json);
      else if (kept !== undefined) after.set(name, kept);
    }
    if (all && whole) for (const [name, json] of before) after.set(name, json);
    this.applied.set(typeUrl, after);
    this.#nonces.set(typeUrl, nonce);
    if (refused.length === 0) this.#versions.set(typeUrl, versionInfo);
    if (typeUrl === cluster) {
      for (const [name, json] of after) if (before.get(name) !== json) this.#warming.add(name);
      for (const name of this.#warming) if (!after.has(name)) this.#warming.delete(name);
    }
    if (typeUrl === endpoint) for (const { name } of resources) this.#warming.delete(name);
    this.#follow();
    const list = refused.map((name) => `${name}: bad`).join(typeUrl === cluster ? ', ' : '\n');
    const head = `Error adding/updating ${typeUrl === cluster ? 'cluster' : 'listener'}(s) `;
    this.#ask(typeUrl, refused.length === 0 ? undefined : all ? 'bad' : head + list, nonce);
    if (this.#warming.size === 0) this.toServer.push(...this.#held.splice(0));
  }

  /** Asks for what is named now, all of it. */
  #follow(): void {
    const wanted = new Map<string, Set<string>>(NAMED.map((typeUrl) => [typeUrl, new Set()]));
    for (const typeUrl of [cluster, listener]) {
      for (const [name, json] of this.applied.get(typeUrl) ?? []) {
        const resource = { name, version: '', json, resource: JSON.parse(json) as object };
        for (const each of referencesOf(typeUrl, resource)) wanted.get(each.typeUrl)?.add(each.name);
      }
    }
    for (const [typeUrl, names] of wanted) {
      const had = this.#names.get(typeUrl) ?? [];
      if (had.length === names.size && had.every((name) => names.has(name))) continue;
      this.#names.set(typeUrl, [...names]);
      for (const name of had) if (!names.has(name)) this.applied.get(typeUrl)?.delete(name);
      this.#ask(typeUrl);
    }
  }
}
