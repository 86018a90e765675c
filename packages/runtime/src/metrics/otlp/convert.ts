import type { Family, Sample } from './families.ts';

/** OTLP as JSON (opentelemetry.proto.metrics.v1): 64-bit numbers are texts, enumerations numbers. */
export interface OtlpMetric {
  readonly name: string;
  readonly description?: string;
  readonly sum?: {
    readonly dataPoints: readonly object[];
    readonly aggregationTemporality: 2;
    readonly isMonotonic: true;
  };
  readonly gauge?: { readonly dataPoints: readonly object[] };
  readonly histogram?: { readonly dataPoints: readonly object[]; readonly aggregationTemporality: 2 };
  readonly summary?: { readonly dataPoints: readonly object[] };
}

/** Since whatever it was that began to count: Prometheus does not say when. */
const CUMULATIVE = 2;

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue: string };
}

/** Nothing where there are none. */
export function attributesOf(labels: Iterable<readonly [string, string]>): { readonly attributes?: Attribute[] } {
  const attributes = [...labels].map(([key, stringValue]) => ({ key, value: { stringValue } }));
  return attributes.length === 0 ? {} : { attributes };
}

/** `wall`: milliseconds since the epoch. */
export function toOtlp(families: readonly Family[], wall: number): OtlpMetric[] {
  const timeUnixNano = `${Math.round(wall)}000000`;
  return families.map(({ name, type, help, samples }) => {
    const about = help === '' ? { name } : { name, description: help };
    if (type === 'histogram') {
      const dataPoints = pointsOf(samples, 'le').map((points) => histogramPoint(points, timeUnixNano));
      return { ...about, histogram: { dataPoints, aggregationTemporality: CUMULATIVE } };
    }
    if (type === 'summary') {
      const dataPoints = pointsOf(samples, 'quantile').map((points) => summaryPoint(points, timeUnixNano));
      return { ...about, summary: { dataPoints } };
    }
    const dataPoints = samples.map(({ labels, value }) => ({
      ...attributesOf(labels),
      timeUnixNano,
      asDouble: double(value),
    }));
    if (type !== 'counter') return { ...about, gauge: { dataPoints } };
    return { ...about, sum: { dataPoints, aggregationTemporality: CUMULATIVE, isMonotonic: true } };
  });
}

interface Points {
  readonly labels: Sample['labels'];
  /** By bound or by share. */
  readonly parts: (readonly [at: number, value: number])[];
  sum: number;
  count: number;
}

/** Samples of one histogram or summary each, by what labels they have besides. */
function pointsOf(samples: readonly Sample[], label: string): Points[] {
  const all = new Map<string, Points>();
  for (const { name, labels, value } of samples) {
    const rest = labels.filter(([key]) => key !== label);
    const key = JSON.stringify(rest);
    let points = all.get(key);
    if (points === undefined) all.set(key, (points = { labels: rest, parts: [], sum: 0, count: 0 }));
    const at = labels.find(([key]) => key === label)?.[1];
    if (at !== undefined) points.parts.push([/Inf/i.test(at) ? Infinity : Number(at), value]);
    else if (name.endsWith('_sum')) points.sum = value;
    else if (name.endsWith('_count')) points.count = value;
  }
  return [...all.values()];
}

function histogramPoint({ labels, parts, sum, count }: Points, timeUnixNano: string): object {
  const finite = parts.filter(([bound]) => bound !== Infinity).toSorted(([a], [b]) => a - b);
  let below = 0;
  const counts = finite.map(([, upTo]) => {
    const own = upTo - below;
    below = Math.max(below, upTo);
    return whole(own);
  });
  return {
    ...attributesOf(labels),
    timeUnixNano,
    count: whole(count),
    sum: double(sum),
    bucketCounts: [...counts, whole(count - below)],
    explicitBounds: finite.map(([bound]) => bound),
  };
}

function summaryPoint({ labels, parts, sum, count }: Points, timeUnixNano: string): object {
  const quantileValues = parts.map(([quantile, value]) => ({ quantile, value: double(value) }));
  return { ...attributesOf(labels), timeUnixNano, count: whole(count), sum: double(sum), quantileValues };
}

/** A number of 64 bits, whatever an application says: a receiver would take nothing of a report with another. */
function whole(count: number): string {
  const rounded = Math.round(count);
  return rounded > 0 ? BigInt(Math.min(rounded, Number.MAX_SAFE_INTEGER)).toString() : '0';
}

/** As JSON of protobuf has what JSON has not. */
function double(value: number): number | string {
  if (Number.isFinite(value)) return value;
  return Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity';
}
