import { join } from 'node:path';
import { peersFolder } from '@mizzen/testkit';
import { describe, expect, it } from 'vitest';
import { casesOf, runCase, type ResourceType } from './testing/agreement.ts';

const folder = peersFolder();

/**
 * How far clusters, endpoints and routes agree with what istiod sent, leaf by leaf, over recordings that need nothing of
 * later work: the mean over the cases. Listeners have floors of their own. The floors only ever rise.
 */
const FLOORS: Readonly<Record<string, Readonly<Partial<Record<ResourceType, number>>>>> = {
  none: { clusters: 1, endpoints: 0.96, routes: 1 },
  features: { clusters: 1, endpoints: 1, routes: 1 },
  samples: { clusters: 1, endpoints: 1, routes: 0.999 },
  tests: { clusters: 0.99, endpoints: 0.99, routes: 0.99 },
};

// The recordings are somebody else's files and no part of this repository.
it.runIf(folder === undefined)('recordings of istiod are absent (MIZZEN_PEERS): agreement was not measured', () => {
  expect(peersFolder()).toBeUndefined();
});

describe.skipIf(folder === undefined)('agreement with istiod', () => {
  describe.each(Object.entries(FLOORS))('%s', (set, floors) => {
    const cases = folder === undefined ? [] : casesOf(join(folder, 'istio/xds', set));
    const results = cases.map((entry) => ({
      id: entry.id,
      nodes: runCase(entry),
    }));
    it.each(Object.entries(floors) as [ResourceType, number][])('%s', (type, floor) => {
      const shares = results.map(({ id, nodes }) => {
        const all = nodes.map(({ byType }) => byType[type]);
        const total = all.reduce((sum, one) => sum + one.total, 0);
        const share = total === 0 ? 1 : all.reduce((sum, one) => sum + one.same, 0) / total;
        return { id, share, first: all.find((one) => one.differences.length > 0)?.differences[0] };
      });
      const mean = shares.reduce((sum, { share }) => sum + share, 0) / shares.length;
      const broken = shares.filter(({ share }) => share < 1);
      process.stdout.write(
        `${set} ${type}: ${(mean * 100).toFixed(2)} % of leaves, ${shares.length - broken.length} of ${shares.length} whole\n`,
      );
      expect(mean, JSON.stringify(broken, undefined, 1)).toBeGreaterThanOrEqual(floor);
    });
  });
});
