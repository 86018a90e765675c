import type { Clock, Timer } from '../deps.ts';
import type { UpstreamSocket } from '../types.ts';
import type { DrainDecision } from './drain.ts';

/** Why connections end whose time to drain is over, in Envoy's words. */
export const CHAIN_GONE = 'filter_chain_is_being_removed';
export const LISTENER_GONE = 'purging_socket_that_have_not_progressed_to_connections';

/** A connection that is being served. */
export interface ActiveConnection {
  /** What the bytes go through, where that is not the socket that was given. */
  readonly socket?: UpstreamSocket;
  /** Answers ask from now on, when this says so, that the client closes. */
  announceDrain(decision: DrainDecision): void;
  /** Finish what is under way; be gone at once when nothing is. */
  drain(): void;
  /** End now; `why` is what logs add to the end's details. */
  close(why?: string): void;
}

/** The connections of one filter chain, so that they can be drained and closed together. */
export class Connections {
  readonly #active = new Set<ActiveConnection>();
  readonly #onEmpty = new Set<() => void>();
  #timer: Timer | undefined;
  /** Ends what comes when all others have been ended. */
  #late: ((connection: ActiveConnection) => void) | undefined;
  #decision: DrainDecision | undefined;

  get size(): number {
    return this.#active.size;
  }

  add(connection: ActiveConnection): void {
    this.#active.add(connection);
    if (this.#decision !== undefined) connection.announceDrain(this.#decision);
    this.#late?.(connection);
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
   * sending a request just when it is told that there is to be none; what is left after `ms` is ended for `why`.
   */
  drain(
    decision: DrainDecision,
    idleMs: number,
    ms: number,
    clock: Clock,
    onEmpty: () => void,
    why = CHAIN_GONE,
  ): void {
    this.announceDrain(decision);
    const ends = clock.now() + ms;
    // One whose handshake was under way is counted in only now.
    this.#late = (connection) => {
      clock.after(Math.max(1, ends - clock.now()), () => {
        if (this.#active.has(connection)) connection.close(why);
      });
    };
    if (this.#active.size === 0) return onEmpty();
    this.#onEmpty.add(onEmpty);
    this.#timer?.cancel();
    const wait = Math.min(idleMs, ms);
    this.#timer = clock.after(wait, () => {
      for (const connection of this.#active) connection.drain();
      this.#timer = clock.after(ms - wait, () => this.close(why));
    });
  }

  /** All connections, later ones too, say with their answers that they end, as the decision goes; none is ended from here. */
  announceDrain(decision: DrainDecision): void {
    this.#decision = decision;
    for (const connection of this.#active) connection.announceDrain(decision);
  }

  close(why?: string): void {
    for (const connection of this.#active) connection.close(why);
  }
}
