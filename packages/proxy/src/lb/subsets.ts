import { isDeepStrictEqual } from 'node:util';
import type { JsonObject, JsonValue } from '@mizzen/xds';
import type { SelectorProgram, SubsetProgram } from '../program/types.ts';
import type { LbContext } from '../types.ts';
import type { Level, Picker } from './picker.ts';
import type { BalancedHost, LocalityHosts, PriorityHosts } from './types.ts';

type Criteria = Readonly<Record<string, JsonValue>>;

/** Key of a route's criteria under which it lists others, to be tried one after the other. */
const FALLBACK_LIST = 'fallback_list';

/** Envoy's names. */
export interface SubsetStats {
  lb_subsets_selected: number;
  lb_subsets_fallback: number;
  lb_subsets_fallback_panic: number;
}

/** What is asked of subsets' pickers: whether they take a locality's weight into account is decided here. */
export type MakePicker = (priorities: readonly PriorityHosts[]) => Picker;

/**
 * Subset load balancing: a route's metadata match picks the hosts that have the same values, provided the cluster has a
 * selector of exactly those keys; everything else falls back as the selector, then as the cluster says. Subsets are made
 * when first asked for.
 */
export function subsetPicker(
  priorities: readonly PriorityHosts[],
  program: SubsetProgram,
  metadataOf: (host: BalancedHost) => JsonObject | undefined,
  make: MakePicker,
  stats: SubsetStats,
): Picker {
  const subsets = new Subsets(priorities, program, metadataOf, make, stats);
  const made = new WeakMap<Criteria, Choose>();
  const of = (criteria: Criteria): Choose => {
    let choose = made.get(criteria);
    if (choose === undefined) made.set(criteria, (choose = subsets.resolve(criteria)));
    return choose;
  };
  const chooser = ({ metadataMatch }: LbContext): Choose =>
    metadataMatch === undefined ? subsets.fallback : of(metadataMatch);
  return {
    pick: (context) => chooser(context)(context),
    pickAt: (level, context) => chooser(context)(context, level),
  };
}

type Choose = (context: LbContext, level?: Level) => BalancedHost | null;

const nobody: Choose = () => null;

class Subsets {
  /** For requests that fit no subset. */
  readonly fallback: Choose;
  readonly #priorities: readonly PriorityHosts[];
  readonly #program: SubsetProgram;
  readonly #metadataOf: (host: BalancedHost) => JsonObject | undefined;
  readonly #make: MakePicker;
  readonly #stats: SubsetStats;
  readonly #selectors: ReadonlyMap<string, SelectorProgram>;
  #any: Choose | undefined;
  #default: Choose | undefined;

  constructor(
    priorities: readonly PriorityHosts[],
    program: SubsetProgram,
    metadataOf: (host: BalancedHost) => JsonObject | undefined,
    make: MakePicker,
    stats: SubsetStats,
  ) {
    this.#priorities = priorities;
    this.#program = program;
    this.#metadataOf = metadataOf;
    this.#make = make;
    this.#stats = stats;
    this.#selectors = new Map(program.selectors.map((selector) => [selector.keys.join('\n'), selector]));
    const policy = this.#policy(program.fallback);
    const panic = program.panicModeAny ? this.#policy('ANY_ENDPOINT') : nobody;
    this.fallback = (context, level) => {
      const host = policy(context, level);
      if (host !== null) {
        stats.lb_subsets_fallback++;
        return host;
      }
      const any = panic(context, level);
      if (any !== null) stats.lb_subsets_fallback_panic++;
      return any;
    };
  }

  /** How hosts are chosen for a route's criteria. */
  resolve(criteria: Criteria): Choose {
    const list = this.#program.metadataFallbackList ? criteria[FALLBACK_LIST] : undefined;
    if (list === undefined) return this.#once(criteria);
    const own = Object.fromEntries(Object.entries(criteria).filter(([key]) => key !== FALLBACK_LIST));
    if (!Array.isArray(list) || list.length === 0) return this.#once(own);
    const tries = list.map((more) => this.#once({ ...own, ...(more as Criteria) }));
    return (context, level) => {
      for (const choose of tries) {
        const host = choose(context, level);
        if (host !== null) return host;
      }
      return null;
    };
  }

  #once(criteria: Criteria): Choose {
    const selector = this.#selectorOf(criteria);
    const subset = selector === undefined ? undefined : this.#matching(criteria, selector.singleHost);
    if (subset !== undefined) {
      return (context, level) => {
        this.#stats.lb_subsets_selected++;
        return subset(context, level);
      };
    }
    switch (selector?.fallback) {
      case undefined:
        return this.fallback;
      case 'KEYS_SUBSET':
        return this.#once(Object.fromEntries(selector!.fallbackKeys.map((key) => [key, criteria[key]!])));
      default:
        return this.#policy(selector!.fallback!);
    }
  }

