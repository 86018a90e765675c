import type { Exemplars } from '../telemetry/exemplars.ts';
import { Bins, type Histogram } from '../telemetry/histogram.ts';

export const QUANTILES = [0, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999, 1];
const PERCENTILES = [0, 25, 50, 75, 90, 95, 99, 99.5, 99.9, 100];

/** `none`: quantiles, as without the parameter. */
export type BucketMode = 'none' | 'cumulative' | 'disjoint' | 'detailed';

/** What is shown of a histogram, or of several that count as one. */
export interface HistogramView {
  readonly name: string;
  readonly interval: Bins;
  readonly total: Bins;
  readonly scale: number;
  /** Upper ends of its buckets. */
  readonly bounds: readonly number[];
  /** Shown where the format has them. */
  readonly exemplars?: Exemplars | undefined;
}

export function viewOf(name: string, parts: readonly Histogram[], bounds: readonly number[]): HistogramView {
  const join = (each: (part: Histogram) => Bins | undefined): Bins => {
    const own = parts.map(each).filter((bins) => bins !== undefined);
    if (own.length === 1) return own[0]!;
    const all = new Bins();
    for (const bins of own) all.addAll(bins);
    return all;
  };
  return {
    name,
    interval: join(({ interval }) => interval),
    total: join(({ total }) => total),
    scale: parts[0]?.scale ?? 1,
    bounds,
  };
}

export function histogramText(view: HistogramView, mode: BucketMode): string {
  const { name, interval, total } = view;
  if (total.count === 0) return `${name}: No recorded values\n`;
  if (mode === 'detailed') {
    const bins = (of: Bins): string =>
      binsOf(of, view)
        .map(({ left, width, count }) => ` ${shortest(left)},${shortest(width)}:${count}`)
        .join(',')
        .trimStart();
    return `${name}:\n  totals=${bins(total)}\n  intervals=${bins(interval)}\n  summary=${summary(view)}\n`;
  }
  if (mode === 'none') return `${name}: ${summary(view)}\n`;
  const [recent, all] = [bucketCounts(interval, view, mode), bucketCounts(total, view, mode)];
  const buckets = view.bounds.map((bound, i) => `B${sixDigits(bound)}(${recent[i]},${all[i]})`);
  return `${name}: ${buckets.join(' ')}\n`;
}

function summary({ interval, total, scale }: HistogramView): string {
  const [recent, all] = [interval.quantiles(QUANTILES), total.quantiles(QUANTILES)];
  const text = (value: number): string => (Number.isNaN(value) ? 'nan' : shortest(value / scale));
  return PERCENTILES.map((percent, i) => `P${percent}(${text(recent[i]!)},${text(all[i]!)})`).join(' ');
}

/** The element that `?format=json` ends with. */
export function histogramsJson(views: readonly HistogramView[], mode: BucketMode): string {
  if (mode === 'cumulative' || mode === 'disjoint')
    return `{"histograms":[${views.map((view) => bucketsJson(view, mode)).join(',')}]}`;
  const quantiles = (view: HistogramView): string => {
    const [recent, all] = [view.interval.quantiles(QUANTILES), view.total.quantiles(QUANTILES)];
    const text = (value: number): string => (Number.isNaN(value) ? 'null' : shortest(value / view.scale));
    return `[${QUANTILES.map((_, i) => `{"cumulative":${text(all[i]!)},"interval":${text(recent[i]!)}}`).join(',')}]`;
  };
  if (mode === 'none') {
    const list = views.map((view) => `{"name":${JSON.stringify(view.name)},"values":${quantiles(view)}}`);
    return `{"histograms":{"supported_quantiles":[${PERCENTILES.join(',')}],"computed_quantiles":[${list.join(',')}]}}`;
  }
  const bins = (of: Bins, view: HistogramView): string =>
    binsOf(of, view)
      .map(({ left, width, count }) => `{"lower_bound":${shortest(left)},"width":${shortest(width)},"count":${count}}`)
      .join(',');
  const list = views.map(
    (view) =>
      `{"name":${JSON.stringify(view.name)},"totals":[${bins(view.total, view)}],` +
      `"intervals":[${bins(view.interval, view)}],"percentiles":${quantiles(view)}}`,
  );
  return `{"histograms":{"supported_percentiles":[${PERCENTILES.join(',')}],"details":[${list.join(',')}]}}`;
}

