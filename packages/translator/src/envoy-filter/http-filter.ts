import type { types } from '@mizzen/xds';
import { editList } from './lists.ts';
import { matchesFilter } from './listener-match.ts';
import { httpFilterName, isMerge, type Patch } from './patch.ts';
import type { Run } from './run.ts';

type Filter = types.listener.Filter;
type HttpFilter = types.hcm.HttpFilter;

export const MANAGER = 'envoy.filters.network.http_connection_manager';

/** The HTTP filters of a connection manager; `patches` are those for its filter chain. */
export function patchHttpFilters(run: Run, filter: Filter, patches: readonly Patch[]): Filter {
  if (filter.name !== MANAGER || filter.typedConfig === undefined) return filter;
  const concerned = patches.filter((patch) => matchesFilter(filter, patch));
  if (concerned.length === 0) return filter;
  const manager = filter.typedConfig as types.hcm.HttpConnectionManager;
  const before = manager.httpFilters ?? [];
  let filters = before;
  for (const patch of concerned) {
    const name = httpFilterName(patch.match);
    filters = editList(filters, patch, name === '' ? undefined : (each: HttpFilter) => each.name === name);
  }
  const merges = concerned.filter(({ operation, match }) => isMerge(operation) && httpFilterName(match) !== '');
  const list = run.list(
    filters.map((each) => mergeFilter(run, each, merges)),
    manager.httpFilters,
  );
  if (list === before) return filter;
  const httpFilters = list.length > 0 ? list : undefined;
  const typedConfig = run.with(manager, { httpFilters }) as NonNullable<Filter['typedConfig']>;
  return run.with(filter, { typedConfig });
}

function mergeFilter(run: Run, original: HttpFilter, merges: readonly Patch[]): HttpFilter {
  let filter = original;
  for (const patch of merges) {
    if (filter.typedConfig === undefined || filter.name !== httpFilterName(patch.match)) continue;
    filter = run.renamed(run.mergeTyped(filter, patch.value, patch), patch);
  }
  return filter;
}
