import { setTimeout as pause } from 'node:timers/promises';
import { TypeUrl } from '@mizzen/xds';
import type { StreamServer } from '../packages/proxy/src/grpc/testing/stream-server.ts';
import {
  serveDiscovery,
  type DiscoveryRequest,
  type DiscoveryStream,
} from '../packages/proxy/src/xds/remote/testing/discovery-server.ts';

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
  readonly say: DiscoveryStream['say'];
  readonly kinds: Map<Kind, Following>;
}

/**
 * An xDS server by hand (ADS, state of the world): it knows nothing but versions, so that what a proxy makes of a
 * change is the proxy's. Names that it has nothing for are not answered for.
 */
export class XdsServer {
  #server: StreamServer | undefined;
  readonly #streams = new Set<Stream>();
  readonly #resources = new Map<Kind, Map<string, object>>(KINDS.map((kind) => [kind, new Map()]));
  readonly #versions = new Map<Kind, number>(KINDS.map((kind) => [kind, 1]));
  readonly verdicts: Verdict[] = [];
  #nonce = 0;
  #waiting: (() => void)[] = [];

  async listen(port: number): Promise<void> {
    this.#server = await serveDiscovery((stream) => this.#serve(stream), port);
  }

  async close(): Promise<void> {
    await this.#server?.stop();
  }

  /** As if it had just started, with nothing in it. */
  reset(): void {
    this.#server?.disconnect();
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

  #serve({ say, whenClosed }: DiscoveryStream): (request: DiscoveryRequest) => void {
    const served: Stream = { say, kinds: new Map() };
    this.#streams.add(served);
    whenClosed(() => this.#streams.delete(served));
    return (request) => this.#take(served, request);
  }

  #take(served: Stream, request: DiscoveryRequest): void {
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

  #send({ say, kinds }: Stream, kind: Kind): void {
    const following = kinds.get(kind)!;
    const all = this.#resources.get(kind)!;
    const whole = WHOLE.includes(kind);
    const resources = whole ? [...all.values()] : [...following.names].flatMap((name) => all.get(name) ?? []);
    if (!whole && resources.length === 0) return;
    const version = this.#versions.get(kind)!;
    const nonce = String(++this.#nonce);
    following.sent = version;
    following.nonces.set(nonce, version);
    say({ versionInfo: String(version), typeUrl: TypeUrl[kind], nonce, resources });
  }
}
