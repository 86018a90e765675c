import { decodeFromCompressedBase64 } from 'hdr-histogram-js';
import { humanMs } from '../duration.ts';
import { chartOf, PLOT, type Line } from './chart.ts';
import type { Point, Result } from './result.ts';
import { linear, logarithmic, type Scale } from './scale.ts';

/** The charts of a report, in their order. */
export function chartsOf(result: Result): readonly string[] {
  const { points } = result.series;
  if (points.length === 0) return [];
  return [
    ratesOf(result),
    ...(result.requests.latency === null ? [] : [latenciesOf(result), distributionOf(result)]),
    underWayOf(result),
  ];
}

function ratesOf({ series: { points, everySeconds } }: Result): string {
  const each = (name: string, color: Line['color'], count: (point: Point) => number, dashed?: true): Line => ({
    name,
    color,
    ...(dashed === undefined ? {} : { dashed }),
    points: points.map((point) => {
      const y = count(point) / everySeconds;
      return { x: point.at, y, title: `${name}: ${number(y)} a second at ${clock(point.at)}` };
    }),
  });
  const most = Math.max(...points.map(({ due, ended }) => Math.max(due, ended))) / everySeconds;
  return chartOf({
    title: 'Requests a second',
    description: `at most ${number(most)}`,
    x: time(points),
    y: linear(most, PLOT.height),
    xLabel: clock,
    yLabel: number,
    lines: [
      each('scenarios due', 4, ({ due }) => due, true),
      each('requests ended', 1, ({ ended }) => ended),
      each('errors', 3, ({ errors }) => errors),
    ],
  });
}

function latenciesOf({ series: { points } }: Result): string {
  const values = points.flatMap(({ p50, p99 }) => [p50, p99]).filter((value) => value !== null);
  const each = (name: 'p50' | 'p95' | 'p99', color: Line['color']): Line => ({
    name,
    color,
    points: points.map((point) => {
      const y = point[name];
      return { x: point.at, y, title: y === null ? '' : `${name}: ${humanMs(y)} at ${clock(point.at)}` };
    }),
  });
  return chartOf({
    title: 'Latency over time',
    description: `p99 at most ${humanMs(Math.max(...values))}; the scale is logarithmic`,
    x: time(points),
    y: logarithmic(Math.min(...values), Math.max(...values), PLOT.height),
    xLabel: clock,
    yLabel: humanMs,
    lines: [each('p50', 1), each('p95', 2), each('p99', 3)],
  });
}

/** Latency by percentile, the last ones drawn wide as they matter most. */
function distributionOf({ histogram, requests }: Result): string {
  const all = decodeFromCompressedBase64(histogram);
  const nines = requests.answered >= 10_000 ? 4 : requests.answered >= 1000 ? 3 : 2;
  // Equal steps of 1/(1-p): 90 %, 99 %, 99.9 % are equally far from each other.
  const steps = Array.from({ length: nines * 20 + 1 }, (_, i) => i / 20);
  const points = steps.map((x) => {
    const percent = 100 * (1 - 10 ** -x);
    const y = Math.min(percent === 0 ? all.minNonZeroValue : all.getValueAtPercentile(percent), all.maxValue) / 1000;
    return { x, y, title: `${percentText(x)} within ${humanMs(y)}` };
  });
  return chartOf({
    title: 'Latency by percentile',
    description: points
      .filter(({ x }) => Number.isInteger(x) && x > 0)
      .map(({ title }) => title)
      .join(', '),
    x: { ticks: steps.filter(Number.isInteger), at: (value) => (value / nines) * PLOT.width },
    y: linear(Math.max(...points.map(({ y }) => y)), PLOT.height),
    xLabel: percentText,
    yLabel: humanMs,
    lines: [{ name: 'latency', color: 1, points }],
  });
}

function underWayOf({ series: { points } }: Result): string {
  const most = Math.max(...points.map(({ inFlight }) => inFlight));
  return chartOf({
    title: 'Requests under way',
    description: `at most ${most}`,
    x: time(points),
    y: linear(most, PLOT.height),
    xLabel: clock,
    yLabel: number,
    lines: [
      {
        name: 'most at once',
        color: 2,
        points: points.map(({ at, inFlight }) => ({
          x: at,
          y: inFlight,
          title: `${inFlight} under way at ${clock(at)}`,
        })),
      },
    ],
  });
}

function time(points: readonly Point[]): Scale {
  const last = points.at(-1)?.at ?? 0;
  const most = Math.max(1, last);
  return { ticks: linear(most, 1, 6).ticks, at: (value) => (value / most) * PLOT.width };
}

function clock(seconds: number): string {
  if (seconds < 120) return `${number(seconds)} s`;
  if (seconds < 7200) return `${number(seconds / 60)} min`;
  return `${number(seconds / 3600)} h`;
}

function percentText(nines: number): string {
  return `${Number((100 * (1 - 10 ** -nines)).toFixed(Math.max(0, Math.ceil(nines) - 1)))} %`;
}

function number(value: number): string {
  return String(Number(value.toFixed(value < 10 ? 2 : 0)));
}
