import type { Clock, Timer } from '../deps.ts';

/** A connection that is being served. */
export interface ActiveConnection {
  /** Finish what is under way, take on nothing new. */
  drain(): void;
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
    if (this.#draining) connection.drain();
  }

  delete(connection: ActiveConnection): void {
    this.#active.delete(connection);
    if (this.#active.size > 0) return;
    this.#timer?.cancel();
    for (const onEmpty of this.#onEmpty) onEmpty();
    this.#onEmpty.clear();
  }

  /** Drains all, closes what is left after `ms`, and calls `onEmpty` once none is left. */
  drain(ms: number, clock: Clock, onEmpty: () => void): void {
    this.#draining = true;
    if (this.#active.size === 0) return onEmpty();
    this.#onEmpty.add(onEmpty);
    this.#timer?.cancel();
    this.#timer = clock.after(ms, () => this.close());
    for (const connection of this.#active) connection.drain();
  }

  close(): void {
    for (const connection of this.#active) connection.close();
  }
}
