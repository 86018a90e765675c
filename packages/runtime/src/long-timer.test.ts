import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { systemClock as controlClock } from './control/clock.ts';
import { systemClock } from './kubelet/clock.ts';
import { after } from './long-timer.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const DAY = 86_400_000;

test.each([
  ['the timer', (ms: number, fn: () => void) => ({ cancel: after(ms, fn) })],
  ['the clock of pods', (ms: number, fn: () => void) => systemClock.after(ms, fn)],
  ['the clock of the control process', (ms: number, fn: () => void) => controlClock.after(ms, fn)],
] as const)('%s waits for longer than Node’s timers do', (_, timer) => {
  const called: string[] = [];
  timer(40 * DAY, () => called.push('forty'));
  const sixty = timer(60 * DAY, () => called.push('sixty'));
  timer(Infinity, () => called.push('never'));
  vi.advanceTimersByTime(40 * DAY - 1);
  expect(called).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(called).toEqual(['forty']);
  sixty.cancel();
  vi.advanceTimersByTime(100 * DAY);
  expect(called).toEqual(['forty']);
});
