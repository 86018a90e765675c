import type { Socket } from 'node:net';
import type { JsonObject } from '@mizzen/xds';
import type { BalancedHost } from '../lb/types.ts';
import type { TlsCertificateProgram, EndpointProgram } from '../program/types.ts';
import { newSessionSlot, type ExpectedName, type SessionSlot } from '../tls/client.ts';
import type { AlpnOffer, ConnectFailure, HostCount, HostPool, UpstreamHost, UpstreamSocket } from '../types.ts';
import type { Cluster } from './cluster.ts';
import { connectHost } from './connect.ts';
import { countEntry, countNoEntry } from './internal.ts';
import { DrainWatchers } from './drain-watchers.ts';
import { NamedHost, NamedHosts } from './named-host.ts';
import { keyOfEnds, type Ends } from './proxy-protocol.ts';
import type { Transport } from './transport.ts';

export type HostOutcome =
  /** A request has a connection. */
  'begun' | 'success' | 'connected' | 'gateway-error' | 'server-error' | 'connect-failure' | 'reset' | 'timeout';

/** What judges a host by its answers. */
export interface HostMonitor {
  /** Percent of requests, and of attempts to make them, that succeeded in the last interval; -1: too few. */
  readonly rates: { readonly external: number; readonly local: number };
  report(outcome: HostOutcome): void;
}

export interface HostStats {
  cx_total: number;
  cx_active: number;
  cx_connect_fail: number;
  rq_success: number;
  rq_error: number;
  /** Of those that count as successes: answers that say it is the client's fault. Envoy has no such counter for hosts. */
  client_errors: number;
  rq_timeout: number;
  /** Connections that were used as a whole. */
  cx_tunnelled: number;
}

/** The active checks of a host. */
export interface HostChecks {
  /** A response said that the host is not to get requests any more. */
  failImmediately(): void;
}

/** One endpoint of a cluster. The same object for as long as the endpoint stays, whatever else of it changes. */
export class ClusterHost implements BalancedHost {
  readonly cluster: Cluster;
  readonly address: string;
  readonly port: number;
  readonly authority: string;
  readonly hostname: string;
  readonly internalListener?: string;
  zones: string | undefined = undefined;
  /** Where it is, as a key. A host that is elsewhere is another one. */
  locality = '';
  /** When it joined, or last passed its checks again. */
  since: number;
  readonly sessions: SessionSlot = newSessionSlot();
  readonly stats: HostStats = {
    cx_total: 0,
    cx_active: 0,
    cx_connect_fail: 0,
    rq_success: 0,
    rq_error: 0,
    client_errors: 0,
    rq_timeout: 0,
    cx_tunnelled: 0,
  };
  active = 0;
  issued = 0;
  pool: HostPool | undefined = undefined;
  inService = true;

  readonly #named = new NamedHosts();
  readonly #drained = new DrainWatchers();
  readonly #forRoom = new Set<() => void>();
  /** Connections that end when it is not well any more. */
  readonly #untilFailure = new Set<() => void>();
  endpoint: EndpointProgram;
  weight = 1;
  hashKey = '';
  transport: Transport;
  /** Set by outlier detection. */
  monitor: HostMonitor | undefined = undefined;
  ejected = false;
  degradedByOutlierDetection = false;
  degradation: { degrade(): void } | undefined = undefined;
  load: UpstreamHost['load'] = undefined;
  /** Set by active health checking, under Envoy's names of the flags. */
  failedActiveHc = false;
  pendingActiveHc = false;
  degradedActiveHc = false;
  activeHcTimeout = false;
  /** It said itself that it is not to be used, and does not count in how much of its priority is available. */
  excludedViaImmediateHcFail = false;
  /** No longer in the assignment, kept for as long as its checks succeed. */
  pendingDynamicRemoval = false;
  checks: HostChecks | undefined = undefined;

  constructor(cluster: Cluster, endpoint: EndpointProgram, transport: Transport, now: number) {
    const { address } = endpoint;
    this.cluster = cluster;
    this.endpoint = endpoint;
    this.transport = transport;
    this.since = now;
    this.hostname = endpoint.hostname;
    this.address = address.kind === 'socket' ? address.address : address.kind === 'pipe' ? address.path : address.name;
    this.port = address.kind === 'socket' ? address.port : 0;
    this.authority = authorityOf(endpoint);
    if (address.kind === 'internal') this.internalListener = address.name;
    this.describe(endpoint, transport);
  }

  get canary(): boolean {
    return this.lbMetadata?.['canary'] === true;
  }

  get metadata(): Readonly<Record<string, JsonObject>> | undefined {
    return this.endpoint.metadata;
  }

  get ownCertificate(): TlsCertificateProgram | undefined {
    return this.transport.tls?.certificate();
  }

  get secure(): boolean {
    return this.transport.tls !== undefined;
  }

  get full(): boolean {
    return this.stats.cx_active >= (this.cluster.program.perHostMaxConnections ?? Infinity);
  }

