import { ManualClock } from '@mizzen/control-plane/manual-clock.ts';
import { expect, test } from 'vitest';
import { Seldom } from './seldom.ts';

test('what comes too often is counted, and told again when it comes seldom', () => {
  const clock = new ManualClock();
  const told: (string | number)[] = [];
  const seldom = new Seldom<string>(
    clock,
    (what) => told.push(what),
    (count) => told.push(count),
  );
  for (let i = 0; i < 10_000; i++) seldom.tell('a');
  expect(told).toHaveLength(500);
  clock.advance(100);
  seldom.tell('b');
  expect(told).toHaveLength(500);
  clock.advance(100);
  seldom.tell('c');
  expect(told.slice(500)).toEqual([9501, 'c']);
  clock.advance(3_600_000);
  for (let i = 0; i < 1000; i++) seldom.tell('d');
  expect(told.slice(502)).toEqual(Array.from({ length: 500 }, () => 'd'));
});
