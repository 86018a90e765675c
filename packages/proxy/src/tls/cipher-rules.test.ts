import { expect, test } from 'vitest';
import { readCipherRules } from './cipher-rules.ts';

const groups = (...names: string[]): readonly (readonly string[])[] => {
  const read = readCipherRules(names);
  if ('unknown' in read || read.groups === undefined) throw new Error(JSON.stringify(read));
  return read.groups;
};

test('names and groups stay in their order', () => {
  expect(groups('AES128-SHA', '[ECDHE-RSA-AES128-SHA|AES256-SHA]', 'AES128-GCM-SHA256')).toEqual([
    ['AES128-SHA'],
    ['ECDHE-RSA-AES128-SHA', 'AES256-SHA'],
    ['AES128-GCM-SHA256'],
  ]);
});

test('two groups are not one', () => {
  expect(groups('[AES128-SHA|AES256-SHA]', '[AES128-GCM-SHA256|AES256-GCM-SHA384]')).toEqual([
    ['AES128-SHA', 'AES256-SHA'],
    ['AES128-GCM-SHA256', 'AES256-GCM-SHA384'],
  ]);
});

test('operators take away, for a while or for good, and move to the end', () => {
  expect(groups('kRSA', '-AES128', '!AES256-SHA', '+AESGCM', 'kRSA').flat()).toEqual([
    'AES256-GCM-SHA384',
    'AES128-GCM-SHA256',
    'AES128-SHA',
  ]);
});

test('strength comes first when it is asked for', () => {
  expect(groups('AES128-SHA', 'AES256-SHA', '@STRENGTH').flat()).toEqual(['AES256-SHA', 'AES128-SHA']);
});

test('deprecated suites are chosen by name alone', () => {
  expect(groups('ALL').flat()).not.toContain('ECDHE-RSA-AES128-SHA256');
  expect(groups('ECDHE-RSA-AES128-SHA256').flat()).toEqual(['ECDHE-RSA-AES128-SHA256']);
});

test.each([['NOPE'], ['ECDHE+NOPE'], ['aes128-sha'], ['[AES128-SHA'], ['[+AES]'], ['AES128-SHA DEFAULT']])(
  '%s is not known',
  (name) => expect(readCipherRules(['ALL', name])).toEqual({ unknown: expect.any(String) }),
);

test('nothing may be chosen', () => {
  expect(readCipherRules(['AES128', '!AES'])).toEqual({ groups: undefined });
  expect(readCipherRules(['TLS_AES_128_GCM_SHA256'])).toEqual({ groups: undefined });
});
