import { expect, test } from 'vitest';
import { goSorted } from './go-sort.ts';

/** The generator that the recorded orders were made with. */
function numbers(): (below: number) => number {
  let seed = 12_345;
  return (below) => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return (seed >>> 8) % below;
  };
}

function order(length: number, key: (index: number) => number): number[] {
  const items = Array.from({ length }, (_, index) => ({ key: key(index), index }));
  return goSorted(items, (a, b) => a.key < b.key).map(({ index }) => index);
}

const FALLING_14: readonly number[] = [6, 12, 2, 3, 4, 5, 8, 13, 7, 9, 10, 11, 1, 0];
const SQUARES_350 = 703_618;
const RANDOM_399 = 321_939;

/** As one number, so that long orders can be compared with what Go leaves. */
function digest(indexes: readonly number[]): number {
  return indexes.reduce((hash, index) => (hash * 31 + index) % 1_000_003, 0);
}

test('equal items are left where Go 1.26 leaves them (printed by sort.Slice for these very keys)', () => {
  expect(order(12, (i) => Math.floor(i / 4))).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  expect(order(14, (i) => Math.floor((14 - i) / 13))).toEqual(FALLING_14);
  expect(digest(order(350, (i) => (i * i) % 40))).toBe(SQUARES_350);
  const next = numbers();
  expect(digest(order(399, () => next(7)))).toBe(RANDOM_399);
});

test('whatever the keys, the result is sorted and has every item once', () => {
  const next = numbers();
  for (let length = 0; length < 300; length += 13) {
    const keys = Array.from({ length }, () => next(length));
    const indexes = order(length, (index) => keys[index]!);
    expect(indexes.toSorted((a, b) => a - b)).toEqual(keys.map((_, index) => index));
    expect(indexes.map((index) => keys[index])).toEqual(keys.toSorted((a, b) => a - b));
  }
});
