import { expect, test } from 'vitest';
import { ManualClock } from '../testing/manual-clock.ts';
import { SamplingWindow } from './window.ts';

test('answers of a second are one sample, and samples go as a whole', () => {
  const clock = new ManualClock();
  const window = new SamplingWindow(3000, clock);
  const counts = (): [number, number] => {
    window.update();
    return [window.requests, window.successes];
  };
  window.record(true);
  clock.advance(999);
  window.record(false);
  clock.advance(1);
  window.record(true);
  expect(counts()).toEqual([3, 2]);
  clock.advance(1999);
  expect(counts()).toEqual([3, 2]);
  clock.advance(1);
  expect(counts()).toEqual([1, 1]);
  clock.advance(10_000);
  expect(counts()).toEqual([0, 0]);
});

test('requests a second are whole ones, over a second at least', () => {
  const clock = new ManualClock();
  const window = new SamplingWindow(60_000, clock);
  expect(window.averageRps).toBe(0);
  for (let i = 0; i < 7; i++) window.record(true);
  expect(window.averageRps).toBe(7);
  clock.advance(1999);
  expect(window.averageRps).toBe(7);
  clock.advance(1);
  expect(window.averageRps).toBe(3);
});
