import { prometheusHistogram, type HistogramView } from './histograms.ts';
import type { TagExtractor } from './tags.ts';

/** Namespaces that come without `envoy_`, as in Envoy: they are those of whoever made them. */
const OWN_NAMESPACES = ['wasmcustom.', 'istiocustom.', 'istio_'];

export type PrometheusMode = 'cumulative' | 'summary';

interface Metric<T> {
  /** Counters, gauges, histograms: that is how they follow each other. */
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly raw: string;
  readonly samples: { readonly labels: string; readonly value: T }[];
}

/** Statistics in Prometheus' text format, labels taken out of the names. */
export function prometheus(
  stats: readonly (readonly [string, number | bigint])[],
  texts: readonly (readonly [string, string])[],
  histograms: readonly HistogramView[],
  tags: Pick<TagExtractor, 'extract'>,
  isGauge: (name: string) => boolean,
  mode: PrometheusMode,
): string {
  const counters = new Map<string, Metric<number | bigint>>();
  const gauges = new Map<string, Metric<number | bigint>>();
  for (const [name, value] of stats) {
    const type = isGauge(name) ? 'gauge' : 'counter';
    gather(type === 'gauge' ? gauges : counters, type, name, value, tags);
  }
  const readouts = new Map<string, Metric<string>>();
  for (const [name, value] of texts) gather(readouts, 'gauge', name, value, tags);
  const shown = new Map<string, Metric<HistogramView>>();
  for (const view of histograms) gather(shown, 'histogram', view.name, view, tags);
  const plain = (metrics: ReadonlyMap<string, Metric<number | bigint>>): string =>
    print(metrics, mode, (name, labels, value) => `${name}{${labels}} ${value}\n`);
  return (
    plain(counters) +
    plain(gauges) +
    print(
      readouts,
      mode,
      (name, labels, value) => `${name}{${labels === '' ? '' : `${labels},`}text_value="${escape(value)}"} 0\n`,
    ) +
    print(shown, mode, (name, labels, view) => prometheusHistogram(view, name, labels, mode))
  );
}

function gather<T>(
  metrics: Map<string, Metric<T>>,
  type: Metric<T>['type'],
  name: string,
  value: T,
  tags: Pick<TagExtractor, 'extract'>,
): void {
  const extracted = tags.extract(name);
  let metric = metrics.get(extracted.name);
  if (metric === undefined) metrics.set(extracted.name, (metric = { type, raw: extracted.name, samples: [] }));
  const labels = extracted.tags.map((tag) => `${sanitize(tag.name)}="${escape(tag.value)}"`).join(',');
  metric.samples.push({ labels, value });
}

function print<T>(
  metrics: ReadonlyMap<string, Metric<T>>,
  mode: PrometheusMode,
  sample: (name: string, labels: string, value: T) => string,
): string {
  return [...metrics.values()]
    .sort((a, b) => (a.raw < b.raw ? -1 : 1))
    .map(({ type, raw, samples }) => {
      const name = metricName(raw);
      const lines = samples.map(({ labels, value }) => sample(name, labels, value));
      return `# TYPE ${name} ${type === 'histogram' && mode === 'summary' ? 'summary' : type}\n${lines.join('')}`;
    })
    .join('');
}

function metricName(name: string): string {
  const own = OWN_NAMESPACES.find((namespace) => name.startsWith(namespace));
  if (own === undefined) return `envoy_${sanitize(name)}`;
  return sanitize(own.endsWith('.') ? name.slice(own.length) : name);
}

function sanitize(name: string): string {
  return name.replace(/[^a-zA-Z0-9_]/g, '_').replace(/^(?=\d)/, '_');
}

function escape(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
