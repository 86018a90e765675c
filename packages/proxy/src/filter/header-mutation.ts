import type { types as xds } from '@mizzen/xds';
import type { FormatOptions } from '../telemetry/operators/operator.ts';
import { Headers } from '../http/headers.ts';
import type { CompileContext } from '../program/context.ts';
import { applyMutations, compileHeaderChange, type HeaderMutations } from '../program/headers.ts';
import { compileString } from '../program/match/string.ts';
import type { Path } from '../program/path.ts';
import type { LogSource } from '../program/types.ts';
import { asciiLower } from '../program/values.ts';
import { compileFormatters } from '../telemetry/access-log-text.ts';
import type { HttpFilter, HttpStream } from '../types.ts';
import { FirstConfig } from './first-config.ts';
import { PerRouteKind } from './per-route-kind.ts';
import { compileQueryMutations, type QueryMutations } from './query-mutation.ts';
import type { FilterScope } from './scope.ts';

/** One a step: here, unlike in routes, additions and removals happen in the order given. */
interface Compiled {
  readonly request: readonly HeaderMutations[];
  readonly query: QueryMutations | undefined;
  readonly response: readonly HeaderMutations[];
  readonly requestTrailers: readonly HeaderMutations[];
  readonly responseTrailers: readonly HeaderMutations[];
}

/** The changes of a route and of all around it, outermost first. */
export const headerMutationPerRoute = new PerRouteKind(
  (context, config: xds.headerMutation.HeaderMutationPerRoute, path): readonly Compiled[] => [
    compileAll(context, config.mutations ?? {}, [...path, 'mutations']),
  ],
  (outer, inner) => [...outer, ...inner],
);

function compileAll(context: CompileContext, mutations: xds.headerMutation.Mutations, path: Path): Compiled {
  const formatOptions = compileFormatters(context, mutations.formatters, [...path, 'formatters']);
  const steps = (
    of: 'request' | 'response',
    field: 'requestMutations' | 'responseMutations' | 'requestTrailersMutations' | 'responseTrailersMutations',
  ): HeaderMutations[] => mutationSteps(context, of, mutations[field], [...path, field], formatOptions);
  return {
    request: steps('request', 'requestMutations'),
    query: compileQueryMutations(
      context,
      mutations.queryParameterMutations,
      [...path, 'queryParameterMutations'],
      formatOptions,
    ),
    response: steps('response', 'responseMutations'),
    requestTrailers: steps('request', 'requestTrailersMutations'),
    responseTrailers: steps('response', 'responseTrailersMutations'),
  };
}

/** What a list of mutations does, one step after the other. */
export function mutationSteps(
  context: CompileContext,
  of: 'request' | 'response',
  mutations: readonly xds.mutationRules.HeaderMutation[] | undefined,
  path: Path,
  formatOptions?: FormatOptions,
): HeaderMutations[] {
  return (mutations ?? []).flatMap((mutation, i) => {
    if (mutation.remove !== undefined) return { of, remove: [asciiLower(mutation.remove)], changes: [] };
    if (mutation.removeOnMatch !== undefined) {
      const at = [...path, i, 'removeOnMatch', 'keyMatcher'];
      if (mutation.removeOnMatch.keyMatcher === undefined) context.refuse(at, 'must say which fields go');
      const name = compileString(context, mutation.removeOnMatch.keyMatcher ?? { exact: '' }, at);
      return { of, remove: [], removeIf: name.matches, changes: [] };
    }
    if (mutation.append === undefined) {
      context.refuse([...path, i], 'must say what to change');
      return [];
    }
    const change = compileHeaderChange(context, mutation.append, [...path, i, 'append'], formatOptions);
    return change === undefined ? [] : { of, remove: [], changes: [change] };
  });
}

function run(steps: readonly HeaderMutations[], headers: Headers, source: LogSource): void {
  for (const step of steps) applyMutations(step, headers, source);
}

/** Changes headers, trailers and query parameters by the filter's own list and those of the route and what is around it. */
export function headerMutationFilter(
  context: CompileContext,
  config: xds.headerMutation.HeaderMutation,
  scope: FilterScope,
  path: Path,
): HttpFilter {
  const own = compileAll(context, config.mutations ?? {}, [...path, 'mutations']);
  const specificLast = config.mostSpecificHeaderMutationsWins === true;
  const orders = new WeakMap<readonly Compiled[], readonly Compiled[]>();
  const alone = [own];
  const all = new FirstConfig((stream): readonly Compiled[] => {
    const route = headerMutationPerRoute.merged(stream, scope.name);
    if (route === undefined) return alone;
    let order = orders.get(route);
    if (order === undefined) orders.set(route, (order = [own, ...(specificLast ? route : route.toReversed())]));
    return order;
  });
  const trailers = (
    stream: HttpStream,
    given: readonly string[],
    which: 'requestTrailers' | 'responseTrailers',
  ): readonly string[] => {
    const changed = new Headers([...given]);
    for (const level of all.of(stream)) run(level[which], changed, stream);
    return changed.flat;
  };
  return {
    name: scope.name,
    onRequest(stream) {
      for (const level of all.begin(stream)) {
        run(level.request, stream.request.headers, stream);
        level.query?.(stream.request, stream);
      }
      return undefined;
    },
    onResponse(stream) {
      if (stream.response === undefined) return undefined;
      for (const level of all.of(stream)) run(level.response, stream.response.headers, stream);
      return undefined;
    },
    onRouteCleared: (stream) => all.keep(stream),
    onRequestTrailers: (stream, given) => trailers(stream, given, 'requestTrailers'),
    onResponseTrailers: (stream, given) => trailers(stream, given, 'responseTrailers'),
  };
}
