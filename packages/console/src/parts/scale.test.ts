import { expect, test } from 'vitest';
import { axis } from './scale.ts';

test.each([
  [0, [0, 1]],
  [1, [0, 0.5, 1]],
  [2.5, [0, 1, 2, 3]],
  [7, [0, 5, 10]],
  [12, [0, 5, 10, 15]],
  [95, [0, 50, 100]],
  [0.03, [0, 0.01, 0.02, 0.03]],
  [401, [0, 200, 400, 600]],
])('an axis for %d', (top, lines) => {
  expect(axis(top).map((value) => Number(value.toFixed(9)))).toEqual(lines);
});
