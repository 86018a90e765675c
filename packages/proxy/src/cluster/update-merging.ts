import type { Clock, Timer } from '../deps.ts';

/** What Envoy counts of the changes that it hands on to its workers. */
export interface UpdateCounts {
  cluster_updated: number;
  cluster_updated_via_merge: number;
  update_merge_cancelled: number;
  update_out_of_merge_window: number;
}

/** A priority whose hosts changed. */
export interface PriorityUpdate {
  readonly priority: number;
  /** Hosts came or went, more than their health, weights or metadata changed. */
  readonly membership: boolean;
}

interface Pending {
  /** When an update was last handed on, milliseconds. */
  last: number;
  timer: Timer | undefined;
}

/**
 * Says when changes of a cluster's hosts take effect, and counts them, as Envoy does: those without hosts that come or go do
 * at once only when `window` has passed since the last ones of their priority, and together at the end of it otherwise.
 */
export class UpdateMerging {
  readonly #window: number;
  readonly #counts: UpdateCounts;
  readonly #clock: Clock;
  readonly #onMerged: () => void;
  readonly #pending = new Map<number, Pending>();

  constructor(window: number, counts: UpdateCounts, clock: Clock, onMerged: () => void) {
    this.#window = window;
    this.#counts = counts;
    this.#clock = clock;
    this.#onMerged = onMerged;
  }

  /** Whether changes of that priority are yet to take effect. */
  waits(priority: number): boolean {
    return this.#pending.get(priority)?.timer !== undefined;
  }

  /** All that an assignment changes goes on together and at once, with what waits. */
  together(updates: readonly PriorityUpdate[]): void {
    if (updates.length === 0) return;
    if (this.#window > 0) for (const { priority } of updates) this.#put({ priority, membership: true });
    this.#counts.cluster_updated++;
  }

  take(updates: readonly PriorityUpdate[]): void {
    for (const update of updates) if (this.#window === 0 || !this.#put(update)) this.#counts.cluster_updated++;
  }

  /** Whether the update waits for others. */
  #put({ priority, membership }: PriorityUpdate): boolean {
    const now = this.#clock.now();
    let pending = this.#pending.get(priority);
    if (pending === undefined) this.#pending.set(priority, (pending = { last: -Infinity, timer: undefined }));
    const late = now - pending.last > this.#window;
    if (!late && !membership) {
      pending.timer ??= this.#clock.after(this.#window, () => this.#merge(pending));
      return true;
    }
    if (!membership) this.#counts.update_out_of_merge_window++;
    if (pending.timer !== undefined) this.#counts.update_merge_cancelled++;
    pending.timer?.cancel();
    pending.timer = undefined;
    pending.last = now;
    return false;
  }

  #merge(pending: Pending): void {
    pending.timer = undefined;
    pending.last = this.#clock.now();
    this.#counts.cluster_updated_via_merge++;
    this.#onMerged();
  }

  /** The cluster is gone, or there is another version of it: what waits does not take effect any more. */
  stop(): void {
    for (const { timer } of this.#pending.values()) timer?.cancel();
  }
}
