import type { Clock, Timer } from '../deps.ts';
import type { UpstreamSocket } from '../types.ts';

/** A connection that is being served. */
export interface ActiveConnection {
  /** What the bytes go through, where that is not the socket that was given. */
  readonly socket?: UpstreamSocket;
  /** Finish what is under way and one more request at most; unless `keepIdle`, be gone at once when nothing is. */
  drain(keepIdle: boolean): void;
  /** End now. */
  close(): void;
}

/** The connections of one filter chain, so that they can be drained and closed together. */
export class Connections {
  readonly #active = new Set<ActiveConnection>();
  readonly #onEmpty = new Set<() => void>();
  #timer: Timer | undefined;
  #draining = false;

  get size(): number {
    return this.#active.size;
  }

  add(connection: ActiveConnection): void {
    this.#active.add(connection);
    if (this.#draining) connection.drain(true);
  }

  delete(connection: ActiveConnection): void {
    this.#active.delete(connection);
    if (this.#active.size > 0) return;
    this.#timer?.cancel();
    for (const onEmpty of this.#onEmpty) onEmpty();
    this.#onEmpty.clear();
  }

  /**
   * Drains all and calls `onEmpty` once none is left. Idle connections are closed after `idleMs`, because a client may be
   * sending a request just when it is told that there is to be none; what is left after `ms` is ended.
   */
  drain(idleMs: number, ms: number, clock: Clock, onEmpty: () => void): void {
    this.#draining = true;
    if (this.#active.size === 0) return onEmpty();
    this.#onEmpty.add(onEmpty);
    this.#timer?.cancel();
    for (const connection of this.#active) connection.drain(true);
    const wait = Math.min(idleMs, ms);
    this.#timer = clock.after(wait, () => {
      for (const connection of this.#active) connection.drain(false);
      this.#timer = clock.after(ms - wait, () => this.close());
    });
  }

  /** All connections, later ones too, say with their next answer that they end; none is ended from here. */
  announceDrain(): void {
    this.#draining = true;
    for (const connection of this.#active) connection.drain(true);
  }

  close(): void {
    for (const connection of this.#active) connection.close();
  }
}
