import { connect, type Socket } from 'node:net';
import { LocalBodies } from '@mizzen/xds';
import type { JsonObject, LocalXdsMessage, LocalXdsRequest, LocalXdsUpdate } from '@mizzen/xds';
import type { Deps } from '../deps.ts';
import { LineReader } from './lines.ts';
import { ResourcePool } from './resource-pool.ts';
import type { XdsHandler, XdsSource, XdsSubscription, XdsUpdate } from './source.ts';

/** First and longest wait before a lost connection is tried again, milliseconds. */
const RETRY_FIRST = 50;
const RETRY_MAX = 2000;

/**
 * A process's connection to the control process, shared by its proxies (packages/xds/src/local.ts). While it is down
 * everything in force stays in force; it is tried again with growing, random waits, and what the proxies have is told so
 * that only what changed comes back.
 */
export class LocalXdsConnection {
  readonly #path: string;
  readonly #deps: Deps;
  readonly #onLog: (message: string) => void;
  readonly #nodes = new Map<string, LocalSource>();
  readonly #pool = new ResourcePool();
  #bodies: LocalBodies | undefined;
  #socket: Socket | undefined;
  #connected = false;
  /** Lines of this turn: they leave in one write. */
  #lines: string[] = [];
  #wait = RETRY_FIRST;
  #closed = false;

  constructor(path: string, deps: Deps, onLog: (message: string) => void) {
    this.#path = path;
    this.#deps = deps;
    this.#onLog = onLog;
    this.#connect();
  }

  /** The view of one proxy. `metadata` goes with its first request on every connection. */
  node(id: string, metadata: JsonObject): XdsSource {
    const source = new LocalSource(
      id,
      metadata,
      (request) => this.#send(request),
      () => this.#nodes.delete(id),
    );
    this.#nodes.set(id, source);
    return source;
  }

  close(): void {
    this.#closed = true;
    this.#socket?.destroy();
  }

  #connect(): void {
    if (this.#closed) return;
    const socket = connect(this.#path);
    const lines = new LineReader((line) => this.#receive(line));
    this.#socket = socket;
    this.#bodies = new LocalBodies((typeUrl, resource) => this.#pool.share(typeUrl, resource));
    socket.on('connect', () => {
      this.#connected = true;
      for (const source of this.#nodes.values()) source.reconnected();
    });
    socket.on('data', (chunk: Buffer) => lines.push(chunk));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (this.#connected && !this.#closed) this.#onLog('the control process is gone; configuration stays as it is');
      this.#connected = false;
      this.#lines = [];
      const wait = this.#wait * (0.5 + this.#deps.random.float());
      this.#wait = Math.min(RETRY_MAX, this.#wait * 2);
      if (!this.#closed) this.#deps.clock.after(wait, () => this.#connect());
    });
  }

  /** False when there is no connection: everything is asked for once there is. */
  #send(request: LocalXdsRequest): boolean {
    if (!this.#connected || this.#socket === undefined) return false;
    if (this.#lines.length === 0) queueMicrotask(() => this.#write());
    this.#lines.push(`${JSON.stringify(request)}\n`);
    return true;
  }

  #write(): void {
    if (this.#lines.length > 0) this.#socket?.write(this.#lines.join(''));
    this.#lines = [];
  }

  #receive(line: string): void {
    let response: LocalXdsUpdate | undefined;
    try {
      response = this.#bodies?.take(JSON.parse(line) as LocalXdsMessage);
    } catch (error) {
      this.#onLog(
        `the control process sent what cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      );
      this.#socket?.destroy();
      return;
    }
    this.#wait = RETRY_FIRST;
    if (response !== undefined) this.#nodes.get(response.node)?.receive(response);
  }
}

interface Followed {
  readonly handler: XdsHandler;
  names: ReadonlySet<string> | '*';
  /** What is in force, by name. */
  readonly versions: Map<string, string>;
}

class LocalSource implements XdsSource {
  readonly #id: string;
  readonly #metadata: JsonObject;
  readonly #send: (request: LocalXdsRequest) => boolean;
  readonly #onClose: () => void;
  readonly #types = new Map<string, Followed>();
  #introduced = false;

  constructor(id: string, metadata: JsonObject, send: (request: LocalXdsRequest) => boolean, onClose: () => void) {
    this.#id = id;
    this.#metadata = metadata;
    this.#send = send;
    this.#onClose = onClose;
  }

  subscribe(typeUrl: string, handler: XdsHandler): XdsSubscription {
    const followed: Followed = { handler, names: new Set(), versions: new Map() };
    this.#types.set(typeUrl, followed);
    return { follow: (names) => this.#follow(typeUrl, followed, names) };
  }

  close(): void {
    this.#send({ node: this.#id, typeUrl: '', close: true });
    this.#onClose();
  }

  /** Everything is asked for again, with the versions that are in force. */
  reconnected(): void {
    this.#introduced = false;
    for (const [typeUrl, { names, versions }] of this.#types) {
      const subscribe = names === '*' ? ['*'] : [...names];
      if (subscribe.length === 0) continue;
      this.#request({ node: this.#id, typeUrl, subscribe, initialResourceVersions: Object.fromEntries(versions) });
    }
  }

  receive({ typeUrl, nonce, resources, removed }: LocalXdsUpdate): void {
    const followed = this.#types.get(typeUrl);
    if (followed === undefined) return;
    const { handler, versions } = followed;
    const wanted: XdsUpdate = {
      resources: resources.filter(({ name }) => follows(followed, name)),
      removed: removed.filter((name) => follows(followed, name)),
    };
    const nacks = handler(wanted);
    const refused = new Set(nacks.map(({ resource }) => resource));
    for (const { name, version } of wanted.resources) if (!refused.has(name)) versions.set(name, version);
    for (const name of removed) versions.delete(name);
    const errors = nacks.map(({ resource, field, message }) => ({ resource, field, message }));
    this.#request({ node: this.#id, typeUrl, responseNonce: nonce, ...(errors.length > 0 ? { errors } : {}) });
  }

  #follow(typeUrl: string, followed: Followed, names: ReadonlySet<string> | '*'): void {
    const before = followed.names;
    followed.names = names === '*' ? '*' : new Set(names);
    if (names === '*') {
      if (before !== '*') this.#request({ node: this.#id, typeUrl, subscribe: ['*'] });
      return;
    }
    const had = before === '*' ? new Set<string>() : before;
    const subscribe = [...names].filter((name) => !had.has(name));
    const unsubscribe = [...had].filter((name) => !names.has(name));
    for (const name of unsubscribe) followed.versions.delete(name);
    if (subscribe.length === 0 && unsubscribe.length === 0) return;
    this.#request({
      node: this.#id,
      typeUrl,
      ...(subscribe.length > 0 ? { subscribe } : {}),
      ...(unsubscribe.length > 0 ? { unsubscribe } : {}),
    });
  }

  #request(request: LocalXdsRequest): void {
    if (this.#send(this.#introduced ? request : { ...request, metadata: this.#metadata })) this.#introduced = true;
  }
}

/** An answer may cross a request that gave a name up. */
function follows({ names }: Followed, name: string): boolean {
  return names === '*' || names.has(name);
}
