import type { Clock, Timer } from '../clock.ts';
import { LIMITS } from './limits.ts';

export interface WriteBudgetOptions {
  readonly clock: Clock;
  /** While more bytes than this wait to be written, nothing is added. */
  readonly bytes: number;
  /** Milliseconds after which what waits is taken to wait for a client that does not read, and no longer counts. */
  readonly patience: number;
}

/**
 * The bytes that all streams together have waiting to be written, so that many clients that come at once cost no more memory
 * than a few. Whoever finds no room is woken when there is some, in the order of asking. A client that does not read has
 * bounds of its own and costs the others `patience` once for each of its responses.
 */
export class WriteBudget {
  readonly #options: WriteBudgetOptions;
  #waiting = 0;
  readonly #queue = new Set<() => void>();

  constructor(options: WriteBudgetOptions) {
    this.#options = options;
  }

  /** True when more may be written now; otherwise `wake` is called once that is worth asking again. */
  hasRoom(wake: () => void): boolean {
    if (this.#waiting < this.#options.bytes) return true;
    this.#queue.add(wake);
    return false;
  }

  /** Counts bytes that are to be written until what it returns is called. */
  take(bytes: number): () => void {
    const { clock, patience } = this.#options;
    let counted = true;
    this.#waiting += bytes;
    const release = (): void => {
      timer.cancel();
      if (!counted) return;
      counted = false;
      this.#waiting -= bytes;
      this.#wake();
    };
    const timer: Timer = clock.after(patience, release);
    return release;
  }

  /** Whoever was to be woken has gone. */
  leave(wake: () => void): void {
    this.#queue.delete(wake);
  }

  #wake(): void {
    for (const wake of this.#queue) {
      if (this.#waiting >= this.#options.bytes) return;
      this.#queue.delete(wake);
      wake();
    }
  }
}

/** For all listeners of a process. */
export function createWriteBudget(clock: Clock): WriteBudget {
  return new WriteBudget({ clock, bytes: LIMITS.unwrittenTotal, patience: LIMITS.unwrittenPatience });
}
