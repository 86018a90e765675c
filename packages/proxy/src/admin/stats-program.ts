import type { types } from '@mizzen/xds';
import { CompileContext } from '../program/context.ts';
import { compileString } from '../program/match/string.ts';
import type { CompileDeps } from '../program/types.ts';
import { milliseconds } from '../program/values.ts';
import { compileSinks } from '../telemetry/sinks/compile.ts';
import type { SinkProgram } from '../telemetry/sinks/types.ts';
import type { Nack } from '../types.ts';
import { compileStatsMatcher } from './stats-matcher.ts';
import { compileTags, type TagExtractor } from './tags.ts';

/** Envoy's, in milliseconds where they are of durations. */
export const BOUNDS = [
  0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000, 300000, 600000, 1800000, 3600000,
];
const FLUSH_INTERVAL = 5000;

/** How a bootstrap wants statistics to be shown. */
export interface StatsProgram {
  readonly accepts: (name: string) => boolean;
  readonly tags: TagExtractor;
  /** Upper ends of a histogram's buckets, ascending. */
  readonly bounds: (name: string) => readonly number[];
  /** What histograms have recorded is shown after this long, milliseconds; 0: when it is asked for. */
  readonly flushInterval: number;
  readonly flushOnAdmin: boolean;
  /** Where statistics are sent. */
  readonly sinks: readonly SinkProgram[];
}

export function compileStats(
  bootstrap: types.bootstrap.Bootstrap,
  resource: string,
  deps: CompileDeps,
  /** Tags with fixed values, from the command line. */
  statsTags: readonly (readonly [string, string])[],
  node: types.core.Node,
  /** Names of clusters that are there from the start. */
  clusters: ReadonlySet<string>,
): { readonly program: StatsProgram; readonly nacks: readonly Nack[] } {
  const { statsConfig, statsFlushInterval, statsFlushOnAdmin = false } = bootstrap;
  const context = new CompileContext('', resource, deps);
  const matcher = compileStatsMatcher(statsConfig?.statsMatcher, resource, deps);
  const settings = (statsConfig?.histogramBucketSettings ?? []).map((setting, i) => {
    const path = ['statsConfig', 'histogramBucketSettings', i];
    const buckets = setting.buckets ?? [];
    if (buckets.some((bound) => bound <= 0)) context.refuse([...path, 'buckets'], 'must be greater than 0');
    return {
      match: compileString(context, setting.match ?? {}, [...path, 'match']),
      bounds: buckets.length === 0 ? BOUNDS : [...new Set(buckets)].toSorted((a, b) => a - b),
    };
  });
  const interval = milliseconds(statsFlushInterval, FLUSH_INTERVAL);
  if (statsFlushInterval !== undefined && (interval < 1 || interval >= 300_000))
    context.refuse(['statsFlushInterval'], 'must be at least 0.001s and less than 300s');
  if (statsFlushInterval !== undefined && bootstrap.statsFlushOnAdmin !== undefined)
    context.refuse(['statsFlushOnAdmin'], 'cannot stand beside `statsFlushInterval`');
  return {
    program: {
      accepts: matcher.accepts,
      tags: compileTags(statsConfig, context, statsTags),
      bounds: (name) => settings.find(({ match }) => match.matches(name))?.bounds ?? BOUNDS,
      flushInterval: statsFlushOnAdmin ? 0 : interval,
      flushOnAdmin: statsFlushOnAdmin,
      sinks: compileSinks(context, bootstrap.statsSinks, clusters, node),
    },
    nacks: [...matcher.nacks, ...context.nacks],
  };
}
