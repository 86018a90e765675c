import { setImmediate } from 'node:timers/promises';
import type { Clock } from '@mizzen/control-plane';

/** Milliseconds of work at a time: what others who ask wait for, about. */
const SLICE = 10;

/**
 * Long work, done between what else the process has to do: `step` of one after the other. Rejects with the reason of
 * `signal` when nobody wants it any more.
 */
export async function inTurns<T>(
  all: Iterable<T>,
  step: (each: T) => void,
  { clock, signal }: { readonly clock: Pick<Clock, 'now'>; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  let begun = clock.now();
  for (const each of all) {
    step(each);
    if (clock.now() - begun < SLICE) continue;
    await setImmediate();
    signal?.throwIfAborted();
    begun = clock.now();
  }
}
