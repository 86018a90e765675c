import { expect, test } from 'vitest';
import { quotedIn } from './quoted.ts';

const listener = {
  name: 'in',
  filters: [{ providers: { 'origins-0': { jwks: '!' } }, rules: [{ provider: 'origins-0' }] }, { script: 'x = (\ny' }],
};

test.each([
  ["Provider 'origins-0' has a bad key", [['filters', 0, 'providers', 'origins-0']]],
  ['[string "x = (..."]:1: unexpected', [['filters', 1, 'script']]],
  [`'unknown' in "in", not 'origins-0'`, [['filters', 0, 'providers', 'origins-0']]],
  ["nothing of 'this' is there", []],
  ['nothing is quoted: origins-0', []],
])('%s', (message, paths) => {
  expect(quotedIn(listener, message)).toEqual(paths);
});

test('every place of a text is found', () => {
  expect(quotedIn({ a: ['one', { b: 'one' }] }, "'one'")).toEqual([
    ['a', 0],
    ['a', 1, 'b'],
  ]);
  expect(quotedIn(undefined, "'one'")).toEqual([]);
});
