import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { systemClock as controlClock } from './control/clock.ts';
import { systemClock } from './kubelet/clock.ts';
import { after } from './long-timer.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const DAY = 86_400_000;

test.each([
  ['the timer', after],
  ['the clock of pods', systemClock.after],
  ['the clock of the control process', controlClock.after],
] as const)('%s waits for longer than Node’s timers do', (_, timer) => {
  const called: string[] = [];
  timer(40 * DAY, () => called.push('forty'));
  const cancel = timer(60 * DAY, () => called.push('sixty'));
  timer(Infinity, () => called.push('never'));
  vi.advanceTimersByTime(40 * DAY - 1);
  expect(called).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(called).toEqual(['forty']);
  if (typeof cancel === 'function') cancel();
  else cancel.cancel();
  vi.advanceTimersByTime(100 * DAY);
  expect(called).toEqual(['forty']);
});
