import type { types } from '@mizzen/xds';
import { compileStateSetter, type StateSetter } from '../filter-state/set.ts';
import { FilterState } from '../filter-state/state.ts';
import type { CompileContext } from '../program/context.ts';
import type { Path } from '../program/path.ts';
import type { HttpFilter } from '../types.ts';
import type { Inheriting } from './per-route.ts';
import type { FilterScope } from './scope.ts';

/** What is to be set, outermost place first: every place that says something has its say. */
export class StateSetters implements Inheriting {
  readonly all: readonly StateSetter[];
  constructor(all: readonly StateSetter[]) {
    this.all = all;
  }
  over(outer: unknown): StateSetters {
    return outer instanceof StateSetters ? new StateSetters([...outer.all, ...this.all]) : this;
  }
}

export function compileSetFilterState(
  context: CompileContext,
  config: types.httpSetFilterState.Config,
  path: Path,
): StateSetters {
  const setter = compileStateSetter(context, config.onRequestHeaders, [...path, 'onRequestHeaders']);
  return new StateSetters(setter === undefined ? [] : [setter]);
}

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
      const route = stream.perRoute(scope.name) as StateSetters | undefined;
      const state = (stream.info.filterState ??= new FilterState(stream.info.connection.filterState));
      for (const set of own.all) set(state, stream);
      if (route !== undefined) for (const set of route.all) set(state, stream);
      if (clearRoute) stream.clearRoute();
      return undefined;
    },
  };
}
