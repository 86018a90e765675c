/**
 * What waits until everything that has arrived by now has been read. Node tells of the end of a connection only with the
 * reads that follow those of its last bytes, Envoy together with them: a connection is not used again in between.
 */
export interface Waiting {
  /** Whatever came together with what was read before has been read too. */
  afterReads(): void;
}

/** Of this turn of the event loop, and of the one before, whose reads came since. */
let fresh: Waiting[] = [];
let due: Waiting[] = [];
let spare: Waiting[] = [];
let ticking = false;
/** Within a tick, and what is to follow it. */
let inTick = false;
const following: (() => void)[] = [];

/** Calls `waiting.afterReads` once. */
export function afterReads(waiting: Waiting): void {
  fresh.push(waiting);
  if (ticking) return;
  ticking = true;
  nextTurn();
}

/** Calls `fn` when what runs now, and what that has made ready, has run: before anything more is read. */
export function afterThis<T>(fn: (of: T) => void, of: T): void {
  if (inTick) following.push(() => fn(of));
  else setImmediate(fn, of);
}

function nextTurn(): void {
  setImmediate(tick);
  setImmediate(afterTick);
}

function afterTick(): void {
  if (following.length === 0) return;
  for (const fn of following.splice(0)) fn();
}

function tick(): void {
  const now = due;
  due = fresh;
  fresh = spare;
  spare = now;
  if (due.length > 0) nextTurn();
  else ticking = false;
  let at = 0;
  inTick = true;
  try {
    for (; at < now.length; at++) now[at]!.afterReads();
  } finally {
    inTick = false;
    // Who has thrown is no reason to forget the others.
    for (const other of now.slice(at + 1)) afterReads(other);
    now.length = 0;
  }
}
