import type { Socket } from 'node:net';
import { newSessionSlot, type ExpectedName, type SessionSlot } from '../tls/client.ts';
import type {
  AlpnOffer,
  ConnectFailure,
  HostCount,
  HostPool,
  UpstreamCluster,
  UpstreamHost,
  UpstreamSocket,
} from '../types.ts';
import { connectHost } from './connect.ts';
import { DrainWatchers } from './drain-watchers.ts';
import type { ClusterHost, HostOutcome } from './host.ts';
import type { Ends } from './proxy-protocol.ts';

/** Names come from requests: how many are remembered per host. */
const MAX_NAMES = 256;

/** A host under one server name, or for one client: connections are not shared, everything else is the host's. */
export class NamedHost implements UpstreamHost {
  readonly base: ClusterHost;
  readonly cluster: UpstreamCluster;
  readonly address: string;
  readonly port: number;
  readonly authority: string;
  readonly hostname: string;
  pool: HostPool | undefined = undefined;
  #name: ExpectedName | undefined;
  readonly #client: Ends | undefined;
  readonly #alpn: AlpnOffer | undefined;
  #sessions: SessionSlot = newSessionSlot();
  /** Connections that are there or being made. */
  #open = 0;
  readonly #drained = new DrainWatchers();
  #dropped = false;

  constructor(
    base: ClusterHost,
    name: ExpectedName | undefined,
    client: Ends | undefined,
    alpn: AlpnOffer | undefined,
  ) {
    this.base = base;
    this.cluster = base.cluster;
    this.address = base.address;
    this.port = base.port;
    this.authority = base.authority;
    this.hostname = base.hostname;
    this.#name = name;
    this.#client = client;
    this.#alpn = alpn;
  }

  get inService(): boolean {
    return this.base.inService && !this.#dropped;
  }

  get canary(): boolean {
    return this.base.canary;
  }
  get lbMetadata(): UpstreamHost['lbMetadata'] {
    return this.base.lbMetadata;
  }
  get metadata(): UpstreamHost['metadata'] {
    return this.base.metadata;
  }
  get ownCertificate(): UpstreamHost['ownCertificate'] {
    return this.base.ownCertificate;
  }
  get secure(): boolean {
    return this.base.secure;
  }
  get zones(): UpstreamHost['zones'] {
    return this.base.zones;
  }
  get internalListener(): string | undefined {
    return this.base.internalListener;
  }

  get checks(): UpstreamHost['checks'] {
    return this.base.checks;
  }

  get degradation(): UpstreamHost['degradation'] {
    return this.base.degradation;
  }

  get load(): UpstreamHost['load'] {
    return this.base.load;
  }

  get full(): boolean {
    return this.base.full;
  }
  whenRoom(use: () => void): () => void {
    return this.base.whenRoom(use);
  }

  untilFailure(end: () => void): (() => void) | undefined {
    return this.base.untilFailure(end);
  }

  get active(): number {
    return this.base.active;
  }
  set active(count: number) {
    this.base.active = count;
  }
  get issued(): number {
    return this.base.issued;
  }
  set issued(count: number) {
    this.base.issued = count;
  }

  connect(
    onReady: (socket: UpstreamSocket) => void,
    onFail: (error: ConnectFailure) => void,
    fallbackAlpn?: readonly string[],
  ): void {
    this.#open++;
    connectHost(
      this.base,
      { name: this.#name, sessions: this.#sessions, client: this.#client, alpn: this.#alpn },
      fallbackAlpn,
      (socket) => {
        socket.once('close', () => void this.#open--);
        onReady(socket);
      },
      (error) => {
        this.#open--;
        onFail(error);
      },
    );
  }

  /** The same name in other letters: the next connection asks for it, but those that are there will do. */
  respell(name: ExpectedName | undefined): void {
    if (this.#open > 0 || name === this.#name) return;
    if (name?.serverName === this.#name?.serverName && sameNames(name, this.#name)) return;
    this.#name = name;
    // Somebody else may have been verified by the other.
    this.#sessions = newSessionSlot();
  }

  enter(socket: Socket | undefined, closer: () => 'local' | 'remote'): void {
    this.base.enter(socket, closer);
  }

  report(outcome: HostOutcome, counted?: HostCount): void {
    this.base.report(outcome, counted);
  }
  count(what: HostCount): void {
    this.base.count(what);
  }

  whenDrained(end: () => void): () => void {
    return this.#drained.add(end);
  }

  drop(): void {
    this.#dropped = true;
    this.pool?.drain();
    this.#drained.call();
  }
}

function sameNames(a: ExpectedName | undefined, b: ExpectedName | undefined): boolean {
  return a?.subjectAltNames?.join() === b?.subjectAltNames?.join();
}

/** The names under which a host is known; the oldest goes when there are too many. */
export class NamedHosts {
  readonly #hosts = new Map<string, NamedHost>();

  get(name: string, make: () => NamedHost): NamedHost {
    let host = this.#hosts.get(name);
    if (host !== undefined) return host;
    if (this.#hosts.size >= MAX_NAMES) {
      const [oldest] = this.#hosts;
      oldest![1].drop();
      this.#hosts.delete(oldest![0]);
    }
    this.#hosts.set(name, (host = make()));
    return host;
  }

  clear(): void {
    for (const host of this.#hosts.values()) host.drop();
    this.#hosts.clear();
  }
}
