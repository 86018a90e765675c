import { expect, test } from 'vitest';
import { BackOff, CRASH_LOOP } from './backoff.ts';
import { VirtualClock } from './testing/virtual-clock.ts';

test('restarts wait as in Kubernetes: at once, then 10 s doubling to 5 minutes', () => {
  const backOff = new BackOff(new VirtualClock(), CRASH_LOOP);
  const delays = Array.from({ length: 9 }, () => backOff.next() / 1000);
  expect(delays).toEqual([0, 10, 20, 40, 80, 160, 300, 300, 300]);
});

test('ten minutes of running reset the back-off; less does not', async () => {
  const clock = new VirtualClock();
  const backOff = new BackOff(clock, CRASH_LOOP);
  for (let i = 0; i < 4; i++) backOff.next();
  backOff.started();
  await clock.advance(599_000);
  expect(backOff.next()).toBe(80_000);
  backOff.started();
  await clock.advance(600_000);
  expect(backOff.next()).toBe(0);
  backOff.started();
  expect(backOff.next()).toBe(10_000);
});
