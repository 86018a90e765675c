/** Matchers: lists and trees of what is asked, down to something that is done. */
import fc, { type Arbitrary } from 'fast-check';
import { among, flag, merged, one, some } from './arbitrary.ts';

export const named = (typedConfig: object): object => ({ name: 'in', typedConfig });
const typed = (type: string, fields: object = {}): object => named({ '@': type, ...fields });

/** What all that is chosen by requests may be asked for. */
const fields = ['x-a', ':path', ':method', 'x-b', ':authority', 'cookie'].map((headerName) =>
  typed('envoy.type.matcher.v3.HttpRequestHeaderMatchInput', { headerName }),
);
const queryParam = typed('envoy.type.matcher.v3.HttpRequestQueryParamMatchInput', { queryParam: 'q' });
const filterState = typed('envoy.extensions.matching.common_inputs.network.v3.FilterStateInput', { key: 'k' });
/** Clusters: what more they may ask for Envoy dies of (`crashes`). */
const inputs = {
  filters: one<object>(...fields, queryParam),
  routes: one<object>(...fields),
  clusters: one<object>(...fields, filterState),
};
const ip = (prefix: string): object =>
  typed('envoy.extensions.matching.input_matchers.ip.v3.Ip', {
    cidrRanges: [{ addressPrefix: prefix, prefixLen: 8 }],
    statPrefix: 'ip',
  });
const test: Arbitrary<object> = among<object>(
  merged(
    one<object>(
      { exact: '1' },
      { prefix: '/a' },
      { suffix: 'b' },
      { contains: 'e' },
      { safeRegex: { googleRe2: {}, regex: '[a-z0-9/]+' } },
      { exact: 'GET' },
    ),
    some({ ignoreCase: flag }, 5),
  )
    .filter((each) => !('safeRegex' in each && 'ignoreCase' in each))
    .map((valueMatch) => ({ valueMatch })),
  one<object>(
    { customMatch: ip('127.0.0.0') },
    { customMatch: ip('1.0.0.0') },
    {
      customMatch: typed('envoy.extensions.matching.input_matchers.consistent_hashing.v3.ConsistentHashing', {
        modulo: 5,
        threshold: 3,
        seed: 7,
      }),
    },
  ),
);
function predicateOf(input: Arbitrary<object>): Arbitrary<object> {
  const single: Arbitrary<object> = fc
    .record({ input, test })
    .map(({ input: of, test: by }) => ({ singlePredicate: { input: of, ...by } }));
  return among<object>(
    single,
    single.map((notMatcher) => ({ notMatcher })),
    fc.array(single, { minLength: 2, maxLength: 2 }).map((each) => ({ andMatcher: { predicate: each } })),
    fc.array(single, { minLength: 2, maxLength: 2 }).map((each) => ({ orMatcher: { predicate: each } })),
  );
}

const plainTree = (input: Arbitrary<object>, onMatch: Arbitrary<object>): Arbitrary<object> =>
  among<object>(
    fc
      .record({
        input,
        kind: one('prefixMatchMap', 'exactMatchMap'),
        keys: one(['1'], ['/a', '/'], ['GET', '5'], ['/a/b', '/a']),
        first: onMatch,
        second: onMatch,
      })
      .map(({ input: of, kind, keys: [one1, two], first, second }) => ({
        matcherTree: {
          input: of,
          [kind]: { map: { [one1!]: first, ...(two === undefined ? {} : { [two]: second }) } },
        },
      })),
    fc
      .array(fc.record({ predicate: predicateOf(input), onMatch }), { minLength: 1, maxLength: 2 })
      .map((matchers) => ({ matcherList: { matchers } })),
  );

/** Always one that asks: what `onNoMatch` says comes besides. */
export function asking(action: Arbitrary<object>, about: keyof typeof inputs): Arbitrary<object> {
  const input = inputs[about];
  const plain = action.map((each) => ({ action: each }));
  const inner = merged(plainTree(input, plain), some({ onNoMatch: plain }, 2)).map((matcher) => ({ matcher }));
  const onMatch = fc.oneof({ withCrossShrink: true }, { weight: 3, arbitrary: plain }, { weight: 1, arbitrary: inner });
  return merged(plainTree(input, onMatch), some({ onNoMatch: onMatch }, 3));
}
