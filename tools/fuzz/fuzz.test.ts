import { KINDS } from '@mizzen/api';
import { describe, expect, test } from 'vitest';
import { fuzz, inputOf } from './fuzz.ts';
import { TARGETS } from './targets.ts';
import { corpus } from './yaml/corpus.ts';

test('what is thrown, what never comes back and what eats memory is found, once each', async () => {
  const broken = new URL('./broken.ts', import.meta.url).href;
  const { failures } = await fuzz(broken, { seed: 1, milliseconds: 25_000, count: 8, limit: 3000, memory: 64 });
  const kinds = failures.map(({ kind }) => kind.replace(/ \(.*/, ''));
  expect(kinds.filter((kind) => kind.startsWith('TypeError: bad thing'))).toHaveLength(1);
  expect(kinds.some((kind) => kind === 'did not come back within 3000 ms')).toBe(true);
  expect(
    kinds.some((kind) => kind.startsWith('ended its thread: Error: Worker terminated due to reaching memory limit')),
  ).toBe(true);
  const thrown = failures.find(({ kind }) => kind.startsWith('TypeError'))!;
  expect(thrown.input).toEqual({ text: 'throw' });
  expect((await inputOf(broken, 1, thrown.number))['text']).toContain('throw');
});

test('an input depends on seed and number only', async () => {
  for (const target of Object.keys(TARGETS)) {
    expect(await inputOf(target, 7, 3)).toEqual(await inputOf(target, 7, 3));
    expect(await inputOf(target, 7, 3)).not.toEqual(await inputOf(target, 7, 4));
  }
});

test('there is a valid document of every kind to start from', () => {
  const kinds = new Set(corpus().map(({ kind }) => kind));
  const read = Object.entries(KINDS).map(([name, { group, kind = name }]) => `${group}/${kind}`);
  expect(read.filter((each) => !kinds.has(each))).toEqual([]);
});

/** How many inputs at most, so that a faster machine finds nothing in a test that this one does not: `npm run fuzz` is for that. */
const MOST: Readonly<Record<string, number>> = { yaml: 2000, xds: 4000, codec: 100_000 };

describe.each(Object.keys(TARGETS))('%s', (target) => {
  test('stands ten seconds of mutated input', { timeout: 60_000 }, async () => {
    const { inputs, failures } = await fuzz(target, { seed: 20_261_129, milliseconds: 10_000, count: MOST[target] });
    expect(failures).toEqual([]);
    expect(inputs).toBeGreaterThan(20);
  });
});
