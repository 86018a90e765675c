import { expect, test } from 'vitest';
import type { Outcome } from '../client/types.ts';
import { seeded } from '../deps.ts';
import { readPlan } from '../scenario/read.ts';
import { Run } from './run.ts';

/** Time that stands still until it is moved. */
class ManualClock {
  time = 0;
  readonly timers = new Set<{ readonly at: number; readonly fn: () => void }>();
  now = (): number => this.time;
  wall = (): number => this.time;
  after = (ms: number, fn: () => void): (() => void) => {
    const timer = { at: this.time + ms, fn };
    this.timers.add(timer);
    return () => void this.timers.delete(timer);
  };

  /** Runs what is due now. */
  fire(): void {
    for (const timer of this.timers) {
      if (timer.at <= this.time && this.timers.delete(timer)) timer.fn();
    }
  }
}

const ANSWERED: Outcome = {
  answer: { status: '200', ok: true, headers: {}, body: Buffer.alloc(0) },
  error: undefined,
  aborted: false,
  sent: true,
  bytesIn: 0,
  bytesOut: 0,
};

/** Ten arrivals in a second, and what answers the requests under way. */
function manual(concurrency: number) {
  const clock = new ManualClock();
  const open: (() => void)[] = [];
  const run = new Run({
    mode: 'balanced',
    profile: [{ seconds: 1, from: 10, to: 10 }],
    arrival: 'constant',
    concurrency,
    backlog: 3,
    scenarios: readPlan('a', 'scenarios: { a: { steps: [{ url: "http://127.0.0.1/" }] } }').plan!.scenarios,
    target: undefined,
    clock,
    random: seeded(1),
    client: () => ({
      send: () => new Promise((resolve) => open.push(() => resolve(ANSWERED))),
      close: () => Promise.resolve(),
    }),
  });
  const answer = async (): Promise<void> => {
    for (const each of open.splice(0)) each();
    await new Promise<void>((resolve) => void setImmediate(resolve));
  };
  return { clock, run, open, answer };
}

test('an answer that comes after the time is over does not end a run that has arrivals left', async () => {
  const { clock, run, open, answer } = manual(20);
  const done = run.start();
  expect(open).toHaveLength(1);
  // The timer is late: the time is over before the other nine have begun.
  clock.time = 1000;
  await answer();
  clock.fire();
  expect(open).toHaveLength(9);
  await answer();
  await done;
  expect(run.arrivals).toEqual({ due: 10, started: 10, completed: 10, late: 9, dropped: 0 });
  // They were due from 100 to 900 ms and answered at 1000.
  expect(run.total.latency.maxValue / 1000).toBeCloseTo(1000, -1);
  expect(run.total.latency.getValueAtPercentile(50) / 1000).toBeCloseTo(500, -1);
});

test('whoever waits is measured from when it was due, and what finds no place to wait is dropped', async () => {
  const { clock, run, open, answer } = manual(1);
  const done = run.start();
  for (clock.time = 0; clock.time <= 1000; clock.time += 50) clock.fire();
  // One under way, three wait, six did not find a place.
  expect(run.arrivals).toMatchObject({ due: 10, started: 1, dropped: 6 });
  expect(run.waiting).toBe(3);
  clock.time = 2000;
  for (let i = 0; i < 4; i++) await answer();
  await done;
  expect(open).toHaveLength(0);
  expect(run.arrivals).toEqual({ due: 10, started: 4, completed: 4, late: 3, dropped: 6 });
  // Due at 0, 100, 200 and 300; answered at 2000.
  expect(run.total.latency.minNonZeroValue / 1000).toBeCloseTo(1700, -1);
});
