import { expect, test } from 'vitest';
import type { Result } from './report/result.ts';
import { realClock } from './testing/clock.ts';
import { loadOf } from './testing/load.ts';
import { startTarget } from './testing/target.ts';

const plan = (url: string, timeout = '10s'): string =>
  `{ target: "${url}", timeout: ${timeout}, scenarios: { a: { steps: [{ url: / }] } } }`;

async function run(load: ReturnType<typeof loadOf>): Promise<Result> {
  await load.prepare();
  return load.start();
}

test('a server that stalls for a second shows a second’s worth of slow requests', async () => {
  let began: number | undefined;
  const target = await startTarget((_request, response) => {
    const at = performance.now() - (began ??= performance.now());
    // Nothing is answered between 0.5 s and 1.5 s after the first request.
    realClock.after(at > 500 && at < 1500 ? 1500 - at : 0, () => response.end());
  });
  const { requests, arrivals } = await run(loadOf(plan(target.url), { rate: 60, seconds: 2, concurrency: 15 }));
  target.close();
  expect(arrivals).toMatchObject({ due: 120, completed: 120, dropped: 0 });
  // With fifteen at a time a closed loop would have seen fifteen slow ones; half of the requests were due meanwhile.
  expect(requests.latency!.p50).toBeGreaterThan(5);
  expect(requests.latency!.p75).toBeGreaterThan(200);
  expect(arrivals.late).toBeGreaterThan(30);
});

test('what cannot wait any more is dropped and counted', async () => {
  const target = await startTarget((_request, response) => realClock.after(400, () => response.end()));
  const load = loadOf(plan(target.url, '2s'), { rate: 200, seconds: 1, concurrency: 2 });
  const { requests, arrivals } = await run(load);
  target.close();
  expect(arrivals.due).toBe(200);
  expect(arrivals.started + arrivals.dropped).toBe(200);
  // Twenty may wait, two are under way, and some have ended.
  expect(arrivals.dropped).toBeGreaterThan(150);
  expect(requests.sent).toBe(arrivals.started);
});

test('a stopped run is over within its second, and what was under way is cancelled', async () => {
  let asked = 0;
  const target = await startTarget(() => {
    if (++asked === 8) load.run.stop('interrupted');
  });
  const load = loadOf(plan(target.url), { rate: 20, seconds: 60 });
  await load.prepare();
  const began = performance.now();
  const { requests, ending, ok } = await load.start();
  target.close();
  // Of sixty seconds.
  expect(performance.now() - began).toBeLessThan(30_000);
  expect({ ending, ok }).toEqual({ ending: 'interrupted', ok: true });
  expect(requests).toMatchObject({ ended: 0, errors: 0, cancelled: requests.sent });
  expect(requests.sent).toBeGreaterThanOrEqual(8);
});

test('stress ends with the step that breaks, and says which rate held', async () => {
  let before = 0;
  const target = await startTarget((_request, response) => {
    // Overwhelmed by more than about 60 a second: one every 16 ms and none earlier.
    before = Math.max(performance.now(), before + 16);
    realClock.after(Math.max(0, before - performance.now()), () => response.end());
  });
  const options = { mode: 'stress', rate: 10, peak: 190, seconds: 10 } as const;
  const { stress, ending, ok } = await run(loadOf(plan(target.url, '2s'), { ...options, concurrency: 20 }));
  target.close();
  expect(ending).toBe('thresholds');
  expect(stress!.held).toBeGreaterThanOrEqual(10);
  expect(stress!.broke).toBeGreaterThan(stress!.held);
  expect(stress!.steps.at(-1)!.thresholds.some((each) => !each.ok)).toBe(true);
  // Its own limits are there to be found.
  expect(ok).toBe(true);
});
