import { join } from 'node:path';
import { peersFolder } from '@mizzen/testkit';
import { beforeAll, describe, expect, it } from 'vitest';
import { TYPES, casesOf, runCase } from '../testing/agreement.ts';

const folder = peersFolder();

/**
 * How far what the command prints agrees with what istiod sent, leaf by leaf, over recordings that need nothing of later
 * work: the mean over the cases of each type, and the share of cases that agree whole. The floors only ever rise.
 */
const FLOORS = {
  none: { mean: 1, whole: 1 },
  features: { mean: 1, whole: 1 },
  // In one of them the order of five address ranges differs between istiod's own runs.
  samples: { mean: 0.9999, whole: 0.97 },
  tests: { mean: 1, whole: 1 },
} as const;

// The recordings are somebody else's files and no part of this repository.
it.runIf(folder === undefined)('recordings of istiod are absent (MIZZEN_PEERS): agreement was not measured', () => {
  expect(peersFolder()).toBeUndefined();
});

describe.skipIf(folder === undefined)('agreement with istiod', () => {
  describe.each(Object.entries(FLOORS))('%s', (set, floor) => {
    let results: Awaited<ReturnType<typeof measure>>[] = [];
    beforeAll(async () => {
      results = [];
      for (const entry of casesOf(join(folder ?? '', 'istio/xds', set))) results.push(await measure(entry));
    }, 300_000);

    it.each(TYPES)('%s', (type) => {
      const mean = results.reduce((sum, { shares }) => sum + shares[type], 0) / results.length;
      const broken = results.filter(({ shares }) => shares[type] < 1).map(({ id, first }) => ({ id, ...first }));
      expect(mean, JSON.stringify(broken, undefined, 1)).toBeGreaterThanOrEqual(floor.mean);
    });

    it('whole cases', () => {
      const broken = results.filter(({ first }) => first !== undefined);
      const share = 1 - broken.length / results.length;
      expect(share, JSON.stringify(broken, undefined, 1)).toBeGreaterThanOrEqual(floor.whole);
    });
  });
});

async function measure(entry: ReturnType<typeof casesOf>[number]) {
  const nodes = await runCase(entry);
  const shares = Object.fromEntries(
    TYPES.map((type) => {
      const total = nodes.reduce((sum, node) => sum + node[type].total, 0);
      return [type, total === 0 ? 1 : nodes.reduce((sum, node) => sum + node[type].same, 0) / total];
    }),
  ) as Record<(typeof TYPES)[number], number>;
  const differences = nodes.flatMap((node) => TYPES.flatMap((type) => node[type].differences));
  return {
    id: entry.id,
    shares,
    first: differences.find(({ path }) => !entry.varies.some((part) => path.includes(part))),
  };
}
