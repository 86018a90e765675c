import type { Any, JsonObject, types } from '@mizzen/xds';
import { FilterState } from '../../filter-state/state.ts';
import type { CompileContext } from '../../program/context.ts';
import { ALL_OF_REQUESTS, knownOf, type Asked } from '../../program/match/known.ts';
import { compileMatcher, type Chooser, type MatcherConfig, type MatcherKind } from '../../program/match/matcher.ts';
import type { Path } from '../../program/path.ts';
import { messageOf } from '../../program/read-resource.ts';
import { liveFraction } from '../../runtime/live.ts';
import type { HttpFilter, HttpStream } from '../../types.ts';
import { PerRouteKind } from '../per-route-kind.ts';
import type { FilterScope } from '../scope.ts';
import { chosenFilter } from './chosen.ts';

const COMPOSITE = 'envoy.extensions.filters.http.composite.v3.Composite';
const EXECUTE = 'envoy.extensions.filters.http.composite.v3.ExecuteFilterAction';
const MATCHED = 'envoy.extensions.filters.http.composite.matched_actions';
const SKIP = 'envoy.extensions.filters.common.matcher.action.v3.SkipFilter';

export type CompileFilter = (
  context: CompileContext,
  config: Any,
  scope: FilterScope,
  path: Path,
) => HttpFilter | undefined;

/** The tree of a route, in place of the filter's own; what it leads to, the filter knows. */
interface MatcherOfRoute {
  readonly choose: Chooser<Asked, Action>;
}
type Action = 'skip';

function compileMatcherOfRoute(
  context: CompileContext,
  config: types.matching.ExtensionWithMatcherPerRoute,
  path: Path,
): MatcherOfRoute {
  if (config.xdsMatcher === undefined) context.refuse([...path, 'xdsMatcher'], 'must be there');
  return { choose: compileTree(context, config.xdsMatcher ?? {}, SKIPS, [...path, 'xdsMatcher']) };
}
export const matcherPerRoute = new PerRouteKind(compileMatcherOfRoute);

/** A filter that matchers switch off, or one that stands for those that matchers name. */
export function matchedFilter(
  context: CompileContext,
  config: types.matching.ExtensionWithMatcher,
  scope: FilterScope,
  path: Path,
  compile: CompileFilter,
): HttpFilter | undefined {
  const inner = config.extensionConfig?.typedConfig;
  const at = [...path, 'extensionConfig', 'typedConfig'];
  if (inner === undefined) {
    context.refuse(at, 'must be there');
    return undefined;
  }
  const tree = [...path, 'xdsMatcher'];
  if (messageOf(inner['@type']) === COMPOSITE) return composite(context, config.xdsMatcher, scope, tree, compile);
  // Only routes switch it on, where it has no matcher itself.
  const choose =
    config.xdsMatcher === undefined ? () => 'skip' as const : compileTree(context, config.xdsMatcher, SKIPS, tree);
  // It has the name of the one that stands for it, and what routes say of that.
  const filter = compile(context, inner, scope, at);
  if (filter === undefined) return undefined;
  const all = [filter];
  return chosenFilter(
    scope.name,
    (stream) => {
      const route = matcherPerRoute.mostSpecific(stream, scope.name);
      return (route?.choose ?? choose)(asked(stream)) === undefined ? all : [];
    },
    all,
    all,
  );
}

function asked({ info, request }: HttpStream): Asked {
  return { connection: info.connection, request, info };
}

function compileTree<A>(
  context: CompileContext,
  matcher: object,
  action: MatcherKind<Asked, A>['action'],
  path: Path,
): Chooser<Asked, A> {
  return compileMatcher(context, matcher as MatcherConfig, { ...knownOf(ALL_OF_REQUESTS), action }, path);
}

const SKIPS: MatcherKind<Asked, Action>['action'] = (context, action, path) => {
  const type = messageOf(action?.typedConfig?.['@type'] ?? '');
  if (type === SKIP) return 'skip';
  context.refuse([...path, 'typedConfig'], `\`${type}\`: filters are only switched off here, by a ${SKIP}`);
  return undefined;
};

/** Filters that an action names, and how likely it is that they run. */
interface Executed {
  readonly name: string;
  readonly filters: readonly HttpFilter[];
  readonly chance: { readonly value: number };
}

function composite(
  context: CompileContext,
  matcher: object | undefined,
  scope: FilterScope,
  path: Path,
  compile: CompileFilter,
): HttpFilter {
  const all: HttpFilter[] = [];
  const choose = compileTree<Executed | 'skip'>(
    context,
    matcher ?? {},
    (_, action, at) => {
      const config = action?.typedConfig;
      const inside = [...at, 'typedConfig'];
      const type = messageOf(config?.['@type'] ?? '');
      if (type === SKIP) return 'skip';
      if (type !== EXECUTE) {
        context.refuse(inside, `\`${type}\`: must be a ${EXECUTE}`);
        return undefined;
      }
      const made = execute(context, config as types.composite.ExecuteFilterAction, scope, inside, compile);
      all.push(...made.filters);
      return made;
    },
    path,
  );
  const done = scope.counter('composite.filter_delegation_success');
  scope.counter('composite.filter_delegation_error');
  return chosenFilter(
    scope.name,
    (stream) => {
      // A tree of the route says no more than that nothing is to run.
      if (matcherPerRoute.mostSpecific(stream, scope.name) !== undefined) return [];
      const found = choose(asked(stream));
      if (found === undefined || found === 'skip') return [];
      if (found.chance.value < 1 && context.deps.random.float() >= found.chance.value) return [];
      done.value++;
      note(stream, scope.name, found.name);
      return found.filters;
    },
    all,
    [],
  );
}

/** Leaves the names of what runs in the filter state. */
function note(stream: HttpStream, composite: string, name: string): void {
  const state = (stream.info.filterState ??= new FilterState(stream.info.connection.filterState));
  const before = state.get(MATCHED)?.json as JsonObject | undefined;
  const json = { ...before, [composite]: name };
  const text = JSON.stringify(json);
  state.set(MATCHED, { value: text, text, json }, 'NONE');
}

function execute(
  context: CompileContext,
  action: types.composite.ExecuteFilterAction,
  scope: FilterScope,
  path: Path,
  compile: CompileFilter,
): Executed {
  const { typedConfig, filterChain, samplePercent } = action;
  const given = filterChain?.typedConfig ?? (typedConfig === undefined ? [] : [typedConfig]);
  if (given.length === 0 || (typedConfig !== undefined && filterChain !== undefined))
    context.refuse(path, 'must have either `typedConfig` or `filterChain`');
  const filters = given.flatMap((each, i) => {
    const at = [
      ...path,
      ...(filterChain === undefined ? ['typedConfig'] : ['filterChain', 'typedConfig', i]),
      'typedConfig',
    ];
    if (each.typedConfig !== undefined) return compile(context, each.typedConfig, scope, at) ?? [];
    context.refuse(at, 'must be there');
    return [];
  });
  const name = filterChain === undefined ? (typedConfig?.name ?? '') : 'filter_chain';
  return { name, filters, chance: liveFraction(context.deps.runtime, samplePercent, 1) };
}
