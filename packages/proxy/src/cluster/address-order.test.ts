import { expect, test } from 'vitest';
import { addressOrder } from './address-order.ts';

const ADDRESSES = ['a1', 'a2', '::1', 'a3', 'a4', '::2', '::3', 'a5'];

/** As Envoy 1.40 tries them. */
test.each([
  [{ first: undefined, count: 1 }, 'a1 ::1 a2 ::2 a3 ::3 a4 a5'],
  [{ first: undefined, count: 2 }, 'a1 a2 ::1 a3 a4 ::2 a5 ::3'],
  [{ first: 'V6', count: 1 }, '::1 a1 ::2 a2 ::3 a3 a4 a5'],
  [{ first: 'V6', count: 2 }, '::1 ::2 a1 ::3 a2 a3 a4 a5'],
  [{ first: 'V4', count: 9 }, 'a1 a2 a3 a4 a5 ::1 ::2 ::3'],
] as const)('%j', (order, expected) => {
  const given = ADDRESSES.map((address) => ({ address }));
  expect(
    addressOrder(given, order)
      .map(({ address }) => address)
      .join(' '),
  ).toBe(expected);
});

test('families that are not there', () => {
  const given = [{ address: '10.0.0.1' }, { address: '10.0.0.2' }];
  expect(addressOrder(given, { first: 'V6', count: 1 })).toEqual(given);
  expect(addressOrder([{ address: '::1' }, ...given], { first: 'V4', count: 1 })).toEqual([
    given[0],
    { address: '::1' },
    given[1],
  ]);
});
