import { expect, test } from 'vitest';
import { parseDuration } from './duration.ts';

test.each([
  ['5s', 5000],
  ['1h30m', 5_400_000],
  ['1.5s', 1500],
  ['250ms', 250],
  ['1us', 0.001],
  ['.5s', 500],
  ['-2m', -120_000],
  ['0', 0],
  ['', undefined],
  ['5', undefined],
  ['5 s', undefined],
  ['s', undefined],
  ['1d', undefined],
  ['1h-5m', undefined],
])('%s is %s milliseconds', (text, milliseconds) => {
  expect(parseDuration(text)).toBe(milliseconds);
});
