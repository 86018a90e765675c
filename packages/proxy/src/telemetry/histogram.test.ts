import { expect, test } from 'vitest';
import { Histogram } from './histogram.ts';

const recorded = (...values: number[]): Histogram => {
  const histogram = new Histogram();
  for (const value of values) histogram.record(value);
  histogram.flush();
  return histogram;
};

test('values fall into buckets of two digits', () => {
  const bins = [...recorded(0, 1, 5, 9, 10, 99, 100, 205, 1234567).total!.bins()];
  expect(bins.map(({ left, width }) => [left, Number(width.toFixed(1))])).toEqual([
    [0, 0],
    [1, 0.1],
    [5, 0.1],
    [9, 0.1],
    [10, 1],
    [99, 1],
    [100, 10],
    [200, 10],
    [1200000, 100000],
  ]);
});

test('values of a bucket are taken to be spread in it', () => {
  expect(recorded(13).total!.quantiles([0, 0.5, 1])).toEqual([13.5, 13.5, 13.5]);
  const three = recorded(1, 1, 5).total!.quantiles([0, 0.25, 0.5, 0.75, 1]);
  expect(three.map((value) => value.toFixed(4))).toEqual(['1.0333', '1.0333', '1.0667', '5.0500', '5.0500']);
  expect(recorded().total).toBeUndefined();
});

test('what is recorded shows with the next flush, and the interval only until the one after', () => {
  const histogram = new Histogram();
  histogram.record(3);
  expect(histogram.total).toBeUndefined();
  histogram.flush();
  histogram.record(4);
  histogram.record(4);
  expect([histogram.interval!.count, histogram.total!.count]).toEqual([1, 1]);
  histogram.flush();
  expect([histogram.interval!.count, histogram.total!.count]).toEqual([2, 3]);
  histogram.flush();
  expect([histogram.interval!.count, histogram.total!.count]).toEqual([0, 3]);
  histogram.record(5);
  histogram.flush();
  expect([histogram.interval!.count, histogram.total!.count]).toEqual([1, 4]);
});

test('a bucket counts to the bound that lies in it', () => {
  const { total } = recorded(0, 1, 255, 260);
  expect([0.5, 1, 250, 500].map((bound) => total!.upTo(bound))).toEqual([1, 2, 3, 4]);
});
