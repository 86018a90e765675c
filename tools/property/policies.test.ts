import { expect, test } from 'vitest';
import { comparePolicies } from './policies.ts';

test('requests are routed, tried, changed and answered as by Envoy', { timeout: 60_000 }, async () => {
  expect(await comparePolicies(41, 60)).toEqual([]);
});
