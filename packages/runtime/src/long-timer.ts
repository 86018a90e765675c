/** Node's timers go off at once when they are to wait for longer. */
const LONGEST = 2 ** 31 - 1;

/** Calls `fn` after `ms`, however many; returns what prevents that. `unref`: it does not keep the process alive. */
export function after(ms: number, fn: () => void, { unref = false } = {}): () => void {
  let timer: NodeJS.Timeout;
  const wait = (left: number): void => {
    timer = setTimeout(() => (left > LONGEST ? wait(left - LONGEST) : fn()), Math.min(left, LONGEST));
    if (unref) timer.unref();
  };
  wait(ms);
  return () => clearTimeout(timer);
}
