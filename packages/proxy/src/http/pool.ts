import { connectTimesOf } from '../cluster/connect-times.ts';
import type { Deps } from '../deps.ts';
import { upstreamPeer } from '../tls/upstream-peer.ts';
import type {
  CircuitBreaker,
  ConnectFailure,
  HostPool,
  RouteActionProgram,
  UpstreamCluster,
  UpstreamHost,
} from '../types.ts';
import { exchangeWith } from '../istio/upstream-exchange.ts';
import { ClientConnection, type ConnectionOwner } from './client-connection.ts';
import { Deadline } from './deadline.ts';
import { entered, turnNow } from './turn.ts';
import type { ResetReason } from './reset.ts';
import { HTTP_ALPN } from '../tls/agreed.ts';

/** Somebody who wants a connection. Exactly one of the two is called, once, unless `cancel` came before. */
export interface Waiter {
  onConnection(connection: ClientConnection): void;
  /** `admitted`: there was a connection, but no room for another request. */
  onPoolFailure(reason: ResetReason, transport: string, admitted?: boolean): void;
}

/** Connections that one request may cause, as in Envoy. */
const MOST_AT_ONCE = 3;

const DEFAULT_LIMITS: NonNullable<UpstreamCluster['http']> = {
  maxResponseHeadersBytes: 60 * 1024,
  maxHeadersCount: 100,
  headerKeyFormat: 'lowercase',
};

/**
 * HTTP/1 connections to one host. The one used last is used next, so that the others may idle out; a waiter takes
 * whichever connection is free first.
 */
export class Pool implements HostPool, ConnectionOwner {
  readonly host: UpstreamHost;
  readonly #deps: Deps;
  readonly #idle: ClientConnection[] = [];
  readonly #waiting: { readonly waiter: Waiter; readonly breaker: CircuitBreaker }[] = [];
  readonly #all = new Set<ClientConnection>();
  readonly #idleDeadline: Deadline;
  readonly #preconnectRatio: number;
  #connecting = 0;
  /** Of requests of priority HIGH, which share no connections with others. */
  #high: Pool | undefined;

  constructor(host: UpstreamHost, deps: Deps) {
    this.host = host;
    this.#deps = deps;
    this.#preconnectRatio = host.cluster.preconnectRatio ?? 1;
    this.#idleDeadline = new Deadline(deps.clock, () => this.#closeIdle());
  }

