/** Traces beside real Envoy: which requests leave spans, what is in them, and what is told on. */
import { beforeAll, expect, test } from 'vitest';
import { observeTraces, type TraceSeen } from './testing/beside.ts';
import { CASES } from './testing/cases.ts';

let seen: { theirs: TraceSeen; ours: TraceSeen };
beforeAll(async () => {
  seen = await observeTraces(CASES);
}, 240_000);

test.each(CASES.map(({ name }) => name))('as Envoy: %s', (name) => {
  expect(seen.ours.answers[name]).toEqual(seen.theirs.answers[name]);
});

test('counters as Envoy has them', () => {
  expect(seen.ours.stats).toEqual(seen.theirs.stats);
});
