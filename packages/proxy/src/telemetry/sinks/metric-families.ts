import type { JsonObject } from '@mizzen/xds';
import { QUANTILES, type HistogramView } from '../../admin/histograms.ts';
import type { MetricsServiceProgram, StatsSnapshot, TagsOf } from './types.ts';

/** Statistics as `io.prometheus.client.MetricFamily`, one each; histograms as what the last interval had. */
export function metricFamilies(
  { wall, counters, gauges, histograms }: StatsSnapshot,
  program: MetricsServiceProgram,
  tagsOf: TagsOf,
): JsonObject[] {
  const timestampMs = String(Math.trunc(wall));
  const family = (fullName: string, type: string, value: JsonObject): JsonObject => {
    if (!program.tagged) return { name: fullName, type, metric: [{ ...value, timestampMs }] };
    const { name, tags } = tagsOf(fullName);
    const label = tags.map((tag) => ({ name: tag.name, value: tag.value }));
    return { name, type, metric: [{ label, ...value, timestampMs }] };
  };
  return [
    ...counters.map(({ name, value, delta }) =>
      family(name, 'COUNTER', { counter: { value: program.deltas ? delta : value } }),
    ),
    ...gauges.map(({ name, value }) => family(name, 'GAUGE', { gauge: { value: Number(value) } })),
    ...histograms.flatMap((view) => [
      ...(program.summaries ? [family(view.name, 'SUMMARY', { summary: summary(view) })] : []),
      ...(program.histograms ? [family(view.name, 'HISTOGRAM', { histogram: buckets(view) })] : []),
    ]),
  ];
}

function summary({ interval, scale }: HistogramView): JsonObject {
  const values = interval.quantiles(QUANTILES);
  return {
    sampleCount: String(interval.count),
    sampleSum: interval.sum / scale,
    quantile: QUANTILES.map((quantile, i) => ({ quantile, value: json(values[i]! / scale) })),
  };
}

function buckets({ interval, scale, bounds }: HistogramView): JsonObject {
  return {
    sampleCount: String(interval.count),
    sampleSum: interval.sum / scale,
    bucket: bounds.map((bound) => ({
      cumulativeCount: String(interval.upTo(bound * scale)),
      upperBound: bound,
    })),
  };
}

/** Nothing recorded has no quantiles. */
function json(value: number): number | string {
  return Number.isNaN(value) ? 'NaN' : value;
}
