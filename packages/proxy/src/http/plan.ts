import type { HcmProgram } from '../program/types.ts';
import { isOn } from '../filter/switch.ts';
import type { HttpFilter, PerFilter } from '../types.ts';
import type { HcmRuntime } from './runtime.ts';

/** Filters sorted by what they take part in, so that requests only visit those that have something to do. */
export interface FilterPlan {
  /** Those that are off unless a route says otherwise, too. */
  readonly all: readonly HttpFilter[];
  /** Plans of those that are on, by which that are. */
  readonly switched: Map<string, FilterPlan>;
  readonly onRequest: readonly HttpFilter[];
  /** In reverse, as responses pass them. */
  readonly onResponse: readonly HttpFilter[];
  readonly onRequestData: readonly HttpFilter[];
  readonly onResponseData: readonly HttpFilter[];
  readonly onRequestTrailers: readonly HttpFilter[];
  readonly onResponseTrailers: readonly HttpFilter[];
  readonly onRequestEnd: readonly HttpFilter[];
  readonly onResponseEnd: readonly HttpFilter[];
  readonly onRouteCleared: readonly HttpFilter[];
  readonly onEnd: readonly HttpFilter[];
  readonly onLog: readonly HttpFilter[];
}

export interface HcmPlan {
  readonly filters: FilterPlan;
  /** For upgrades that bring filters of their own. */
  readonly upgradeFilters: ReadonlyMap<string, FilterPlan>;
  /** Some filter is off unless a route says otherwise. */
  readonly optional: boolean;
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

/** Connections that go by the plan of one program go on by that of another, which follows it. */
export function movePlan(before: HcmProgram, after: HcmProgram): void {
  const plan = plans.get(before);
  if (plan !== undefined) plans.set(after, Object.assign(plan, makePlan(after)));
}

function makePlan(program: HcmProgram): HcmPlan {
  const upgradeFilters = new Map<string, FilterPlan>();
  for (const [type, { filters }] of program.upgrades) {
    if (filters !== undefined) upgradeFilters.set(type, sortFilters(filters));
  }
  return {
    filters: sortFilters(program.filters),
    upgradeFilters,
    optional: [program.filters, ...[...program.upgrades.values()].map(({ filters }) => filters ?? [])].some((filters) =>
      filters.some(({ disabled }) => disabled === true),
    ),
    touchesPath: program.normalizePath || program.mergeSlashes || program.escapedSlashes !== 'KEEP_UNCHANGED',
    logsMore: program.flushAccessLogOnNewRequest || program.accessLogFlushInterval > 0,
  };
}

/** The filters that are on for a request that is configured like this. */
export function switchFilters(plan: FilterPlan, perFilter: PerFilter): FilterPlan {
  let which = '';
  for (const filter of plan.all) which += isOn(filter, perFilter) ? '1' : '0';
  let switched = plan.switched.get(which);
  if (switched === undefined) {
    const on = plan.all.filter((_, i) => which[i] === '1');
    plan.switched.set(which, (switched = { ...sorted(on), all: plan.all, switched: plan.switched }));
  }
  return switched;
}

function sortFilters(filters: readonly HttpFilter[]): FilterPlan {
  return { ...sorted(filters.filter(({ disabled }) => disabled !== true)), all: filters, switched: new Map() };
}

function sorted(filters: readonly HttpFilter[]): Omit<FilterPlan, 'all' | 'switched'> {
  const reversed = filters.toReversed();
  return {
    onRequest: filters.filter((filter) => filter.onRequest !== undefined),
    onResponse: reversed.filter((filter) => filter.onResponse !== undefined),
    onRequestData: filters.filter((filter) => filter.onRequestData !== undefined),
    onResponseData: reversed.filter((filter) => filter.onResponseData !== undefined),
    onRequestTrailers: filters.filter((filter) => filter.onRequestTrailers !== undefined),
    onResponseTrailers: reversed.filter((filter) => filter.onResponseTrailers !== undefined),
    onRequestEnd: filters.filter((filter) => filter.onRequestEnd !== undefined),
    onResponseEnd: reversed.filter((filter) => filter.onResponseEnd !== undefined),
    onRouteCleared: filters.filter((filter) => filter.onRouteCleared !== undefined),
    onEnd: filters.filter((filter) => filter.onEnd !== undefined),
    onLog: filters.filter((filter) => filter.onLog !== undefined),
  };
}
