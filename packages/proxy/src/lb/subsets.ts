import type { JsonObject, JsonValue } from '@mizzen/xds';
import type { SubsetProgram } from '../program/types.ts';
import type { LbContext } from '../types.ts';
import type { Picker } from './picker.ts';
import type { BalancedHost, PriorityHosts } from './types.ts';

type Criteria = Readonly<Record<string, JsonValue>>;

/**
 * Subset load balancing: a route's metadata match picks the hosts that have the same values, provided the cluster has a
 * selector of exactly those keys; everything else falls back as configured. Subsets are made when first asked for.
 */
export function subsetPicker(
  priorities: readonly PriorityHosts[],
  program: SubsetProgram,
  metadataOf: (host: BalancedHost) => JsonObject | undefined,
  make: (priorities: readonly PriorityHosts[]) => Picker,
): Picker {
  const selectors = new Set(program.selectors.map((keys) => keys.toSorted().join('\n')));
  const matching = (criteria: Criteria): Picker | undefined => {
    const narrowed = priorities.map((priority) => narrow(priority, (host) => has(metadataOf(host), criteria)));
    return narrowed.some(({ hosts }) => hosts.length > 0) ? make(narrowed) : undefined;
  };
  const nobody: Picker = { pick: () => null };
  const fallback =
    program.fallback === 'ANY_ENDPOINT'
      ? make(priorities)
      : program.fallback === 'DEFAULT_SUBSET'
        ? (matching(program.defaultSubset as Criteria) ?? nobody)
        : nobody;
  const made = new WeakMap<Criteria, Picker>();
  const of = (criteria: Criteria): Picker => {
    let picker = made.get(criteria);
    if (picker === undefined) {
      const selected = selectors.has(Object.keys(criteria).toSorted().join('\n'));
      made.set(criteria, (picker = (selected ? matching(criteria) : undefined) ?? fallback));
    }
    return picker;
  };
  return {
    pick: (context: LbContext) =>
      (context.metadataMatch === undefined ? fallback : of(context.metadataMatch)).pick(context),
  };
}

function has(metadata: JsonObject | undefined, criteria: Criteria): boolean {
  return Object.entries(criteria).every(
    ([key, value]) => metadata !== undefined && JSON.stringify(metadata[key]) === JSON.stringify(value),
  );
}

function narrow(priority: PriorityHosts, keep: (host: BalancedHost) => boolean): PriorityHosts {
  const only = (hosts: readonly BalancedHost[]): readonly BalancedHost[] => hosts.filter(keep);
  return {
    hosts: only(priority.hosts),
    healthy: only(priority.healthy),
    degraded: only(priority.degraded),
    excluded: 0,
    localities: priority.localities.map(({ weight, hosts, healthy, degraded }) => ({
      weight,
      hosts: only(hosts),
      healthy: only(healthy),
      degraded: only(degraded),
    })),
  };
}
