import type { TaggedStat, TaggedStats, Tags } from '../telemetry/tagged.ts';
import { viewOf } from './histograms.ts';
import { prometheus } from './prometheus.ts';
import { BOUNDS } from './stats-program.ts';

/** Statistics of a proxy, and what tells them apart from those of others. */
export interface TaggedOf {
  readonly tagged: TaggedStats;
  readonly tags: Tags;
}

/** Statistics that have tags from the start, and no others, in Prometheus' text format. */
export function taggedMetrics(tagged: TaggedStats): string {
  return taggedMetricsOf([{ tagged, tags: [] }]);
}

/** The same of several proxies, each with tags of its own beside those of its statistics. */
export function taggedMetricsOf(proxies: readonly TaggedOf[]): string {
  const all = new Map<string, { readonly stat: TaggedStat; readonly tags: Tags }>(
    proxies.flatMap(({ tagged, tags }, i) =>
      [...tagged.all()].map((stat) => [`${i} ${stat.fullName}`, { stat, tags }] as const),
    ),
  );
  const values = [...all].flatMap(([name, { stat }]) =>
    stat.histogram === undefined ? [[name, stat.counter.value] as const] : [],
  );
  const views = [...all].flatMap(([name, { stat }]) => {
    stat.histogram?.flush();
    return stat.histogram?.total === undefined ? [] : [viewOf(name, [stat.histogram], BOUNDS)];
  });
  const extract = (name: string): { name: string; tags: { name: string; value: string }[] } => {
    const { stat, tags } = all.get(name)!;
    return { name: stat.name, tags: [...stat.tags, ...tags].map(([tag, value]) => ({ name: tag, value })) };
  };
  const isGauge = (name: string): boolean => all.get(name)?.stat.kind === 'gauge';
  return prometheus(values, [], views, { extract }, isGauge, 'cumulative');
}
