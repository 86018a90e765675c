import type { CircuitBreaker, UpstreamHost } from '../types.ts';

interface Waiter {
  readonly breaker: CircuitBreaker;
  readonly go: () => void;
}

const rooms = new WeakMap<UpstreamHost, TunnelRoom>();

/** Connections of tunnels to a host. Where there is no room for another, it waits for one that ends; one is always granted. */
export class TunnelRoom {
  #taken = 0;
  readonly #waiting: Waiter[] = [];
  readonly #host: UpstreamHost;

  static of(host: UpstreamHost): TunnelRoom {
    let room = rooms.get(host);
    if (room === undefined) rooms.set(host, (room = new TunnelRoom(host)));
    return room;
  }

  private constructor(host: UpstreamHost) {
    this.#host = host;
  }

  /** Calls `go` once there is room, which `leave` gives back; what is returned takes the wish back before that. */
  enter(breaker: CircuitBreaker, go: () => void): () => void {
    const waiter = { breaker, go };
    if (this.#take(breaker)) go();
    else this.#waiting.push(waiter);
    return () => {
      const at = this.#waiting.indexOf(waiter);
      if (at < 0) return;
      this.#waiting.splice(at, 1);
      breaker.releasePending();
      this.#host.cluster.stats.upstream_rq_cancelled++;
    };
  }

  leave(breaker: CircuitBreaker): void {
    breaker.releaseConnection();
    this.#taken--;
    const next = this.#waiting[0];
    if (next === undefined || !this.#take(next.breaker)) return;
    this.#waiting.shift();
    next.go();
  }

  #take(breaker: CircuitBreaker): boolean {
    if (this.#host.full === true || !breaker.tryConnection()) {
      this.#host.cluster.stats.upstream_cx_overflow++;
      if (this.#taken > 0) return false;
      breaker.forceConnection();
    }
    this.#taken++;
    return true;
  }
}
