import type { types as xds } from '@mizzen/xds';
import type { CompileContext } from '../program/context.ts';
import { applyMutations, compileHeaderChange, type HeaderMutations } from '../program/headers.ts';
import type { Path } from '../program/path.ts';
import { asciiLower } from '../program/values.ts';
import type { HttpFilter } from '../types.ts';
import type { FilterScope } from './scope.ts';

interface Mutation {
  readonly remove?: string;
  readonly append?: xds.core.HeaderValueOption;
}
interface Mutations {
  readonly requestMutations?: readonly Mutation[];
  readonly responseMutations?: readonly Mutation[];
}
interface Config {
  readonly mutations?: Mutations;
}
interface Compiled {
  /** One a step: here, unlike in routes, additions and removals happen in the order given. */
  readonly request: readonly HeaderMutations[];
  readonly response: readonly HeaderMutations[];
}

export function compileHeaderMutationPerRoute(context: CompileContext, config: Config, path: Path): Compiled {
  const at = [...path, 'mutations'];
  return {
    request: mutationSteps(context, 'request', config.mutations?.requestMutations, [...at, 'requestMutations']),
    response: mutationSteps(context, 'response', config.mutations?.responseMutations, [...at, 'responseMutations']),
  };
}

/** What a list of mutations does, one step after the other. */
export function mutationSteps(
  context: CompileContext,
  of: 'request' | 'response',
  mutations: readonly Mutation[] | undefined,
  path: Path,
): HeaderMutations[] {
  return (mutations ?? []).flatMap((mutation, i) => {
    if (mutation.remove !== undefined) return { of, remove: [asciiLower(mutation.remove)], changes: [] };
    if (mutation.append === undefined) {
      context.refuse([...path, i], 'must say what to change');
      return [];
    }
    const change = compileHeaderChange(context, mutation.append, [...path, i, 'append']);
    return change === undefined ? [] : { of, remove: [], changes: [change] };
  });
}

/** Changes headers by the filter's own list and the route's. */
export function headerMutationFilter(
  context: CompileContext,
  config: Config,
  scope: FilterScope,
  path: Path,
): HttpFilter {
  const own = compileHeaderMutationPerRoute(context, config, path);
  return {
    name: scope.name,
    onRequest(stream) {
      const route = stream.perRoute(scope.name) as Compiled | undefined;
      for (const step of own.request) applyMutations(step, stream.request.headers, stream);
      for (const step of route?.request ?? []) applyMutations(step, stream.request.headers, stream);
      return undefined;
    },
    onResponse(stream) {
      if (stream.response === undefined) return undefined;
      const route = stream.perRoute(scope.name) as Compiled | undefined;
      for (const step of own.response) applyMutations(step, stream.response.headers, stream);
      for (const step of route?.response ?? []) applyMutations(step, stream.response.headers, stream);
      return undefined;
    },
  };
}
