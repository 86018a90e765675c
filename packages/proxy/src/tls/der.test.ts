import { expect, test } from 'vitest';
import { readOid } from './der.ts';

const bytes = (hex: string): Buffer => Buffer.from(hex, 'hex');

test.each([
  ['2a0304', '1.2.3.4'],
  ['551d11', '2.5.29.17'],
  ['8137', '2.103'],
  // 2⁶⁴ − 1 as the second number, and one more; the same behind the first two.
  [`82${'80'.repeat(8)}4f`, '2.18446744073709551615'],
  [`82${'80'.repeat(8)}50`, ''],
  [`2a81${'ff'.repeat(8)}7f`, '1.2.18446744073709551615'],
  [`2a82${'80'.repeat(8)}00`, ''],
])('an object identifier: %s', (hex, text) => expect(readOid(bytes(hex))).toBe(text));

// What costs its square takes minutes, and what costs no more than itself a moment, on any machine.
test('a number without an end costs no more than its length', { timeout: 20_000 }, () => {
  expect(readOid(bytes('ff'.repeat(5_000_000)))).toBe('');
});
