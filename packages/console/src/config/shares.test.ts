import { expect, test } from 'vitest';
import { sharesOf, withShare } from './shares.ts';

test.each([
  [[90, 10], 1, 30, [70, 30]],
  [[90, 10], 0, 0, [0, 100]],
  [[100, 0, 0], 0, 40, [40, 30, 30]],
  [[50, 30, 20], 0, 0, [0, 60, 40]],
  [[34, 33, 33], 2, 1, [50, 49, 1]],
])('%j with place %d at %d', (weights, index, share, expected) => {
  expect(withShare(weights, index, share)).toEqual(expected);
});

test('shares are whole, and a hundred in all', () => {
  for (let share = 0; share <= 100; share++) {
    const weights = withShare([17, 41, 29, 13], 2, share);
    expect(weights[2]).toBe(share);
    expect(weights.reduce((all, each) => all + each)).toBe(100);
    expect(weights.every((each) => Number.isInteger(each) && each >= 0)).toBe(true);
  }
  expect(sharesOf([1, 1, 2])).toEqual([25, 25, 50]);
  expect(sharesOf([0, 0])).toEqual([100, 0]);
  expect(sharesOf([7])).toEqual([100]);
});
