import { expect, test } from 'vitest';
import { byName } from './format.ts';

test('names are in the order in which people count', () => {
  const names = ['shop/svc-10', 'shop/svc-2', 'api/z', 'shop/svc-1-10', 'shop/svc-1-9'];
  expect(names.toSorted(byName)).toEqual(['api/z', 'shop/svc-1-9', 'shop/svc-1-10', 'shop/svc-2', 'shop/svc-10']);
});

test('names that count the same are in one order, whichever comes first', () => {
  expect(['svc-01', 'svc-1', 'svc-001'].toSorted(byName)).toEqual(['svc-1', 'svc-001', 'svc-01'].toSorted(byName));
});
