import type { Clock } from '../deps.ts';

/** The machine's clock. */
export const realClock: Clock = {
  now: () => performance.now(),
  // oxlint-disable-next-line no-restricted-properties
  wall: () => Date.now(),
  after(ms, fn) {
    // oxlint-disable-next-line no-restricted-globals
    const timer = setTimeout(fn, ms);
    return () => clearTimeout(timer);
  },
};
