import { join } from 'node:path';
import { peersFolder } from '@mizzen/testkit';
import { describe, expect, it } from 'vitest';
import { casesOf, runCase } from '../testing/agreement.ts';

const folder = peersFolder();

/**
 * How far listeners agree with what istiod sent, leaf by leaf, over recordings that need nothing of later work. The
 * floors only ever rise.
 */
const FLOORS = {
  features: { mean: 1, whole: 1 },
  samples: { mean: 0.9995, whole: 0.95 },
  tests: { mean: 0.999, whole: 0.98 },
  none: { mean: 1, whole: 1 },
} as const;

describe.skipIf(folder === undefined)('listeners agree with istiod', () => {
  it.each(Object.entries(FLOORS))('%s', (set, floor) => {
    const shares = casesOf(join(folder ?? '', 'istio/xds', set)).map((entry) => {
      const listeners = runCase(entry).map(({ byType }) => byType.listeners);
      const same = listeners.reduce((sum, one) => sum + one.same, 0);
      const total = listeners.reduce((sum, one) => sum + one.total, 0);
      return { id: entry.id, share: total === 0 ? 1 : same / total };
    });
    const mean = shares.reduce((sum, { share }) => sum + share, 0) / shares.length;
    const broken = shares.filter(({ share }) => share < 1);
    expect(mean, JSON.stringify(broken)).toBeGreaterThanOrEqual(floor.mean);
    expect(1 - broken.length / shares.length, JSON.stringify(broken)).toBeGreaterThanOrEqual(floor.whole);
  });
});
