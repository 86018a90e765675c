import { createServer, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { setTimeout as pause } from 'node:timers/promises';
import { TypeUrl, type types } from '@mizzen/xds';
import { decode, encode } from '@mizzen/xds/binary/index.ts';

export type Kind = 'cluster' | 'endpoint' | 'listener' | 'route' | 'secret' | 'extension';

/** In the order in which Envoy wants to hear of them. */
export const KINDS: readonly Kind[] = ['cluster', 'endpoint', 'listener', 'route', 'secret', 'extension'];
const WHOLE: readonly Kind[] = ['cluster', 'listener'];

/** What a proxy said of a version. */
export interface Verdict {
  readonly kind: Kind;
  readonly version: number;
  /** Of a version that it refused. */
  readonly error?: string;
}

interface Following {
  names: ReadonlySet<string>;
  sent: number;
  readonly nonces: Map<string, number>;
}

interface Stream {
  readonly stream: ServerHttp2Stream;
  readonly kinds: Map<Kind, Following>;
}

/**
 * An xDS server by hand (ADS, state of the world): it knows nothing but versions, so that what a proxy makes of a
 * change is the proxy's. Names that it has nothing for are not answered for.
 */
export class XdsServer {
  readonly #server: Http2Server = createServer();
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #streams = new Set<Stream>();
  readonly #resources = new Map<Kind, Map<string, object>>(KINDS.map((kind) => [kind, new Map()]));
  readonly #versions = new Map<Kind, number>(KINDS.map((kind) => [kind, 1]));
  readonly verdicts: Verdict[] = [];
  #nonce = 0;
  #waiting: (() => void)[] = [];

  constructor() {
    this.#server.on('session', (session) => {
      this.#sessions.add(session);
      session.on('close', () => this.#sessions.delete(session));
      session.on('error', () => undefined);
    });
    this.#server.on('stream', (stream: ServerHttp2Stream) => this.#serve(stream));
  }

  listen(port: number): Promise<void> {
    return new Promise((done, failed) => {
      this.#server.once('error', failed);
      this.#server.listen(port, '127.0.0.1', done);
    });
  }

  async close(): Promise<void> {
    for (const session of this.#sessions) session.destroy();
    await new Promise((done) => this.#server.close(done));
  }

  /** As if it had just started, with nothing in it. */
  reset(): void {
    for (const session of this.#sessions) session.destroy();
    this.#streams.clear();
    for (const kind of KINDS) {
      this.#resources.get(kind)!.clear();
      this.#versions.set(kind, 1);
    }
    this.verdicts.length = 0;
  }

  /** Sets or (undefined) removes resources, and sends what follows them. Clusters and listeners go by this alone. */
  put(kind: Kind, resources: Readonly<Record<string, object | undefined>>): number {
    const all = this.#resources.get(kind)!;
    for (const [name, resource] of Object.entries(resources)) {
      if (resource === undefined) all.delete(name);
      else all.set(name, { '@type': TypeUrl[kind], ...resource });
    }
    const version = this.#versions.get(kind)! + 1;
    this.#versions.set(kind, version);
    for (const stream of this.#streams) if (stream.kinds.has(kind)) this.#send(stream, kind);
    return version;
  }

  names(kind: Kind): string[] {
    return [...this.#resources.get(kind)!.keys()];
  }

  /** Until the proxy has taken or refused that version or a later one; undefined when it does not in time. */
  async answered(kind: Kind, version: number, atMost = 3000): Promise<Verdict | undefined> {
    const find = (): Verdict | undefined => this.verdicts.find((each) => each.kind === kind && each.version >= version);
    const late = pause(atMost, 'late' as const, { ref: false });
    for (let found = find(); ; found = find()) {
      if (found !== undefined) return found;
      const next = new Promise<void>((done) => this.#waiting.push(done));
      if ((await Promise.race([next, late])) === 'late') return undefined;
    }
  }

  #serve(stream: ServerHttp2Stream): void {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
    const served: Stream = { stream, kinds: new Map() };
    this.#streams.add(served);
    stream.on('close', () => this.#streams.delete(served));
    stream.on('error', () => undefined);
    let bytes = Buffer.alloc(0);
    stream.on('data', (data: Buffer) => {
      bytes = Buffer.concat([bytes, data]);
      while (bytes.length >= 5 && bytes.length >= 5 + bytes.readUInt32BE(1)) {
        const end = 5 + bytes.readUInt32BE(1);
        const message = bytes.subarray(5, end);
        bytes = bytes.subarray(end);
        this.#take(served, decode('envoy.service.discovery.v3.DiscoveryRequest', message));
      }
    });
  }

  #take(served: Stream, request: types.discovery.DiscoveryRequest): void {
    const { typeUrl, resourceNames = [], responseNonce = '', errorDetail } = request;
    const kind = KINDS.find((each) => TypeUrl[each] === typeUrl);
    if (kind === undefined) return;
    const names = new Set(resourceNames);
    let following = served.kinds.get(kind);
    if (following === undefined) served.kinds.set(kind, (following = { names: new Set(), sent: 0, nonces: new Map() }));
    const version = following.nonces.get(responseNonce);
    if (version !== undefined) {
      following.nonces.delete(responseNonce);
      this.verdicts.push({ kind, version, ...(errorDetail === undefined ? {} : { error: errorDetail.message ?? '' }) });
      for (const wake of this.#waiting.splice(0)) wake();
    }
    const more = [...names].some((name) => !following.names.has(name));
    following.names = names;
    if (more || following.sent < this.#versions.get(kind)!) this.#send(served, kind);
  }

  #send({ stream, kinds }: Stream, kind: Kind): void {
    const following = kinds.get(kind)!;
    const all = this.#resources.get(kind)!;
    const whole = WHOLE.includes(kind);
    const resources = whole ? [...all.values()] : [...following.names].flatMap((name) => all.get(name) ?? []);
    if (!whole && resources.length === 0) return;
    const version = this.#versions.get(kind)!;
    const nonce = String(++this.#nonce);
    following.sent = version;
    following.nonces.set(nonce, version);
    const response = { versionInfo: String(version), typeUrl: TypeUrl[kind], nonce, resources };
    const message = encode('envoy.service.discovery.v3.DiscoveryResponse', response);
    const framed = Buffer.alloc(5 + message.length);
    framed.writeUInt32BE(message.length, 1);
    framed.set(message, 5);
    if (!stream.destroyed) stream.write(framed);
  }
}
