/** Matchers of filters: what switches them off, and what a composite filter stands for. */
import fc, { type Arbitrary } from 'fast-check';
import { among, merged, one, some } from './arbitrary.ts';

const COMPOSITE = 'http.composite.v3';
const MATCHING = 'envoy.extensions.common.matching.v3.ExtensionWithMatcher';

const named = (typedConfig: object): object => ({ name: 'in', typedConfig });
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
  const onMatch = among<object>(execute, execute, skip).map((action) => ({ action }));
  const tree = fc
    .record({
      input: one(['x-a', '1'], ['x-a', '5'], [':path', '/a'], [':method', 'G']),
      kind: one('prefixMatchMap', 'exactMatchMap'),
      onMatch,
    })
    .map(({ input: [headerName, value], kind, onMatch: found }) => ({
      matcherTree: {
        input: named({ '@': 'envoy.type.matcher.v3.HttpRequestHeaderMatchInput', headerName }),
        [kind]: { map: { [value!]: found } },
      },
    }));
  // Never `onNoMatch` alone, which Envoy asks about answers to requests that did not come to the filter (`matchers-of-answers`).
  const asks = merged(tree, some({ onNoMatch: onMatch }, 3));
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
