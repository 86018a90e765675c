import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test, vi } from 'vitest';
import { CompileContext } from '../program/context.ts';
import { testDeps } from '../program/testing/deps.ts';
import { ManualClock } from './testing/manual-clock.ts';
import { sharedBucket, sharedBuckets, type TokenBucket } from './token-bucket.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

test('shared buckets that no filter uses any more are forgotten', async () => {
  const clock = new ManualClock();
  const share = (name: string, maxTokens: number): TokenBucket =>
    sharedBucket(
      new CompileContext('t', 'l', { ...testDeps, clock }),
      name,
      { maxTokens, tokensPerFill: 1, fillInterval: '60s' },
      [],
    );
  const kept = share('kept', 1);
  for (let i = 0; i < 100; i++) share(`changed-${i}`, 1);
  expect(sharedBuckets(clock)).toBe(101);
  await vi.waitFor(
    () => {
      collect();
      expect(sharedBuckets(clock)).toBe(1);
    },
    { timeout: 30_000 },
  );
  expect(share('kept', 1)).toBe(kept);
  expect(share('kept', 2)).not.toBe(kept);
});
