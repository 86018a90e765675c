/**
 * Random route tables and authorization policies decide as in the real Envoy, in the pure evaluation and in the running
 * proxy. `npm run property` does the same with as many pairs as are wanted.
 */
import { expect, test } from 'vitest';
import { comparePairs } from './testing/property.ts';

test.each(['routes', 'rbac'] as const)(
  'random %s',
  async (property) => {
    expect(await comparePairs(property, 1, 20, 12)).toEqual([]);
  },
  120_000,
);
