import type { types } from '@mizzen/xds';
import { compileStateSetter, type StateSetter } from '../filter-state/set.ts';
import { FilterState } from '../filter-state/state.ts';
import type { CompileContext } from '../program/context.ts';
import type { Path } from '../program/path.ts';
import type { HttpFilter } from '../types.ts';
import { PerRouteKind } from './per-route-kind.ts';
import type { FilterScope } from './scope.ts';

function compileSetFilterState(
  context: CompileContext,
  config: types.httpSetFilterState.Config,
  path: Path,
): readonly StateSetter[] {
  const setter = compileStateSetter(context, config.onRequestHeaders, [...path, 'onRequestHeaders']);
  return setter === undefined ? [] : [setter];
}
/** What is to be set, outermost place first: every place that says something has its say. */
export const setFilterStatePerRoute = new PerRouteKind(compileSetFilterState, (outer, inner) => [...outer, ...inner]);

/** Notes values made from the request for others to read. */
export function setFilterStateFilter(
  context: CompileContext,
  config: types.httpSetFilterState.Config,
  scope: FilterScope,
  path: Path,
): HttpFilter {
  const own = compileSetFilterState(context, config, path);
  const clearRoute = config.clearRouteCache === true;
  return {
    name: scope.name,
    onRequest(stream) {
      // The route is chosen by what was known before.
      const route = setFilterStatePerRoute.merged(stream, scope.name);
      const state = (stream.info.filterState ??= new FilterState(stream.info.connection.filterState));
      for (const set of own) set(state, stream);
      if (route !== undefined) for (const set of route) set(state, stream);
      if (clearRoute) stream.clearRoute();
      return undefined;
    },
  };
}
