import type { Clock } from '@mizzen/control-plane';
import { after } from '../long-timer.ts';

/** The machine's clock. Its timers do not keep the process alive. */
export const systemClock: Clock = {
  wall: () => Date.now(),
  now: () => performance.now(),
  after: (ms, fn) => ({ cancel: after(ms, fn, { unref: true }) }),
};
