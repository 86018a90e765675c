import type { TaggedStats } from '../telemetry/tagged.ts';
import { viewOf } from './histograms.ts';
import { prometheus } from './prometheus.ts';
import { BOUNDS } from './stats-program.ts';

/** Statistics that have tags from the start, and no others, in Prometheus' text format. */
export function taggedMetrics(tagged: TaggedStats): string {
  const all = [...tagged.all()];
  const values = all.flatMap(({ histogram, fullName, counter }) =>
    histogram === undefined ? [[fullName, counter.value] as const] : [],
  );
  const views = all.flatMap(({ histogram, fullName }) => {
    histogram?.flush();
    return histogram?.total === undefined ? [] : [viewOf(fullName, [histogram], BOUNDS)];
  });
  const extract = (name: string): { name: string; tags: { name: string; value: string }[] } => {
    const stat = tagged.find(name)!;
    return { name: stat.name, tags: stat.tags.map(([tag, value]) => ({ name: tag, value })) };
  };
  const isGauge = (name: string): boolean => tagged.find(name)?.kind === 'gauge';
  return prometheus(values, [], views, { extract }, isGauge, 'cumulative');
}
