import type { types } from '@mizzen/xds';
import type { CompileContext } from '../../program/context.ts';
import type { Path } from '../../program/path.ts';
import { messageOf } from '../../program/read-resource.ts';
import type { HttpFilter } from '../../types.ts';
import { PerRouteKind } from '../per-route-kind.ts';
import type { CompileFilter, FilterScope } from '../scope.ts';
import { chosenFilter, groupOf, NOBODY } from './chosen.ts';
import { COMPOSITE, compileComposite, compileTreeOfRoute } from './composite.ts';
import { compileTree, type Tree } from './tree.ts';

/** The tree of a route, in place of the filter's own. */
export const matcherPerRoute = new PerRouteKind(
  (context, { xdsMatcher = {} }: types.matching.ExtensionWithMatcherPerRoute, path, place) =>
    compileTreeOfRoute(context, xdsMatcher, [...path, 'xdsMatcher'], place),
);

/** A filter that matchers switch off; one that stands for others is told by them which, too. */
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
  // Only routes switch it on, where it has no matcher itself.
  const own: Tree =
    config.xdsMatcher === undefined
      ? () => 'skip'
      : compileTree(context, config.xdsMatcher, scope, [...path, 'xdsMatcher'], compile);
  if (messageOf(inner['@type']) === COMPOSITE) {
    const choose = compileComposite(context, inner as types.composite.Composite, scope, at, compile);
    return chosenFilter(
      scope.name,
      (stream) => {
        const found = (matcherPerRoute.mostSpecific(stream, scope.name) ?? own)(stream);
        return found === 'skip' ? NOBODY : choose(stream, found);
      },
      NOBODY,
    );
  }
  // It has the name of the one that stands for it, and what routes say of that.
  const filter = compile(context, inner, scope, at);
  if (filter === undefined) return undefined;
  const all = groupOf([filter]);
  return chosenFilter(
    scope.name,
    (stream) => ((matcherPerRoute.mostSpecific(stream, scope.name) ?? own)(stream) === 'skip' ? NOBODY : all),
    config.xdsMatcher === undefined ? NOBODY : all,
    all.forward,
  );
}
