import { expect, test } from 'vitest';
import { addressesIn } from './hosts-file.ts';

test('names in a file of hosts', () => {
  const text = `# 127.0.0.9 one
127.0.0.1\tone  Two # three
::1 one\r
127.0.0.2 ONE
not.an.address one
127.0.0.1 one
`;
  expect(addressesIn(text, 'one', 4)).toEqual(['127.0.0.1', '127.0.0.2']);
  expect(addressesIn(text, 'one', 6)).toEqual(['::1']);
  expect(addressesIn(text, 'two', 4)).toEqual(['127.0.0.1']);
  expect(addressesIn(text, 'three', 4)).toEqual([]);
});
