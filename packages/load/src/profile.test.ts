import { expect, test } from 'vitest';
import { seeded } from './deps.ts';
import { profileOf } from './modes.ts';
import { arrivals, rateAt, secondsOf } from './profile.ts';

test('a constant rate has as many arrivals as its time says, evenly', () => {
  const times = [...arrivals([{ seconds: 60, from: 10, to: 10 }], 'constant', seeded(1))];
  expect(times).toHaveLength(600);
  expect(times.slice(0, 3)).toEqual([0, 100, 200]);
  expect(times.at(-1)).toBeCloseTo(59_900);
});

test('a rising rate has the area below it', () => {
  const times = [...arrivals([{ seconds: 10, from: 0, to: 100 }], 'constant', seeded(1))];
  expect(times).toHaveLength(500);
  // A quarter of the arrivals come in the first half of the time.
  expect(times.filter((at) => at < 5000)).toHaveLength(125);
});

test('Poisson arrivals: mean and variance of the counts a second agree with the rate', () => {
  const times = [...arrivals([{ seconds: 2000, from: 20, to: 20 }], 'poisson', seeded(7))];
  const counts = Array.from({ length: 2000 }, () => 0);
  for (const at of times) counts[Math.floor(at / 1000)]!++;
  const mean = times.length / 2000;
  const variance = counts.reduce((sum, count) => sum + (count - mean) ** 2, 0) / 2000;
  expect(mean).toBeGreaterThan(19.5);
  expect(mean).toBeLessThan(20.5);
  expect(variance / mean).toBeGreaterThan(0.9);
  expect(variance / mean).toBeLessThan(1.1);
});

test('modes keep to their time, and reach their peak', () => {
  for (const mode of ['balanced', 'spike', 'stress', 'soak', 'chaos'] as const) {
    expect(secondsOf(profileOf(mode, 60, 10, 50))).toBeCloseTo(60);
  }
  const spike = profileOf('spike', 100, 10, 50);
  expect([0, 18, 45, 55, 99].map((at) => rateAt(spike, at))).toEqual([10, 50, 50, 10, 10]);
  expect(profileOf('stress', 100, 10, 100).map(({ to }) => to)).toEqual([10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
});