  whenRoom(use: () => void): () => void {
    this.#forRoom.add(use);
    return () => void this.#forRoom.delete(use);
  }
  /** One of its connections has gone. */
  giveRoom(): void {
    for (const use of this.#forRoom) {
      if (this.full) return;
      this.#forRoom.delete(use);
      use();
    }
  }

  get lbMetadata(): JsonObject | undefined {
    return this.endpoint.metadata?.['envoy.lb'];
  }

  /** Takes over what may change while the endpoint stays. */
  describe(endpoint: EndpointProgram, transport: Transport): void {
    this.endpoint = endpoint;
    this.weight = Math.max(1, endpoint.weight);
    const key = endpoint.metadata?.['envoy.lb']?.['hash_key'];
    this.hashKey =
      typeof key === 'string' && key !== ''
        ? key
        : this.cluster.program.hashByHostname && endpoint.hostname !== ''
          ? endpoint.hostname
          : this.authority;
    if (this.transport !== transport) {
      this.transport = transport;
      this.drainPools();
    }
  }

  /** Does not count in how much of its priority is available. */
  get excluded(): boolean {
    return this.pendingActiveHc || this.excludedViaImmediateHcFail || this.endpoint.health === 'DRAINING';
  }

  get availability(): 'healthy' | 'degraded' | 'unhealthy' {
    if (this.ejected || this.failedActiveHc) return 'unhealthy';
    switch (this.endpoint.health) {
      case 'UNKNOWN':
      case 'HEALTHY':
        return this.degradedActiveHc || this.degradedByOutlierDetection ? 'degraded' : 'healthy';
      case 'DEGRADED':
        return 'degraded';
      default:
        return 'unhealthy';
    }
  }

  connect(
    onReady: (socket: UpstreamSocket) => void,
    onFail: (error: ConnectFailure) => void,
    fallbackAlpn?: readonly string[],
  ): void {
    connectHost(this, undefined, fallbackAlpn, onReady, onFail);
  }

  enter(socket: Socket | undefined, closer: () => 'local' | 'remote'): void {
    if (socket === undefined) countNoEntry(this);
    else countEntry(this, socket, closer);
  }

  /** This host as requests for a certain server name, or of a certain client or connection (`owner`), see it: with connections of their own. */
  named(
    name: ExpectedName | undefined,
    client: Ends | undefined,
    alpn: AlpnOffer | undefined,
    owner: number | undefined,
  ): NamedHost {
    const key =
      name === undefined && client === undefined && owner === undefined
        ? (alpn?.key ?? '')
        : `${keyOfName(name)} ${client === undefined ? '' : keyOfEnds(client)} ${alpn?.key ?? ''} ${owner ?? ''}`;
    const host = this.#named.get(key, () => new NamedHost(this, name, client, alpn));
    host.respell(name);
    return host;
  }

  whenDrained(end: () => void): () => void {
    return this.#drained.add(end);
  }

  /** Existing connections are used no more. */
  drainPools(): void {
    this.pool?.drain();
    this.#drained.call();
    this.#named.clear();
  }

  untilFailure(end: () => void): (() => void) | undefined {
    if (!this.cluster.program.closeConnectionsOnHostHealthFailure) return undefined;
    this.#untilFailure.add(end);
    return () => void this.#untilFailure.delete(end);
  }

  /** It is not well, which it was before. */
  failed(): void {
    this.drainPools();
    for (const end of this.#untilFailure) end();
  }

  count(what: HostCount): void {
    if (what === 'success') this.stats.rq_success++;
    else if (what === 'client-error') {
      this.stats.rq_success++;
      this.stats.client_errors++;
    } else if (what === 'error') this.stats.rq_error++;
    else if (what === 'timeout') this.stats.rq_timeout++;
  }

  report(outcome: HostOutcome, counted?: HostCount): void {
    if (outcome === 'connected') this.stats.cx_tunnelled++;
    else if (counted !== undefined) this.count(counted);
    else if (outcome !== 'begun') {
      this.count(outcome === 'success' ? 'success' : 'error');
      if (outcome === 'timeout') this.count('timeout');
    }
    this.monitor?.report(outcome);
  }

  /** No longer part of the cluster: what is under way may finish. */
  retire(): void {
    this.inService = false;
    this.drainPools();
  }
}

function keyOfName(name: ExpectedName | undefined): string {
  if (name === undefined) return '';
  const { serverName, verified, subjectAltNames } = name;
  return `${serverName} ${verified} ${subjectAltNames?.join() ?? ''}`.toLowerCase();
}

/** As logs print an endpoint: `1.2.3.4:80`, `[::1]:80`, a path, `envoy://listener/id`. */
export function authorityOf(endpoint: EndpointProgram): string {
  const { address } = endpoint;
  switch (address.kind) {
    case 'socket':
      return address.address.includes(':')
        ? `[${address.address}]:${address.port}`
        : `${address.address}:${address.port}`;
    case 'pipe':
      return address.path;
    case 'internal':
      return `envoy://${address.name}/${endpoint.endpointId}`;
  }
}
