import { expect, test } from 'vitest';
import { judge, parseThreshold, type Threshold } from './thresholds.ts';
import { measured, Tally } from './stats/tally.ts';

const answer = (status: string): Parameters<Tally['record']>[0] => ({
  answer: { status, ok: status < '400', headers: {}, body: Buffer.alloc(0) },
  error: undefined,
  aborted: false,
  sent: true,
  bytesIn: 0,
  bytesOut: 0,
});

function verdicts(...texts: string[]): readonly (readonly [number | null, boolean])[] {
  const tally = new Tally();
  for (let ms = 1; ms <= 100; ms++) tally.record(answer(ms <= 98 ? '200' : '503'), ms, ms <= 98 ? [] : ['status 503']);
  const all = measured(tally, { due: 200, started: 100, completed: 98, late: 5, dropped: 100 }, 10);
  return texts.map((text) => {
    const threshold = parseThreshold(text);
    if (typeof threshold === 'string') throw new Error(threshold);
    const { value, ok } = judge(threshold, all);
    return [value, ok];
  });
}

test('thresholds of every kind', () => {
  expect(verdicts('p50<=50.1ms', 'p99<0.05s', 'max<1s', 'min>=1ms').map(([, ok]) => ok)).toEqual([
    true,
    false,
    true,
    true,
  ]);
  expect(verdicts('errors<1%', 'errors<=2', 'status(5xx)<=2%', 'status(200)>97%')).toEqual([
    [2, false],
    [2, true],
    [2, true],
    [98, true],
  ]);
  expect(verdicts('rate>=10', 'dropped<1%', 'late<=5', 'requests==100')).toEqual([
    [10, true],
    [50, false],
    [5, true],
    [100, true],
  ]);
});

test('what was not measured holds no threshold', () => {
  const threshold = parseThreshold('p99<1s') as Threshold;
  const nothing = measured(new Tally(), { due: 0, started: 0, completed: 0, late: 0, dropped: 0 }, 1);
  expect(judge(threshold, nothing)).toMatchObject({ value: null, ok: false });
  expect(judge(parseThreshold('errors<1%') as Threshold, nothing)).toMatchObject({ value: null, ok: false });
});

test('of a step, and what is wrong with others', () => {
  expect(parseThreshold('buy/2 POST /orders:p95 < 300ms')).toMatchObject({ of: 'buy/2 POST /orders', value: 300 });
  expect(parseThreshold('p99<200')).toBe('`200` is not a duration such as 200ms');
  expect(parseThreshold('p100<2s')).toMatch(/^`p100` is none of /);
  expect(parseThreshold('speed<2s')).toMatch(/^`speed` is none of /);
  expect(parseThreshold('rate>10%')).toBe('`10%` is not a number');
  expect(parseThreshold('p99')).toMatch(/is not a threshold/);
});
