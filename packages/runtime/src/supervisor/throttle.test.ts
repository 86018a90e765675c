import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { throttle } from './throttle.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('the first call goes at once, those after it together, with what was said last', () => {
  const calls: number[] = [];
  const report = throttle<number>(
    () => 10,
    (n) => calls.push(n),
  );
  report(1);
  expect(calls).toEqual([1]);
  report(2);
  report(3);
  vi.advanceTimersByTime(9);
  expect(calls).toEqual([1]);
  vi.advanceTimersByTime(1);
  expect(calls).toEqual([1, 3]);
  report(4);
  vi.advanceTimersByTime(10);
  expect(calls).toEqual([1, 3, 4]);
  vi.advanceTimersByTime(10);
  report(5);
  expect(calls).toEqual([1, 3, 4, 5]);
});

test('a call goes as soon as the interval has become short enough', () => {
  const calls: number[] = [];
  let interval = 100;
  const report = throttle<number>(
    () => interval,
    (n) => calls.push(n),
  );
  report(1);
  vi.advanceTimersByTime(20);
  report(2);
  expect(calls).toEqual([1]);
  interval = 10;
  report(3);
  expect(calls).toEqual([1, 3]);
  vi.advanceTimersByTime(100);
  expect(calls).toEqual([1, 3]);
});
