import type { Clock } from '../../clock.ts';

/** The machine's clock, for tests with real programs. */
export const realClock: Clock = {
  // oxlint-disable-next-line no-restricted-properties
  wall: () => Date.now(),
  now: () => performance.now(),
  after(ms, fn) {
    // oxlint-disable-next-line no-restricted-globals
    const timer = setTimeout(fn, ms);
    return { cancel: () => clearTimeout(timer) };
  },
};
