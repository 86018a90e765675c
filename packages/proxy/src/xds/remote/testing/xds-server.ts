import { serveDiscovery, type DiscoveryRequest } from './discovery-server.ts';

/** One resource: Envoy's JSON with `@type`. */
export type Served = Readonly<{ '@type': string }> & Readonly<Record<string, unknown>>;

export interface XdsServer {
  readonly port: number;
  /** Everything it was sent, whatever the stream. */
  readonly requests: readonly DiscoveryRequest[];
  /** What there is from now on; streams are told what is new to them. */
  set(version: string, resources: readonly Served[]): void;
  stop(): Promise<void>;
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
  const requests: DiscoveryRequest[] = [];
  const pushes = new Set<() => void>();
  let version: string | undefined;
  let resources: readonly Served[] = [];
  const server = await serveDiscovery(({ delta, say, whenClosed }) => {
    const types = new Map<string, Followed>();
    let nonce = 0;
    const push = (): void => {
      if (version === undefined) return;
      for (const [typeUrl, followed] of types) {
        const answer = delta ? changes(typeUrl, followed) : whole(typeUrl, followed);
        if (answer === undefined) continue;
        say({ typeUrl, nonce: String(++nonce), controlPlane: { identifier: who }, ...answer });
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
    pushes.add(push);
    whenClosed(() => pushes.delete(push));
    return (request) => {
      requests.push(request);
      follow(types, request);
      push();
    };
  });
  return {
    port: server.port,
    requests,
    set: (next, all) => {
      version = next;
      resources = all;
      for (const push of pushes) push();
    },
    stop: () => server.stop(),
  };
}

/** Takes in what a request says is wanted; other names than before are answered for anew. */
function follow(types: Map<string, Followed>, request: DiscoveryRequest): void {
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