function bucketsJson(view: HistogramView, mode: 'cumulative' | 'disjoint'): string {
  const [recent, all] = [bucketCounts(view.interval, view, mode), bucketCounts(view.total, view, mode)];
  const buckets = view.bounds.map(
    (bound, i) => `{"upper_bound":${shortest(bound)},"interval":${recent[i]},"cumulative":${all[i]}}`,
  );
  return `{"name":${JSON.stringify(view.name)},"buckets":[${buckets.join(',')}]}`;
}

/** Samples of one histogram in Prometheus' format; `labels` without braces. */
export function prometheusHistogram(
  view: HistogramView,
  name: string,
  labels: string,
  mode: BucketMode | 'summary',
): string {
  const { total, scale } = view;
  const with_ = (more: string): string => `{${labels === '' ? '' : `${labels},`}${more}}`;
  const ends = `${name}_sum{${labels}} ${precise(total.sum / scale)}\n${name}_count{${labels}} ${total.count}\n`;
  if (mode === 'summary') {
    const values = total.quantiles(QUANTILES);
    const lines = QUANTILES.map(
      (share, i) =>
        `${name}${with_(`quantile="${share}"`)} ${Number.isNaN(values[i]!) ? 'nan' : precise(values[i]! / scale)}\n`,
    );
    return lines.join('') + ends;
  }
  const counts = bucketCounts(total, view, 'cumulative');
  const bucket = (bound: string, count: number | undefined, from: number, to: number): string =>
    `${name}_bucket${with_(`le="${bound}"`)} ${count}${exemplarText(view.exemplars, from, to)}\n`;
  const lines = view.bounds.map((bound, i) => bucket(precise(bound), counts[i], view.bounds[i - 1] ?? -1, bound));
  return lines.join('') + bucket('+Inf', total.count, view.bounds.at(-1) ?? -1, Infinity) + ends;
}

/** As OpenMetrics has it behind a bucket. */
function exemplarText(exemplars: Exemplars | undefined, from: number, to: number): string {
  const exemplar = exemplars?.between(from, to);
  if (exemplar === undefined) return '';
  const { traceId, spanId, value, wall } = exemplar;
  return ` # {trace_id="${traceId}",span_id="${spanId}"} ${value} ${wall / 1000}`;
}

function bucketCounts(bins: Bins, { bounds, scale }: HistogramView, mode: 'cumulative' | 'disjoint'): number[] {
  const below = bounds.map((bound) => bins.upTo(bound * scale));
  return mode === 'cumulative' ? below : below.map((count, i) => count - (below[i - 1] ?? 0));
}

function binsOf(bins: Bins, { scale }: HistogramView): { left: number; width: number; count: number }[] {
  // Bounds have two digits that count, or three; what floating-point numbers add to them is not shown.
  const exact = (value: number): number => Number((value / scale).toPrecision(12));
  return [...bins.bins()].map(({ left, width, count }) => ({ left: exact(left), width: exact(width), count }));
}

/** The shortest text that is this number, plain where that is as short: `0.1`, `60000`, `3e+05`. */
function shortest(value: number): string {
  const plain = String(value);
  const [digits = '', exponent = ''] = value.toExponential().split('e');
  const power = `${exponent[0]}${exponent.slice(1).padStart(2, '0')}`;
  const scientific = `${digits}e${power}`;
  return plain.includes('e') || scientific.length < plain.length ? scientific : plain;
}

/** As C's `%g`. */
function sixDigits(value: number): string {
  const [digits = '', exponent = '0'] = value.toExponential(5).split('e');
  const power = Number(exponent);
  if (power >= -4 && power < 6) return String(Number(value.toPrecision(6)));
  return `${String(Number(digits))}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
}

/** As C's `%.32g`, for numbers of an ordinary size. */
function precise(value: number): string {
  const text = value.toPrecision(32);
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}
