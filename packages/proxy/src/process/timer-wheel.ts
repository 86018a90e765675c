import type { Timer } from '../deps.ts';

/** Resolution in milliseconds: a timer fires up to this much late, never early. */
const TICK = 8;
const SLOTS = 256;

/** A timer in a slot's ring. The ring's head is an entry of its own, so that adding and removing never branch. */
class Entry implements Timer {
  next: Entry = this;
  previous: Entry = this;
  due: number;
  fn: (() => void) | undefined;

  constructor(due: number, fn: (() => void) | undefined) {
    this.due = due;
    this.fn = fn;
  }

  cancel(): void {
    this.fn = undefined;
    this.next.previous = this.previous;
    this.previous.next = this.next;
    this.next = this;
    this.previous = this;
  }
}

/**
 * Two wheels and a ring for what is farther away: 256 slots of 8 ms, 256 slots of 2 s. Adding and cancelling cost a few
 * pointer writes, which is what a timer per request needs: nearly all of them are cancelled. One real timer sleeps until
 * the next slot that holds anything.
 */
export class TimerWheel {
  #near: Entry[] = ring();
  #far: Entry[] = ring();
  #beyond: Entry = new Entry(0, undefined);
  /** Ticks that have been run. */
  #tick: number;
  #sleepingUntil = Infinity;
  #handle: NodeJS.Timeout | undefined;
  readonly #now: () => number;

  /** `now` counts milliseconds and never goes back. */
  constructor(now: () => number) {
    this.#now = now;
    this.#tick = Math.floor(now() / TICK);
  }

  after(ms: number, fn: () => void): Timer {
    const due = Math.max(this.#tick + 1, Math.ceil((this.#now() + ms) / TICK));
    const entry = new Entry(due, fn);
    this.#place(entry);
    // A timer in a coarse wheel is reached in time, because the sleep never goes past the end of the fine one.
    const wake = Math.min(due, this.#turn());
    if (wake < this.#sleepingUntil) this.#sleep(wake);
    return entry;
  }

  #turn(): number {
    return (Math.floor(this.#tick / SLOTS) + 1) * SLOTS;
  }

  #place(entry: Entry): void {
    const { due } = entry;
    if (due - this.#tick <= SLOTS - 1) push(this.#near[due % SLOTS]!, entry);
    else if (Math.floor(due / SLOTS) - Math.floor(this.#tick / SLOTS) <= SLOTS - 1)
      push(this.#far[Math.floor(due / SLOTS) % SLOTS]!, entry);
    else push(this.#beyond, entry);
  }

  #sleep(wake: number): void {
    clearTimeout(this.#handle);
    this.#sleepingUntil = wake;
    // oxlint-disable-next-line no-restricted-globals -- the one place that has real timers
    this.#handle = setTimeout(() => this.#run(), Math.max(1, Math.ceil(wake * TICK - this.#now())));
    this.#handle.unref();
  }

  #run(): void {
    this.#sleepingUntil = Infinity;
    const until = Math.floor(this.#now() / TICK);
    try {
      while (this.#tick < until) {
        this.#tick++;
        if (this.#tick % SLOTS === 0) this.#cascade();
        this.#fire(this.#near[this.#tick % SLOTS]!);
      }
    } finally {
      this.#defer(this.#near[this.#tick % SLOTS]!);
      this.#plan();
    }
  }

  /** A timer added by one of these lands in a later slot, so this ends. */
  #fire(slot: Entry): void {
    while (slot.next !== slot) {
      const entry = slot.next;
      const { fn } = entry;
      entry.cancel();
      fn?.();
    }
  }

  /** What a callback that threw has kept from its turn comes next. */
  #defer(slot: Entry): void {
    const due = this.#tick + 1;
    const next = this.#near[due % SLOTS]!;
    while (slot.previous !== slot) {
      const entry = slot.previous;
      entry.previous.next = slot;
      slot.previous = entry.previous;
      entry.due = due;
      push(next.next, entry);
    }
  }

  /** The fine wheel came round: the next coarse slot moves into it; once per coarse round, the far ring is sorted again. */
  #cascade(): void {
    const turn = Math.floor(this.#tick / SLOTS);
    if (turn % SLOTS === 0) this.#spread(this.#beyond);
    this.#spread(this.#far[turn % SLOTS]!);
  }

  #spread(from: Entry): void {
    let entry = from.next;
    from.next = from;
    from.previous = from;
    while (entry !== from) {
      const { next } = entry;
      this.#place(entry);
      entry = next;
    }
  }

  #plan(): void {
    const turn = this.#turn();
    let anything = this.#beyond.next !== this.#beyond || this.#far.some((slot) => slot.next !== slot);
    let wake = turn;
    for (let tick = this.#tick + 1; tick < this.#tick + SLOTS; tick++) {
      const slot = this.#near[tick % SLOTS]!;
      if (slot.next === slot) continue;
      wake = Math.min(tick, turn);
      anything = true;
      break;
    }
    if (anything && wake < this.#sleepingUntil) this.#sleep(wake);
  }
}

function ring(): Entry[] {
  return Array.from({ length: SLOTS }, () => new Entry(0, undefined));
}

function push(ring: Entry, entry: Entry): void {
  entry.next = ring;
  entry.previous = ring.previous;
  ring.previous.next = entry;
  ring.previous = entry;
}