  /** Calls one of the waiter's functions, perhaps before it returns. */
  acquire(waiter: Waiter, breaker: CircuitBreaker): void {
    const stats = this.host.cluster.stats;
    let connection = this.#idle.pop();
    while (connection !== undefined && connection.socket.destroyed) connection = this.#idle.pop();
    if (connection !== undefined) {
      this.#attach(connection, waiter, breaker);
      if (this.#preconnectRatio > 1) this.#preconnect(breaker);
      return;
    }
    if (!breaker.tryPending()) {
      stats.upstream_rq_pending_overflow++;
      waiter.onPoolFailure('overflow', '');
      return;
    }
    stats.upstream_rq_pending_total++;
    this.#waiting.push({ waiter, breaker });
    this.#connectIfNeeded(breaker);
    if (this.#preconnectRatio > 1) this.#preconnect(breaker);
  }

  /** Forgets a waiter that has not been called yet. */
  cancel(waiter: Waiter): void {
    const at = this.#waiting.findIndex((entry) => entry.waiter === waiter);
    if (at < 0) return;
    this.#waiting[at]!.breaker.releasePending();
    this.#waiting.splice(at, 1);
  }

  get ofHighPriority(): Pool {
    return (this.#high ??= new Pool(this.host, this.#deps));
  }

  drain(): void {
    this.#high?.drain();
    for (const connection of this.#all) connection.draining = true;
    for (const connection of this.#idle.splice(0)) connection.close();
    if (this.#all.size === 0) this.#idleDeadline.stop();
  }

  onIdle(connection: ClientConnection): void {
    const cluster = this.host.cluster;
    const { maxRequestsPerConnection } = cluster;
    if (maxRequestsPerConnection > 0 && connection.requests >= maxRequestsPerConnection) {
      connection.close();
      return;
    }
    connection.idleSince = turnNow(this.#deps.clock);
    if (this.#waiting.length > 0 && connection.requests > 0) connection.settle();
    else this.#give(connection);
  }

  onSettled(connection: ClientConnection): void {
    if (connection.draining) connection.close();
    else this.#give(connection);
  }

  #give(connection: ClientConnection): void {
    const next = this.#waiting.shift();
    if (next !== undefined) {
      next.breaker.releasePending();
      this.#attach(connection, next.waiter, next.breaker);
      const [another] = this.#waiting;
      if (another !== undefined) this.#connectIfNeeded(another.breaker);
      return;
    }
    if (!this.host.inService) {
      connection.close();
      return;
    }
    this.#putAside(connection);
  }

  /** For whoever asks next. */
  #putAside(connection: ClientConnection): void {
    this.#idle.push(connection);
    const { idleTimeout } = this.host.cluster;
    if (idleTimeout > 0 && !this.#idleDeadline.pending) this.#idleDeadline.set(connection.idleSince + idleTimeout);
  }

  onClosed(connection: ClientConnection): void {
    this.#all.delete(connection);
    connection.breaker.releaseConnection();
    const at = this.#idle.lastIndexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
    const next = this.#waiting[0];
    if (next !== undefined) this.#connectIfNeeded(next.breaker);
  }

  #attach(connection: ClientConnection, waiter: Waiter, breaker: CircuitBreaker): void {
    if (!breaker.tryRequest()) {
      this.host.cluster.stats.upstream_rq_active_overflow++;
      this.#putAside(connection);
      waiter.onPoolFailure('overflow', '', true);
      return;
    }
    waiter.onConnection(connection);
    const { maxRequestsPerConnection, stats } = this.host.cluster;
    if (maxRequestsPerConnection > 0 && connection.requests === maxRequestsPerConnection)
      stats.upstream_cx_max_requests++;
  }

  /** Opens what requests to come may need: so many connections for each that is under way or waits. */
  #preconnect(breaker: CircuitBreaker): void {
    for (let opened = 0; opened < MOST_AT_ONCE; opened++) {
      const busy = this.#all.size - this.#idle.length;
      const wanted = (this.#waiting.length + busy) * this.#preconnectRatio;
      if (wanted <= this.#connecting + this.#all.size) return;
      if (!this.#connect(breaker)) return;
    }
  }

  #connectIfNeeded(breaker: CircuitBreaker): void {
    if (this.#connecting < this.#waiting.length) this.#connect(breaker);
  }

  /** False when the breaker was against it. */
  #connect(breaker: CircuitBreaker): boolean {
    // One connection is always granted, or a waiter could wait for ever.
    const hasRoom = this.host.full !== true && breaker.tryConnection();
    if (!hasRoom) {
      this.host.cluster.stats.upstream_cx_overflow++;
      if (this.#all.size > 0 || this.#connecting > 0) return false;
      breaker.forceConnection();
    }
    this.#connecting++;
    this.host.cluster.stats.upstream_cx_http1_total++;
    let settled = false;
    this.host.connect(
      (socket) => {
        if (settled) return;
        settled = true;
        this.#connecting--;
        const limits = this.host.cluster.http ?? DEFAULT_LIMITS;
        const connection = new ClientConnection(socket, this, breaker, this.host.cluster.stats, {
          maxHeadBytes: limits.maxResponseHeadersBytes,
          maxHeaders: limits.maxHeadersCount,
          keepSpelling: limits.headerKeyFormat === 'preserve-case',
          properOthers: limits.properOthers === true,
          keepReason: limits.keepsReason === true,
          allowChunkedLength: limits.allowChunkedLength === true,
          keepsTrailers: limits.enableTrailers === true,
        });
        if (this.host.cluster.peerExchange !== undefined) connection.introduction = exchangeWith(this.host, {}, socket);
        connection.peer = upstreamPeer(connection.socket, this.host);
        connection.times = connectTimesOf(connection.socket);
        this.#all.add(connection);
        this.#limitDuration(connection);
        entered(() => this.onIdle(connection));
      },
      (failure) => {
        if (settled) return;
        settled = true;
        this.#connecting--;
        breaker.releaseConnection();
        entered(() => this.#failWaiting(failureReason(failure), failure.reason));
      },
      HTTP_ALPN,
    );
    return hasRoom;
  }

  /** Ends a connection's use when it has lived as long as it may. */
  #limitDuration(connection: ClientConnection): void {
    const { maxConnectionDuration } = this.host.cluster;
    if (maxConnectionDuration <= 0) return;
    const timer = this.#deps.clock.after(maxConnectionDuration, () => {
      this.host.cluster.stats.upstream_cx_max_duration_reached++;
      connection.draining = true;
      if (!connection.busy) connection.close();
    });
    connection.socket.once('close', () => timer.cancel());
  }

  /** A host that cannot be connected to fails all who wait for it; they may have better luck elsewhere. */
  #failWaiting(reason: ResetReason, transport: string): void {
    const stats = this.host.cluster.stats;
    for (const { waiter, breaker } of this.#waiting.splice(0)) {
      breaker.releasePending();
      stats.upstream_rq_pending_failure_eject++;
      this.host.report('connect-failure', 'nothing');
      waiter.onPoolFailure(reason, transport);
    }
  }

  #closeIdle(): void {
    const now = turnNow(this.#deps.clock);
    const { idleTimeout, stats } = this.host.cluster;
    // The longest idle are first.
    while (this.#idle.length > 0 && this.#idle[0]!.idleSince + idleTimeout <= now) {
      stats.upstream_cx_idle_timeout++;
      this.#idle[0]!.close();
    }
    if (this.#idle.length > 0) this.#idleDeadline.set(this.#idle[0]!.idleSince + idleTimeout);
  }
}

/** What a connection that could not be made is to the request that waited for it. */
export function failureReason(failure: ConnectFailure): ResetReason {
  switch (failure.kind) {
    case 'timeout':
      return 'connection timeout';
    case 'local':
      return 'local connection failure';
    default:
      return 'remote connection failure';
  }
}

/** The pool of a host for requests of that priority, made on first use. */
export function poolOf(host: UpstreamHost, deps: Deps, priority: RouteActionProgram['priority'] = 'DEFAULT'): Pool {
  let pool = host.pool;
  if (!(pool instanceof Pool)) host.pool = pool = new Pool(host, deps);
  return priority === 'HIGH' ? (pool as Pool).ofHighPriority : (pool as Pool);
}
