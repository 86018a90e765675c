import { after } from '@mizzen/runtime/long-timer.ts';
import type { Clock } from '@mizzen/load';

/** The machine's clock. */
export const realClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after: (ms, fn) => after(ms, fn),
};
