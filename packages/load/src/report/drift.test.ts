import { expect, test } from 'vitest';
import { seeded } from '../deps.ts';
import { Series } from '../stats/series.ts';
import { driftOf, trend } from './drift.ts';

/** Ten minutes of 20 requests a second, of a latency and a share of errors that depend on the time (0 to 1). */
function series(latency: (time: number) => number, errors: (time: number) => number): Series {
  const made = new Series(600);
  const random = seeded(3);
  for (let at = 0; at < 600; at++) {
    for (let i = 0; i < 20; i++) {
      const interval = made.at(at * 1000);
      interval.ended++;
      if (random.float() < errors(at / 600)) interval.errors++;
      made.latency(at * 1000, latency(at / 600) * (0.5 + random.float()));
    }
  }
  return made;
}

const drifting = (of: Series): readonly string[] =>
  driftOf(of)!.measures.flatMap((each) => (each.drifting ? [each.name] : []));

test('noise is no drift', () => {
  expect(
    driftOf(
      series(
        () => 20,
        () => 0.01,
      ),
    ),
  ).toMatchObject({ steady: true });
});

test('latency that creeps up is, and errors that do', () => {
  expect(
    drifting(
      series(
        (time) => 20 + 20 * time,
        () => 0,
      ),
    ),
  ).toEqual(['p50', 'p99']);
  expect(
    drifting(
      series(
        () => 20,
        (time) => 0.05 * time,
      ),
    ),
  ).toEqual(['errors']);
  const p50 = driftOf(
    series(
      (time) => 20 + 20 * time,
      () => 0,
    ),
  )!.measures[0]!;
  expect(p50.first).toBeGreaterThan(20);
  expect(p50.last).toBeLessThan(40.5);
  // 20 ms in ten minutes.
  expect(p50.perHour).toBeGreaterThan(100);
  expect(p50.perHour).toBeLessThan(140);
});

test('getting faster is none', () => {
  expect(
    drifting(
      series(
        (time) => 40 - 20 * time,
        () => 0,
      ),
    ),
  ).toEqual([]);
});

test('too little to tell', () => {
  expect(driftOf(new Series(5))).toBeNull();
});

test('Theil-Sen and Mann-Kendall, by a worked example', () => {
  const points = [1, 3, 2, 5, 4, 6].map((y, x) => ({ x, y }));
  const { slope, z } = trend(points);
  // Of the 15 slopes the median; S = 11 of 15, variance 6·5·17/18, continuity-corrected.
  expect(slope).toBeCloseTo(1);
  expect(z).toBeCloseTo(10 / Math.sqrt((6 * 5 * 17) / 18));
});
