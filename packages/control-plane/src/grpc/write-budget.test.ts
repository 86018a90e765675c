import { expect, test } from 'vitest';
import { ManualClock } from '../manual-clock.ts';
import { WriteBudget } from './write-budget.ts';

test('whoever finds no room is woken in turn, as long as there is room', () => {
  const clock = new ManualClock();
  const budget = new WriteBudget({ clock, bytes: 100, patience: 1000 });
  const woken: string[] = [];
  const releases: (() => void)[] = [];
  const client = (name: string, bytes: number): (() => void) => {
    const wake = (): void => {
      if (!budget.hasRoom(wake)) return;
      woken.push(name);
      releases.push(budget.take(bytes));
    };
    return wake;
  };
  const [a, b, c, d, gone] = [client('a', 60), client('b', 60), client('c', 60), client('d', 60), client('gone', 60)];
  for (const wake of [a!, b!, c!, gone!, d!]) wake();
  budget.leave(gone!);
  expect(woken).toEqual(['a', 'b']);
  // 60 of 120 are written: there is room for one more.
  releases[0]!();
  expect(woken).toEqual(['a', 'b', 'c']);
  // The same bytes count once.
  releases[0]!();
  expect(woken).toEqual(['a', 'b', 'c']);
  releases[1]!();
  expect(woken).toEqual(['a', 'b', 'c', 'd']);
  for (const release of releases) release();
  expect(clock.pending).toBe(0);
});

test('a client that does not read holds up the others for a while only', () => {
  const clock = new ManualClock();
  const budget = new WriteBudget({ clock, bytes: 100, patience: 1000 });
  const release = budget.take(500);
  let woken = 0;
  expect(budget.hasRoom(() => woken++)).toBe(false);
  clock.advance(999);
  expect(woken).toBe(0);
  clock.advance(1);
  expect(woken).toBe(1);
  expect(budget.hasRoom(() => undefined)).toBe(true);
  // It reads after all: nothing is given back twice.
  release();
  budget.take(100);
  expect(budget.hasRoom(() => undefined)).toBe(false);
});
