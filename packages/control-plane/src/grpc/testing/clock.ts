import type { Clock } from '../../clock.ts';

/** The machine's clock, for tests with real programs. */
export const realClock: Clock = {
  wall: () => Date.now(),
  now: () => performance.now(),
  after(ms, fn) {
    const timer = setTimeout(fn, ms);
    return { cancel: () => clearTimeout(timer) };
  },
};
