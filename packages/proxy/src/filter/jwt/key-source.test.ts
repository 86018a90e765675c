import { expect, test } from 'vitest';
import { testDeps } from '../../program/testing/deps.ts';
import { remoteKeys } from './key-source.ts';
import { Status } from './status.ts';

test('no try begins once the time for all of them is over', async () => {
  let now = 0;
  const timeouts: number[] = [];
  const counter = (): { value: number } => ({ value: 0 });
  const keys = remoteKeys(
    {
      cluster: 'keys',
      uri: 'http://keys/',
      timeout: 100,
      cacheDuration: 1000,
      inBackground: false,
      failedRefetch: 1000,
      retries: 5,
      backOff: { base: 99, max: 99 },
      counters: { success: counter(), failed: counter(), missed: counter(), hit: counter() },
    },
    {
      ...testDeps,
      random: { ...testDeps.random, float: () => 0.99 },
      clock: {
        ...testDeps.clock,
        now: () => now,
        after(ms, fn) {
          // Late, as timers are.
          now += ms + 8;
          fn();
          return { cancel: () => undefined };
        },
      },
      fetch({ timeout }) {
        timeouts.push(timeout);
        return Promise.reject(new Error('nobody there'));
      },
    },
  );
  expect(await keys.keys()).toBe(Status.FetchFail);
  expect(timeouts).toEqual([99]);
});
