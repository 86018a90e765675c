import type { types } from '@mizzen/xds';
import type { CompileContext } from '../../program/context.ts';
import { ALL_OF_REQUESTS, knownOf, type Asked } from '../../program/match/known.ts';
import { compileMatcher, type MatcherConfig } from '../../program/match/matcher.ts';
import type { Path } from '../../program/path.ts';
import { messageOf } from '../../program/read-resource.ts';
import { liveFraction } from '../../runtime/live.ts';
import type { HttpStream } from '../../types.ts';
import type { CompileFilter, FilterScope } from '../scope.ts';
import { groupOf, type Group } from './chosen.ts';

const EXECUTE = 'envoy.extensions.filters.http.composite.v3.ExecuteFilterAction';
const SKIP = 'envoy.extensions.filters.common.matcher.action.v3.SkipFilter';

/** Filters that an action names, and how likely it is that they run. */
export interface Execution {
  readonly name: string;
  /** Undefined: those of the composite filter's chain of that name. */
  readonly group: Group | undefined;
  readonly chance: { readonly value: number };
}

/** What is to be done with a filter; undefined: nothing matches. */
export type Tree = (stream: HttpStream) => Execution | 'skip' | undefined;

/** `scope` is that of the filters which actions bring. */
export function compileTree(
  context: CompileContext,
  matcher: object,
  scope: FilterScope,
  path: Path,
  compile: CompileFilter,
): Tree {
  const choose = compileMatcher<Asked, Execution | 'skip'>(
    context,
    matcher as MatcherConfig,
    {
      ...knownOf(ALL_OF_REQUESTS),
      action: (_, action, at) => {
        const config = action?.typedConfig;
        const inside = [...at, 'typedConfig'];
        const type = messageOf(config?.['@type'] ?? '');
        if (type === SKIP) return 'skip';
        if (type === EXECUTE)
          return compileExecution(context, config as types.composite.ExecuteFilterAction, scope, inside, compile);
        context.refuse(inside, `\`${type}\`: must be a ${EXECUTE} or a ${SKIP}`);
        return undefined;
      },
    },
    path,
  );
  return ({ info, request }) => choose({ connection: info.connection, request, info });
}

/** Of several that are given Envoy takes a chain, or else the name of one. */
function compileExecution(
  context: CompileContext,
  { typedConfig, filterChain, filterChainName = '', samplePercent }: types.composite.ExecuteFilterAction,
  scope: FilterScope,
  path: Path,
  compile: CompileFilter,
): Execution {
  const chance = liveFraction(context.deps.runtime, samplePercent, 1);
  if (filterChain !== undefined) {
    const group = compileChain(context, filterChain, scope, [...path, 'filterChain'], compile);
    return { name: 'filter_chain', group, chance };
  }
  if (filterChainName !== '') return { name: filterChainName, group: undefined, chance };
  const config = typedConfig?.typedConfig;
  if (config === undefined) context.refuse(path, 'must have `typedConfig`, `filterChain` or `filterChainName`');
  const filter =
    config === undefined ? undefined : compile(context, config, scope, [...path, 'typedConfig', 'typedConfig']);
  return { name: typedConfig?.name ?? '', group: groupOf(filter === undefined ? [] : [filter]), chance };
}

export function compileChain(
  context: CompileContext,
  { typedConfig = [] }: types.composite.FilterChainConfiguration,
  scope: FilterScope,
  path: Path,
  compile: CompileFilter,
): Group {
  if (typedConfig.length === 0) context.refuse([...path, 'typedConfig'], 'must have a filter');
  return groupOf(
    typedConfig.flatMap(({ typedConfig: config }, i) => {
      const at = [...path, 'typedConfig', i, 'typedConfig'];
      if (config !== undefined) return compile(context, config, scope, at) ?? [];
      context.refuse(at, 'must be there');
      return [];
    }),
  );
}
