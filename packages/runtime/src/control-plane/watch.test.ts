import { expect, test } from 'vitest';
import { describeConvergence } from './watch.ts';

test.each([
  [0, 0, 'no proxy is concerned'],
  [1, 0, 'in force in 1 proxy after 21 ms'],
  [1, 1, 'refused by 1 proxy after 21 ms'],
  [3, 0, 'in force in 3 proxies after 21 ms'],
  [3, 3, 'refused by 3 proxies after 21 ms'],
  [3, 1, 'in force in 2 proxies after 21 ms, refused by 1 proxy'],
])('%i proxies, of which %i refuse the change', (proxies, refused, text) => {
  expect(describeConvergence({ proxies, refused, milliseconds: 21 }, 3)).toBe(text);
});

test('with nobody connected there is nothing to say', () => {
  expect(describeConvergence({ proxies: 0, refused: 0, milliseconds: 0 }, 0)).toBeUndefined();
});