  #selectorOf(criteria: Criteria): SelectorProgram | undefined {
    const keys = Object.keys(criteria).toSorted();
    const exact = this.#selectors.get(keys.join('\n'));
    if (exact !== undefined || !this.#program.allowRedundantKeys) return exact;
    return this.#program.selectors.find((selector) => selector.keys.every((key) => key in criteria));
  }

  #policy(policy: 'NO_FALLBACK' | 'ANY_ENDPOINT' | 'DEFAULT_SUBSET'): Choose {
    switch (policy) {
      case 'NO_FALLBACK':
        return nobody;
      case 'ANY_ENDPOINT':
        return (this.#any ??= this.#choose(this.#priorities.map((priority) => this.#narrow(priority, () => true))));
      case 'DEFAULT_SUBSET':
        return (this.#default ??= this.#ofDefault());
    }
  }

  /** With no host in it, it panics. */
  #ofDefault(): Choose {
    return this.#choose(this.#fitting(this.#program.defaultSubset as Criteria));
  }

  #fitting(criteria: Criteria): PriorityHosts[] {
    const keys = this.#selectorOf(criteria)?.keys ?? Object.keys(criteria);
    const fits = (host: BalancedHost): boolean => this.#has(this.#metadataOf(host), criteria, keys);
    return this.#priorities.map((priority) => this.#narrow(priority, fits));
  }

  #matching(criteria: Criteria, singleHost: boolean): Choose | undefined {
    const narrowed = this.#fitting(criteria);
    const first = narrowed.find(({ hosts }) => hosts.length > 0)?.hosts[0];
    if (first === undefined) return undefined;
    return singleHost ? () => first : this.#choose(narrowed);
  }

  #choose(priorities: readonly PriorityHosts[]): Choose {
    const picker = this.#make(priorities);
    return (context, level) => (level === undefined ? picker.pick(context) : picker.pickAt(level, context));
  }

  #has(metadata: JsonObject | undefined, criteria: Criteria, keys: readonly string[]): boolean {
    return keys.every((key) => {
      const value = metadata?.[key];
      if (value === undefined) return false;
      const wanted = criteria[key];
      if (this.#program.listAsAny && Array.isArray(value)) return value.some((one) => isDeepStrictEqual(one, wanted));
      return isDeepStrictEqual(value, wanted);
    });
  }

  #narrow(priority: PriorityHosts, keep: (host: BalancedHost) => boolean): PriorityHosts {
    const only = (hosts: readonly BalancedHost[]): readonly BalancedHost[] => hosts.filter(keep);
    const { localityWeightAware, scaleLocalityWeight } = this.#program;
    return {
      hosts: only(priority.hosts),
      healthy: only(priority.healthy),
      degraded: only(priority.degraded),
      excluded: priority.hosts.filter((host) => host.excluded === true && keep(host)).length,
      unweighted: !localityWeightAware,
      localities: priority.localities.map((locality): LocalityHosts => {
        const hosts = only(locality.hosts);
        const scaled = scaleLocalityWeight
          ? Math.round((locality.weight * hosts.length) / Math.max(1, locality.hosts.length))
          : locality.weight;
        return {
          key: locality.key,
          weight: scaled,
          hosts,
          healthy: only(locality.healthy),
          degraded: only(locality.degraded),
        };
      }),
    };
  }
}

/** The subsets that the hosts of a cluster make: one for all values of each selector's keys that some of them have. */
export function subsetsOf(hosts: Iterable<JsonObject | undefined>, program: SubsetProgram): Set<string> {
  const seen = new Set<string>();
  for (const metadata of hosts) {
    for (const { keys } of program.selectors) {
      if (metadata === undefined || !keys.every((key) => metadata[key] !== undefined)) continue;
      for (const values of combinations(keys, metadata, program.listAsAny)) seen.add(JSON.stringify([keys, values]));
    }
  }
  return seen;
}

function combinations(keys: readonly string[], metadata: JsonObject, listAsAny: boolean): readonly JsonValue[][] {
  return keys.reduce<JsonValue[][]>(
    (made, key) => {
      const value = metadata[key]!;
      const all = listAsAny && Array.isArray(value) ? value : [value];
      return made.flatMap((before) => all.map((one) => [...before, one]));
    },
    [[]],
  );
}

/** How many hosts a subset of a single host would have beside that one. */
export function countDuplicates(
  hosts: Iterable<JsonObject | undefined>,
  { selectors, listAsAny }: SubsetProgram,
): number {
  const seen = new Set<string>();
  let duplicates = 0;
  for (const metadata of hosts) {
    for (const { keys, singleHost } of selectors) {
      if (!singleHost || metadata === undefined || metadata[keys[0]!] === undefined) continue;
      for (const values of combinations(keys, metadata, listAsAny)) {
        const subset = JSON.stringify([keys, values]);
        if (seen.has(subset)) duplicates++;
        seen.add(subset);
      }
    }
  }
  return duplicates;
}
