import type { JsonObject, types } from '@mizzen/xds';
import { FilterState } from '../../filter-state/state.ts';
import type { CompileContext } from '../../program/context.ts';
import type { Path } from '../../program/path.ts';
import { messageOf } from '../../program/read-resource.ts';
import type { HttpFilter, HttpStream } from '../../types.ts';
import { PerRouteKind, type RoutePlace } from '../per-route-kind.ts';
import type { CompileFilter, FilterScope } from '../scope.ts';
import { chosenFilter, NOBODY, type Group } from './chosen.ts';
import { compileChain, compileTree, type Execution, type Tree } from './tree.ts';

export const COMPOSITE = 'envoy.extensions.filters.http.composite.v3.Composite';
export const WITH_MATCHER = 'envoy.extensions.common.matching.v3.ExtensionWithMatcher';
const MATCHED = 'envoy.extensions.filters.http.composite.matched_actions';

/** A tree whose actions bring filters to the filter of that name. */
export function compileTreeOfRoute(
  context: CompileContext,
  matcher: object,
  path: Path,
  { filterName, compileFilter }: RoutePlace,
): Tree {
  const scope: FilterScope = {
    name: filterName,
    counter: (name) => context.deps.counter(`http..${name}`),
    place: { resource: context.resource, path },
  };
  return compileTree(context, matcher, scope, path, (inner, config, within, at) => {
    const type = messageOf(config['@type']);
    if (type !== COMPOSITE && type !== WITH_MATCHER) return compileFilter(inner, config, within, at);
    context.refuse(at, `\`${type}\` cannot come from a route`);
    return undefined;
  });
}

/** Routes choose by a tree of their own. */
export const compositePerRoute = new PerRouteKind(
  (context, { matcher }: types.composite.CompositePerRoute, path, place) => {
    if (matcher === undefined) context.refuse([...path, 'matcher'], 'must be there');
    return compileTreeOfRoute(context, matcher ?? {}, [...path, 'matcher'], place);
  },
);

/** Stands for the filters that a matcher names: the route's, or else its own. */
export function compositeFilter(
  context: CompileContext,
  config: types.composite.Composite,
  scope: FilterScope,
  path: Path,
  compile: CompileFilter,
): HttpFilter {
  const choose = compileComposite(context, config, scope, path, compile);
  return chosenFilter(scope.name, (stream) => choose(stream, undefined), NOBODY);
}

/** The filters that a request has; `given` is for composite filters that have no matcher, not even of the route. */
export function compileComposite(
  context: CompileContext,
  config: types.composite.Composite,
  scope: FilterScope,
  path: Path,
  compile: CompileFilter,
): (stream: HttpStream, given: Execution | undefined) => Group {
  const chains = new Map(
    Object.entries(config.namedFilterChains ?? {}).map(([name, chain]) => [
      name,
      compileChain(context, chain, scope, [...path, 'namedFilterChains', name], compile),
    ]),
  );
  const own =
    config.matcher === undefined
      ? undefined
      : compileTree(context, config.matcher, scope, [...path, 'matcher'], compile);
  const done = scope.counter('composite.filter_delegation_success');
  scope.counter('composite.filter_delegation_error');
  return (stream, given) => {
    const tree = compositePerRoute.mostSpecific(stream, scope.name) ?? own;
    const found = tree === undefined ? given : tree(stream);
    if (found === undefined || found === 'skip') return NOBODY;
    const chance = found.chance.value;
    if (chance < 1 && context.deps.random.float() >= chance) return NOBODY;
    const group = found.group ?? chains.get(found.name);
    if (group === undefined) return NOBODY;
    done.value++;
    note(stream, scope.name, found.name);
    return group;
  };
}

/** Leaves the names of what runs in the filter state. */
function note(stream: HttpStream, composite: string, name: string): void {
  const state = (stream.info.filterState ??= new FilterState(stream.info.connection.filterState));
  const before = state.get(MATCHED)?.json as JsonObject | undefined;
  const json = { ...before, [composite]: name };
  const text = JSON.stringify(json);
  state.set(MATCHED, { value: text, text, json }, 'NONE');
}
