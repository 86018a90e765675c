/** Matchers of filters: what switches them off, and what a composite filter stands for. */
import fc, { type Arbitrary } from 'fast-check';
import { among, one, some } from './arbitrary.ts';
import { asking, named } from './matcher-trees.ts';

const COMPOSITE = 'http.composite.v3';
const MATCHING = 'envoy.extensions.common.matching.v3.ExtensionWithMatcher';

const skip: Arbitrary<object> = fc.constant(
  named({ '@': 'envoy.extensions.filters.common.matcher.action.v3.SkipFilter' }),
);

/** `inner`: configurations of filters with their types. */
export function matchers(inner: Arbitrary<object>): {
  readonly composite: Arbitrary<object>;
  readonly matched: Arbitrary<object>;
  readonly compositePerRoute: Arbitrary<object>;
  readonly matchedPerRoute: Arbitrary<object>;
} {
  const chain = fc.array(inner.map(named), { minLength: 1, maxLength: 2 }).map((typedConfig) => ({ typedConfig }));
  const execute = among<object>(
    inner.map((each) => ({ typedConfig: named(each) })),
    chain.map((filterChain) => ({ filterChain })),
    one({ filterChainName: 'one' }, { filterChainName: 'gone' }),
  ).map((each) => named({ '@': `${COMPOSITE}.ExecuteFilterAction`, ...each }));
  // Only about requests: of other things Envoy asks about answers to requests, too, that did not come to the filter (`matchers-of-answers`).
  const asks = asking(among<object>(execute, execute, skip), 'filters');
  const matcher = among<object>(asks, asks, fc.constant({}));
  const composite = some({ namedFilterChains: chain.map((each) => ({ one: each })), matcher }, 2).map((each) => ({
    '@': `${COMPOSITE}.Composite`,
    ...each,
  }));
  return {
    composite,
    matched: fc
      .record({ inside: among<object>(inner, composite), xdsMatcher: some({ xdsMatcher: matcher }, 2) })
      .map(({ inside, xdsMatcher }) => ({ '@': MATCHING, extensionConfig: named(inside), ...xdsMatcher })),
    compositePerRoute: matcher.map((each) => ({ '@': `${COMPOSITE}.CompositePerRoute`, matcher: each })),
    matchedPerRoute: matcher.map((each) => ({ '@': `${MATCHING}PerRoute`, xdsMatcher: each })),
  };
}
