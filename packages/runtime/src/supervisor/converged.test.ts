import { expect, test } from 'vitest';
import { describeConverged } from './converged.ts';

test.each([
  [0, 0, 'no proxy is concerned'],
  [1, 0, 'the one proxy concerned has it after 21 ms'],
  [1, 1, 'the one proxy concerned refused it after 21 ms'],
  [3, 0, 'all 3 proxies concerned have it after 21 ms'],
  [3, 3, 'all 3 proxies concerned refused it after 21 ms'],
  [3, 2, '1 of 3 proxies concerned has it after 21 ms; 2 refused it'],
  [5, 2, '3 of 5 proxies concerned have it after 21 ms; 2 refused it'],
])('%i proxies, of which %i refuse the change', (proxies, refused, text) => {
  expect(describeConverged({ proxies, refused, milliseconds: 21 })).toBe(text);
});
