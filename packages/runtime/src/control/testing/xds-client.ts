import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { LocalBodies, TypeUrl } from '@mizzen/xds';
import type { LocalXdsMessage, LocalXdsRequest, LocalXdsUpdate } from '@mizzen/xds';
import type { ProxyAnswer } from '../../api/types.ts';

const WILDCARDS: readonly string[] = [TypeUrl.cluster, TypeUrl.listener];
const TYPE_NAMES = new Map<string, string>(Object.entries(TypeUrl).map(([name, url]) => [url, name]));

/**
 * A data plane as far as local xDS goes: follows nodes as a proxy does, acknowledges everything, and remembers what each
 * node has. Stays connected to a control process that comes back.
 */
export class XdsClient {
  readonly #path: string;
  readonly #nodes = new Set<string>();
  /** Node → type URL → names asked for. */
  readonly #asked = new Map<string, Map<string, Set<string>>>();
  /** Node → type URL → name → resource. */
  readonly has = new Map<string, Map<string, Map<string, { readonly version: string; readonly resource: unknown }>>>();
  /** Node → what it was answered: `typeUrl` of those followed whole, `typeUrl name`, be it that there is none. */
  readonly #answered = new Map<string, Set<string>>();
  /** Everything received, as `POD type name`. */
  readonly log: string[] = [];
  #socket: Socket | undefined;
  #closed = false;

  constructor(path: string) {
    this.#path = path;
    this.#connect();
  }

  follow(node: string): void {
    this.#nodes.add(node);
    this.#subscribe(node);
  }

  get(pod: string, typeUrl: string, name: string): unknown {
    const node = [...this.has.keys()].find((each) => each.includes(`~${pod}.`)) ?? '';
    return this.has.get(node)?.get(typeUrl)?.get(name)?.resource;
  }

  /** Whether each node has an answer to all that it asked for, and the server knows that it took them. */
  isSynced(proxies: readonly ProxyAnswer[]): boolean {
    return [...this.#nodes].every((node) => {
      const proxy = proxies.find((each) => each.node === node);
      if (proxy?.connected !== true || Object.values(proxy.types).includes('pending')) return false;
      const asked = [...(this.#asked.get(node) ?? [])].filter(([, names]) => names.size > 0);
      const wanted = [
        ...WILDCARDS,
        ...asked.flatMap(([typeUrl, names]) => [...names].map((name) => `${typeUrl} ${name}`)),
      ];
      if (!wanted.every((each) => this.#answered.get(node)?.has(each))) return false;
      const types = [...WILDCARDS, ...asked.map(([typeUrl]) => typeUrl)];
      return types.every((typeUrl) => proxy.types[TYPE_NAMES.get(typeUrl) ?? ''] === 'synced');
    });
  }

  close(): void {
    this.#closed = true;
    this.#socket?.destroy();
  }

  #connect(): void {
    const socket = connect(this.#path);
    this.#socket = socket;
    socket.setEncoding('utf8');
    const bodies = new LocalBodies();
    let rest = '';
    socket.on('connect', () => {
      for (const node of this.#nodes) this.#subscribe(node);
    });
    socket.on('data', (data: string) => {
      const lines = (rest + data).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const response = bodies.take(JSON.parse(line) as LocalXdsMessage);
        if (response !== undefined) this.#receive(response);
      }
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (!this.#closed) setTimeout(() => this.#connect(), 20);
    });
  }

  #send(request: LocalXdsRequest): void {
    this.#socket?.write(`${JSON.stringify(request)}\n`);
  }

  #subscribe(node: string): void {
    if (this.#socket?.readyState !== 'open') return;
    for (const typeUrl of [TypeUrl.secret, TypeUrl.cluster, TypeUrl.endpoint, TypeUrl.listener, TypeUrl.route]) {
      const subscribe = WILDCARDS.includes(typeUrl) ? ['*'] : [...(this.#asked.get(node)?.get(typeUrl) ?? [])];
      const versions = [...(this.has.get(node)?.get(typeUrl) ?? [])].map(
        ([name, { version }]) => [name, version] as const,
      );
      if (subscribe.length > 0)
        this.#send({ node, typeUrl, subscribe, initialResourceVersions: Object.fromEntries(versions) });
    }
  }

  #receive({ node, typeUrl, nonce, resources, removed }: LocalXdsUpdate): void {
    const types = this.has.get(node) ?? new Map<string, Map<string, { version: string; resource: unknown }>>();
    this.has.set(node, types);
    const byName = types.get(typeUrl) ?? new Map<string, { version: string; resource: unknown }>();
    types.set(typeUrl, byName);
    const pod = node.split('~')[2]?.split('.')[0];
    const type = TYPE_NAMES.get(typeUrl);
    const answered = this.#answered.get(node) ?? new Set();
    this.#answered.set(node, answered.add(typeUrl));
    for (const name of [...resources.map((each) => each.name), ...removed]) answered.add(`${typeUrl} ${name}`);
    for (const { name, version, resource } of resources) {
      byName.set(name, { version, resource });
      this.log.push(`${pod} ${type} ${name}`);
    }
    for (const name of removed) {
      byName.delete(name);
      this.log.push(`${pod} ${type} -${name}`);
    }
    this.#send({ node, typeUrl, responseNonce: nonce });
    const text = JSON.stringify(resources.map((each) => each.resource));
    this.#ask(node, TypeUrl.secret, text.matchAll(/"name":"([^"]+)","sdsConfig"/g));
    this.#ask(node, TypeUrl.route, text.matchAll(/"routeConfigName":"([^"]+)"/g));
    for (const { name, resource } of resources) {
      const cluster = resource as { readonly edsClusterConfig?: { readonly serviceName?: string } };
      if (cluster.edsClusterConfig !== undefined)
        this.#ask(node, TypeUrl.endpoint, [['', cluster.edsClusterConfig.serviceName ?? name]]);
    }
  }

  #ask(node: string, typeUrl: string, names: Iterable<readonly (string | undefined)[]>): void {
    const types = this.#asked.get(node) ?? new Map<string, Set<string>>();
    this.#asked.set(node, types);
    const asked = types.get(typeUrl) ?? new Set<string>();
    types.set(typeUrl, asked);
    const fresh = [...names].map((match) => match[1] ?? '').filter((name) => !asked.has(name));
    for (const name of fresh) asked.add(name);
    if (fresh.length > 0) this.#send({ node, typeUrl, subscribe: [...new Set(fresh)] });
  }
}
