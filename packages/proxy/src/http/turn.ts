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

let depth = 0;
/** The first `outputCount` count. */
const outputs: (Pending | undefined)[] = [];
let outputCount = 0;
const unlogged: (Unlogged | undefined)[] = [];
let unloggedCount = 0;
let logging = false;
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
    if (outputCount >= MOST || (!gathers && outputCount + unloggedCount > 0)) settle();
  } finally {
    turnTime = -1;
    if (!roundEnds && (outputCount + unloggedCount > 0 || (!gathers && --untilProbe <= 0))) {
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
  let at = 0;
  try {
    for (; at < outputCount; at++) {
      const output = outputs[at]!;
      outputs[at] = undefined;
      output.flush();
    }
  } finally {
    outputCount = leftOf(outputs, at, outputCount);
  }
  settleLogs();
}

/** Logs all that waits, in the order in which it ended. */
export function settleLogs(): void {
  // What one log begins may break another request off: the others are under way already.
  if (logging) return;
  logging = true;
  let at = 0;
  try {
    for (; at < unloggedCount; at++) {
      const each = unlogged[at]!;
      unlogged[at] = undefined;
      each.log();
    }
  } finally {
    logging = false;
    unloggedCount = leftOf(unlogged, at, unloggedCount);
  }
}

/** Moves what follows one that has thrown to the front; returns how many there are. */
function leftOf<T>(queue: (T | undefined)[], at: number, count: number): number {
  let left = 0;
  for (let i = at + 1; i < count; i++) {
    queue[left++] = queue[i];
    queue[i] = undefined;
  }
  return left;
}

/** Flushes `output` when the round ends; outside of any turn at once. */
export function flushLater(output: Pending): void {
  if (depth === 0) output.flush();
  else outputs[outputCount++] = output;
}

/** Logs `ended` when the round ends; outside of any turn at once. */
export function logLater(ended: Unlogged): void {
  if (depth === 0) ended.log();
  else unlogged[unloggedCount++] = ended;
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
