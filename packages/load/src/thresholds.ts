import { milliseconds } from './duration.ts';

/** `[SCENARIO[/STEP]:]METRIC OPERATOR VALUE`, e.g. `p99<200ms`, `checkout/pay:errors<1%`. */
export interface Threshold {
  readonly expression: string;
  /** Empty: of everything. */
  readonly of: string;
  readonly metric: Metric;
  readonly operator: '<' | '<=' | '>' | '>=' | '==';
  /** Milliseconds, a fraction for `%`, else as it is. */
  readonly value: number;
  readonly unit: 'ms' | '%' | '';
}

export type Metric =
  | { readonly kind: 'percentile'; readonly percentile: number }
  | { readonly kind: 'latency'; readonly name: 'min' | 'mean' | 'max' }
  | { readonly kind: 'rate' }
  | { readonly kind: 'count'; readonly name: Count }
  | { readonly kind: 'status'; readonly status: string };
const COUNTS = ['requests', 'errors', 'dropped', 'late', 'aborted'] as const;
export type Count = (typeof COUNTS)[number];

/** What a threshold is compared with. */
export interface Measured {
  /** Requests that came to an end. */
  readonly requests: number;
  readonly perSecond: number;
  count(name: Count): number;
  /** What a count is a part of, for `%`. */
  whole(name: Count): number;
  status(status: string): number;
  /** Milliseconds; undefined when nothing was measured. */
  percentile(percentile: number): number | undefined;
  latency(name: 'min' | 'mean' | 'max'): number | undefined;
}

export interface Verdict {
  readonly expression: string;
  /** In the threshold's unit: milliseconds, percent, or a number; null when nothing was measured. */
  readonly value: number | null;
  readonly unit: 'ms' | '%' | '';
  readonly ok: boolean;
}

/** A threshold, or what is wrong with the text. */
export function parseThreshold(text: string): Threshold | string {
  const match =
    /^\s*(?:(.+):)?\s*([a-z]+(?:\d+(?:\.\d+)?)?(?:\([1-5][\dx]{2}\)|\([A-Z_]+\))?)\s*(<=|>=|==|<|>)\s*(\S+)\s*$/.exec(
      text,
    );
  if (match === null) return `\`${text}\` is not a threshold such as p99<200ms or errors<1%`;
  const [, of = '', name = '', operator, written = ''] = match;
  const metric = metricOf(name);
  if (metric === undefined)
    return `\`${name}\` is none of p50 … p99.99, min, mean, max, rate, ${COUNTS.join(', ')}, status(5xx)`;
  const value = valueOf(metric, written);
  if (value === undefined) {
    const wanted = isLatency(metric)
      ? 'a duration such as 200ms'
      : metric.kind === 'rate'
        ? 'a number'
        : 'a number or a percentage such as 1%';
    return `\`${written}\` is not ${wanted}`;
  }
  return { expression: text.trim(), of, metric, operator: operator as Threshold['operator'], ...value };
}

function metricOf(name: string): Metric | undefined {
  const percentile = /^p(\d{1,2}(?:\.\d+)?)$/.exec(name);
  if (percentile !== null) return { kind: 'percentile', percentile: Number(percentile[1]) };
  const status = /^status\((.+)\)$/.exec(name);
  if (status !== null) return { kind: 'status', status: status[1]! };
  if (name === 'min' || name === 'mean' || name === 'max') return { kind: 'latency', name };
  if (name === 'rate') return { kind: 'rate' };
  const count = COUNTS.find((each) => each === name);
  return count === undefined ? undefined : { kind: 'count', name: count };
}

function isLatency({ kind }: Metric): boolean {
  return kind === 'percentile' || kind === 'latency';
}

function valueOf(metric: Metric, text: string): { value: number; unit: Threshold['unit'] } | undefined {
  if (isLatency(metric)) {
    // Without a unit a number could be seconds or milliseconds, so there must be one.
    const ms = /\d$/.test(text) ? undefined : milliseconds(text);
    return ms === undefined ? undefined : { value: ms, unit: 'ms' };
  }
  const [, number, percent] = /^(\d+(?:\.\d+)?)(%?)$/.exec(text) ?? [];
  if (number === undefined || (percent === '%' && metric.kind === 'rate')) return undefined;
  return percent === '%' ? { value: Number(number) / 100, unit: '%' } : { value: Number(number), unit: '' };
}

export function judge(
  { expression, metric, operator, value: limit, unit }: Threshold,
  measured: Measured | undefined,
): Verdict {
  const value = measured === undefined ? undefined : measure(metric, unit, measured);
  const ok = value !== undefined && holds(value, operator, limit);
  return { expression, value: value === undefined ? null : unit === '%' ? value * 100 : value, unit, ok };
}

function measure(metric: Metric, unit: Threshold['unit'], measured: Measured): number | undefined {
  switch (metric.kind) {
    case 'percentile':
      return measured.percentile(metric.percentile);
    case 'latency':
      return measured.latency(metric.name);
    case 'rate':
      return measured.perSecond;
    case 'status':
      return part(measured.status(metric.status), measured.requests, unit);
    case 'count':
      return part(measured.count(metric.name), measured.whole(metric.name), unit);
  }
}

function part(count: number, whole: number, unit: Threshold['unit']): number | undefined {
  if (unit !== '%') return count;
  return whole === 0 ? undefined : count / whole;
}

function holds(value: number, operator: Threshold['operator'], limit: number): boolean {
  if (operator === '<') return value < limit;
  if (operator === '<=') return value <= limit;
  if (operator === '>') return value > limit;
  if (operator === '>=') return value >= limit;
  return value === limit;
}
