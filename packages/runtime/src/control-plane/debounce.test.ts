import { ManualClock } from '@mizzen/control-plane/manual-clock.ts';
import { beforeEach, expect, test } from 'vitest';
import { Debounce } from './debounce.ts';

let clock: ManualClock;
let acted: number[];
let debounce: Debounce;
let start: number;

beforeEach(() => {
  clock = new ManualClock();
  start = clock.now();
  acted = [];
  debounce = new Debounce({ clock, quiet: 100, longest: 1000 }, () => acted.push(clock.now() - start));
});

test('a lone event is acted upon at once', () => {
  debounce.trigger();
  clock.advance(5000);
  debounce.trigger();
  expect(acted).toEqual([0, 5000]);
  expect(clock.pending).toBe(0);
});

test('the rest of a burst is acted upon once, when it is over', () => {
  for (let i = 0; i < 5; i++) {
    debounce.trigger();
    clock.advance(50);
  }
  clock.advance(1000);
  expect(acted).toEqual([0, 300]);
});

test('a burst without end is acted upon all the same', () => {
  for (let i = 0; i < 60; i++) {
    debounce.trigger();
    clock.advance(50);
  }
  expect(acted.length).toBeGreaterThanOrEqual(3);
  for (const [index, at] of acted.entries()) expect(at - (acted[index - 1] ?? 0)).toBeLessThanOrEqual(1050);
});

test('nothing happens after the end', () => {
  debounce.trigger();
  debounce.trigger();
  debounce.close();
  clock.advance(1000);
  expect(acted).toEqual([0]);
});
