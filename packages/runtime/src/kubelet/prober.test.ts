import { expect, test } from 'vitest';
import { Prober, thresholds } from './prober.ts';
import { VirtualClock } from './testing/virtual-clock.ts';

function setUp(probe: Parameters<typeof thresholds>[0], eager: number) {
  const clock = new VirtualClock();
  const state = { ok: false, changes: [] as [number, boolean][], tries: 0 };
  const prober = new Prober({
    ...thresholds(probe),
    clock,
    check: () => {
      state.tries++;
      return Promise.resolve(state.ok ? { ok: true } : { ok: false, reason: 'no' });
    },
    eager: () => eager,
    onChange: (healthy) => state.changes.push([clock.now(), healthy]),
  });
  prober.start();
  return { clock, state, prober };
}

test('an eager probe succeeds as soon as the application does, whatever its period', async () => {
  const { clock, state } = setUp({ periodSeconds: 10, initialDelaySeconds: 5 }, 20);
  await clock.advance(330);
  state.ok = true;
  await clock.advance(30);
  expect(state.changes).toEqual([[340, true]]);
  const tries = state.tries;
  await clock.advance(30_000);
  expect(state.tries - tries).toBe(3);
});

test('after its first success it fails after failureThreshold periods, not before', async () => {
  const { clock, state } = setUp({ periodSeconds: 2, failureThreshold: 3 }, 20);
  state.ok = true;
  await clock.advance(1);
  state.ok = false;
  await clock.advance(5_900);
  expect(state.changes).toEqual([[0, true]]);
  await clock.advance(200);
  expect(state.changes.at(-1)).toEqual([6_000, false]);
});

test('eager tries do not use up the failure threshold of a startup probe', async () => {
  const { clock, state } = setUp({ periodSeconds: 1, failureThreshold: 5 }, 20);
  await clock.advance(3_900);
  expect(state.changes).toEqual([]);
  await clock.advance(1_000);
  expect(state.changes.map(([, healthy]) => healthy)).toEqual([false]);
});

test('a liveness probe waits for its delay and keeps to its period', async () => {
  const { clock, state } = setUp({ initialDelaySeconds: 3, periodSeconds: 5, failureThreshold: 2 }, 0);
  await clock.advance(2_999);
  expect(state.tries).toBe(0);
  await clock.advance(5_001);
  expect(state.tries).toBe(2);
  expect(state.changes).toEqual([[8_000, false]]);
});

test('successThreshold counts successes in a row', async () => {
  const { clock, state } = setUp({ periodSeconds: 1, successThreshold: 3 }, 20);
  state.ok = true;
  await clock.advance(39);
  expect(state.changes).toEqual([]);
  await clock.advance(1);
  expect(state.changes).toEqual([[40, true]]);
});
