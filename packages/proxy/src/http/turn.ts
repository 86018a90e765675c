/**
 * When what has been decided is written and noted. The event loop reads sockets one after the other, as many as have
 * something to say: a round. Where rounds are of several reads, what these produce leaves when the round is over, or when
 * much has come together: reading, writing and noting are each done for many requests in a row, while their code is in the
 * processor's caches and whoever is written to is awake. Entry points (socket and timer callbacks) are bracketed with
 * `enter()` and `leave()`; outside of any, nothing waits.
 */
import type { Clock } from '../deps.ts';

/** Something that was written to and has not passed it on. */
export interface Pending {
  flush(): void;
}
/** Something that is over and has not been noted. */
export interface Unlogged {
  log(): void;
}

/** How many outputs wait at most: it is also how long the first of them waits. */
const MOST = 32;
/** Rounds of fewer turns than this, on average, are not worth waiting for. */
const WORTH = 4;
/** While nothing waits, the turns of a round are counted this seldom: one turn in so many begins to. */
const PROBE = 32;
/** So many rounds make the average. */
const WINDOW = 8;

/** What waits for its round to end, in the order in which it came. */
class Queue<T> {
  count = 0;
  /** The first `count` count. */
  readonly #items: (T | undefined)[] = [];
  readonly #run: (item: T) => void;
  #running = false;

  constructor(run: (item: T) => void) {
    this.#run = run;
  }

  add(item: T): void {
    this.#items[this.count++] = item;
  }

  /** Runs all, with what is added meanwhile; when one throws the others stay. What one sets off finds them under way already. */
  settle(): void {
    if (this.#running) return;
    this.#running = true;
    const items = this.#items;
    let at = 0;
    try {
      while (at < this.count) {
        const item = items[at]!;
        items[at++] = undefined;
        this.#run(item);
      }
    } finally {
      let left = 0;
      for (; at < this.count; at++) {
        items[left++] = items[at];
        items[at] = undefined;
      }
      this.count = left;
      this.#running = false;
    }
  }
}

const outputs = new Queue<Pending>((output) => output.flush());
const unlogged = new Queue<Unlogged>((ended) => ended.log());
let depth = 0;
/** Whether turns wait for the end of their round; that of a lonely connection would only be late. */
let gathers = true;
/** The end of this round is awaited. */
let roundEnds = false;
/** In this round, since its end is awaited. */
let turns = 0;
/** Average of a round, times `WINDOW`. */
let average = WORTH * 2 * WINDOW;
let untilProbe = PROBE;
/** Clock time of this turn, once somebody asked for it. */
let turnTime = -1;

/** Always followed by `leave`, whatever happens between. */
export function enter(): void {
  depth++;
}
export function leave(): void {
  if (depth > 1) {
    depth--;
    return;
  }
  turns++;
  try {
    if (outputs.count >= MOST || (!gathers && outputs.count + unlogged.count > 0)) settle();
  } finally {
    turnTime = -1;
    if (!roundEnds && (outputs.count + unlogged.count > 0 || (!gathers && --untilProbe <= 0))) {
      roundEnds = true;
      turns = 1;
      untilProbe = PROBE;
      setImmediate(endRound);
    }
    depth = 0;
  }
}

function endRound(): void {
  roundEnds = false;
  average += turns - Math.trunc(average / WINDOW);
  gathers = average >= WORTH * WINDOW;
  enter();
  try {
    settle();
  } finally {
    leave();
  }
}

/** Writes and logs all that waits: also for who is about to end the process. */
export function settle(): void {
  outputs.settle();
  unlogged.settle();
}

/** Logs all that waits, in the order in which it ended. */
export function settleLogs(): void {
  unlogged.settle();
}

/** Flushes `output` when the round ends; outside of any turn at once. */
export function flushLater(output: Pending): void {
  if (depth === 0) output.flush();
  else outputs.add(output);
}

/** Logs `ended` when the round ends; outside of any turn at once. */
export function logLater(ended: Unlogged): void {
  if (depth === 0) ended.log();
  else unlogged.add(ended);
}

/** `clock.now()`, read once a turn: what happens within one happens at one time. */
export function turnNow(clock: Clock): number {
  if (depth === 0) return clock.now();
  if (turnTime < 0) turnTime = clock.now();
  return turnTime;
}

/** Runs `fn` as an entry point. */
export function entered(fn: () => void): void {
  enter();
  try {
    fn();
  } finally {
    leave();
  }
}
