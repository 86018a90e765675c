import { createServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import { decode, encode } from '@mizzen/xds/binary/index.ts';

/** One resource: Envoy's JSON with `@type`. */
export type Served = Readonly<{ '@type': string }> & Readonly<Record<string, unknown>>;

export interface Request {
  readonly typeUrl?: string;
  readonly versionInfo?: string;
  readonly responseNonce?: string;
  readonly resourceNames?: readonly string[];
  readonly resourceNamesSubscribe?: readonly string[];
  readonly resourceNamesUnsubscribe?: readonly string[];
  readonly initialResourceVersions?: Readonly<Record<string, string>>;
  readonly errorDetail?: { readonly message?: string };
  readonly node?: { readonly id?: string };
}

export interface XdsServer {
  readonly port: number;
  /** Everything it was sent, whatever the stream. */
  readonly requests: readonly Request[];
  /** What there is from now on; streams are told what is new to them. */
  set(version: string, resources: readonly Served[]): void;
  close(): void;
}

interface Followed {
  /** Undefined: all there are. */
  names: Set<string> | undefined;
  /** Incremental: version by name; otherwise the last version of all. */
  readonly told: Map<string, string>;
  last: string;
}

/**
 * A management server that says `who` it is and serves every type over one stream or many, in both forms of the protocol.
 * For names it never had anything for it answers nothing.
 */
export async function serveXds(who = 'who'): Promise<XdsServer> {
  const requests: Request[] = [];
  const sessions = new Set<ServerHttp2Session>();
  const pushes = new Set<() => void>();
  let version: string | undefined;
  let resources: readonly Served[] = [];
  const server = createServer();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('error', () => undefined);
  });
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    const message = /\/Delta\w+$/.test(String(headers[':path'])) ? 'Delta' : '';
    const types = new Map<string, Followed>();
    let nonce = 0;
    const push = (): void => {
      if (version === undefined) return;
      for (const [typeUrl, followed] of types) {
        const answer = message === '' ? whole(typeUrl, followed) : changes(typeUrl, followed);
        if (answer === undefined) continue;
        const body = encode(`envoy.service.discovery.v3.${message}DiscoveryResponse`, {
          typeUrl,
          nonce: String(++nonce),
          controlPlane: { identifier: who },
          ...answer,
        });
        const frame = Buffer.alloc(5 + body.length);
        frame.writeUInt32BE(body.length, 1);
        frame.set(body, 5);
        if (!stream.destroyed) stream.write(frame);
      }
    };
    const wanted = (typeUrl: string, { names }: Followed): Served[] =>
      resources.filter((each) => each['@type'] === typeUrl && names?.has(nameOf(each)) !== false);
    const whole = (typeUrl: string, followed: Followed): object | undefined => {
      const all = wanted(typeUrl, followed);
      if (followed.last === version || (all.length === 0 && followed.names !== undefined)) return undefined;
      followed.last = version!;
      return { versionInfo: version, resources: all };
    };
    const changes = (typeUrl: string, followed: Followed): object | undefined => {
      const now = wanted(typeUrl, followed);
      const fresh = now.filter((each) => followed.told.get(nameOf(each)) !== JSON.stringify(each));
      const gone = [...followed.told.keys()].filter((name) => !now.some((each) => nameOf(each) === name));
      const nothing = fresh.length === 0 && gone.length === 0;
      if (nothing && (followed.last !== '' || followed.names !== undefined)) return undefined;
      followed.last = version!;
      for (const each of fresh) followed.told.set(nameOf(each), JSON.stringify(each));
      for (const name of gone) followed.told.delete(name);
      return {
        systemVersionInfo: version,
        resources: fresh.map((resource) => ({ name: nameOf(resource), version: `${version}-own`, resource })),
        removedResources: gone,
      };
    };
    stream.on('error', () => undefined);
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
    pushes.add(push);
    stream.on('close', () => pushes.delete(push));
    let bytes = Buffer.alloc(0);
    stream.on('data', (data: Buffer) => {
      bytes = Buffer.concat([bytes, data]);
      while (bytes.length >= 5 && bytes.length >= 5 + bytes.readUInt32BE(1)) {
        const size = bytes.readUInt32BE(1);
        const request = decode(
          `envoy.service.discovery.v3.${message}DiscoveryRequest`,
          bytes.subarray(5, 5 + size),
        ) as Request;
        bytes = bytes.subarray(5 + size);
        requests.push(request);
        follow(types, request);
        push();
      }
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    port: (server.address() as { port: number }).port,
    requests,
    set: (next, all) => {
      version = next;
      resources = all;
      for (const push of pushes) push();
    },
    close: () => {
      for (const session of sessions) session.destroy();
      server.close();
    },
  };
}

/** Takes in what a request says is wanted; other names than before are answered for anew. */
function follow(types: Map<string, Followed>, request: Request): void {
  const { typeUrl = '', resourceNames, resourceNamesSubscribe = [], resourceNamesUnsubscribe = [] } = request;
  const known = types.get(typeUrl);
  const followed: Followed = known ?? { names: undefined, told: new Map(), last: '' };
  types.set(typeUrl, followed);
  const before = [...(followed.names ?? [])].sort().join();
  if (resourceNames !== undefined) followed.names = new Set(resourceNames);
  if (resourceNamesSubscribe.length > 0) followed.names ??= new Set();
  for (const name of resourceNamesSubscribe) followed.names!.add(name);
  for (const name of resourceNamesUnsubscribe) {
    followed.names?.delete(name);
    followed.told.delete(name);
  }
  if (known !== undefined && before !== [...(followed.names ?? [])].sort().join()) followed.last = '';
}

function nameOf(resource: Served): string {
  return String(resource['name'] ?? resource['clusterName']);
}
