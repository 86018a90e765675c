import { setTimeout as pause } from 'node:timers/promises';

/** Longer than a busy machine takes for anything that a test waits for; a limit of the test itself may end it before. */
const LIMIT_MS = 50_000;

/** Waits until something holds, and throws with `what` was waited for when it never does. */
export async function until(
  what: string | (() => string),
  holds: () => boolean | Promise<boolean>,
  everyMs = 10,
): Promise<void> {
  const deadline = performance.now() + LIMIT_MS;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`waited in vain for ${typeof what === 'string' ? what : what()}`);
    await pause(everyMs);
  }
}
