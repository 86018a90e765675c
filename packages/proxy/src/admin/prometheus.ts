import { isGauge } from './gauges.ts';
import type { TagExtractor } from './tags.ts';

/** Namespaces that come without `envoy_`, as in Envoy: they are those of whoever made them. */
const OWN_NAMESPACES = ['wasmcustom.', 'istio_'];

interface Metric {
  readonly gauge: boolean;
  readonly raw: string;
  readonly name: string;
  readonly samples: { readonly labels: string; readonly value: number }[];
}

/** Statistics in Prometheus' text format, labels taken out of the names. */
export function prometheus(stats: readonly (readonly [string, number])[], tags: TagExtractor): string {
  const metrics = new Map<string, Metric>();
  for (const [name, value] of stats) {
    const extracted = tags.extract(name);
    const gauge = isGauge(name);
    const key = `${gauge} ${extracted.name}`;
    let metric = metrics.get(key);
    if (metric === undefined)
      metrics.set(key, (metric = { gauge, raw: extracted.name, name: metricName(extracted.name), samples: [] }));
    const labels = extracted.tags.map((tag) => `${sanitize(tag.name)}="${escape(tag.value)}"`).join(',');
    metric.samples.push({ labels, value });
  }
  return [...metrics.values()]
    .sort((a, b) => Number(a.gauge) - Number(b.gauge) || (a.raw < b.raw ? -1 : 1))
    .map(({ gauge, name, samples }) => {
      const lines = samples.map(({ labels, value }) => `${name}{${labels}} ${value}\n`);
      return `# TYPE ${name} ${gauge ? 'gauge' : 'counter'}\n${lines.join('')}`;
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
