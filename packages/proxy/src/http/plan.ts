import type { HcmProgram } from '../program/types.ts';
import type { HttpFilter } from '../types.ts';
import type { HcmRuntime } from './runtime.ts';

/** Filters sorted by what they take part in, so that requests only visit those that have something to do. */
export interface FilterPlan {
  readonly onRequest: readonly HttpFilter[];
  /** In reverse, as responses pass them. */
  readonly onResponse: readonly HttpFilter[];
  readonly onRequestData: readonly HttpFilter[];
  readonly onResponseData: readonly HttpFilter[];
  readonly onEnd: readonly HttpFilter[];
}

export interface HcmPlan {
  readonly filters: FilterPlan;
  /** For upgrades that bring filters of their own. */
  readonly upgradeFilters: ReadonlyMap<string, FilterPlan>;
  /** Some of path normalisation's options are on. */
  readonly touchesPath: boolean;
  /** Streams are logged before they end, too. */
  readonly logsMore: boolean;
}

const plans = new WeakMap<HcmProgram, HcmPlan>();

export function planOf(hcm: HcmRuntime): HcmPlan {
  let plan = plans.get(hcm.program);
  if (plan === undefined) plans.set(hcm.program, (plan = makePlan(hcm.program)));
  return plan;
}

function makePlan(program: HcmProgram): HcmPlan {
  const upgradeFilters = new Map<string, FilterPlan>();
  for (const [type, { filters }] of program.upgrades) {
    if (filters !== undefined) upgradeFilters.set(type, sortFilters(filters));
  }
  return {
    filters: sortFilters(program.filters),
    upgradeFilters,
    touchesPath: program.normalizePath || program.mergeSlashes || program.escapedSlashes !== 'KEEP_UNCHANGED',
    logsMore: program.flushAccessLogOnNewRequest || program.accessLogFlushInterval > 0,
  };
}

function sortFilters(filters: readonly HttpFilter[]): FilterPlan {
  const reversed = filters.toReversed();
  return {
    onRequest: filters.filter((filter) => filter.onRequest !== undefined),
    onResponse: reversed.filter((filter) => filter.onResponse !== undefined),
    onRequestData: filters.filter((filter) => filter.onRequestData !== undefined),
    onResponseData: reversed.filter((filter) => filter.onResponseData !== undefined),
    onEnd: filters.filter((filter) => filter.onEnd !== undefined),
  };
}
