/** RBAC by matcher trees beside real Envoy, for requests and connections, and decisions on each read. */
import { beforeAll, expect, test } from 'vitest';
import { observeBoth, TYPE, type BesideCase, type Observed } from '../testing/beside.ts';

const NETWORK = `${TYPE}envoy.extensions.matching.common_inputs.network.v3`;
const SSL = `${TYPE}envoy.extensions.matching.common_inputs.ssl.v3`;
const any = (type: string, more: object = {}): object => ({ name: 'x', typedConfig: { '@type': type, ...more } });
const header = (headerName: string): object =>
  any(`${TYPE}envoy.type.matcher.v3.HttpRequestHeaderMatchInput`, { headerName });
const action = (name: string, kind = 'ALLOW'): object => ({
  action: any(`${TYPE}envoy.config.rbac.v3.Action`, { name, action: kind }),
});
const single = (input: object, valueMatch: object): object => ({ singlePredicate: { input, valueMatch } });
const custom = (input: object, customMatch: object): object => ({ singlePredicate: { input, customMatch } });
const when = (predicate: object, onMatch: object): object => ({ predicate, onMatch });
const list = (...matchers: object[]): object => ({ matcherList: { matchers } });
const filter = (more: object): object => ({
  name: 'envoy.filters.http.rbac',
  typedConfig: { '@type': `${TYPE}envoy.extensions.filters.http.rbac.v3.RBAC`, ...more },
});
const network = (more: object, name = 'tcp'): object => ({
  name: 'envoy.filters.network.rbac',
  typedConfig: { '@type': `${TYPE}envoy.extensions.filters.network.rbac.v3.RBAC`, statPrefix: `${name}.`, ...more },
});
const get = (path: string, ...fields: string[]): string =>
  [`GET ${path} HTTP/1.1`, 'host: h', ...fields, '', ''].join('\r\n');
const asked = [get('/a'), get('/b'), get('/a', 'x: y'), get('/b', 'x: z'), get('/c', 'x: y', 'x: z')];
const path = (exact: string): object => single(header(':path'), { exact });
const x = (exact: string): object => single(header('x'), { exact });
const one = (name: string, matcher: object, ask = asked): BesideCase => ({ name, filters: [filter({ matcher })], ask });
const input = (name: string, more?: object): object => any(`${NETWORK}.${name}`, more);
const ip = (prefix: string): object =>
  any(`${TYPE}envoy.extensions.matching.input_matchers.ip.v3.Ip`, {
    cidrRanges: [{ addressPrefix: prefix, prefixLen: 8 }],
    statPrefix: 'ip',
  });
const state = (objectKey: string, factoryKey: string, inlineString: string): object => ({
  name: 'state',
  typedConfig: {
    '@type': `${TYPE}envoy.extensions.filters.http.set_filter_state.v3.Config`,
    onRequestHeaders: [{ objectKey, factoryKey, formatString: { textFormatSource: { inlineString } } }],
  },
});
const metadata = {
  name: 'metadata',
  typedConfig: {
    '@type': `${TYPE}envoy.extensions.filters.http.set_metadata.v3.Config`,
    metadata: [{ metadataNamespace: 'a', value: { b: { c: 'text' } } }],
  },
};
const tagged = (value: object, invert = false): object =>
  custom(
    input('DynamicMetadataInput', { filter: 'a', path: [{ key: 'b' }, { key: 'c' }] }),
    any(`${TYPE}envoy.extensions.matching.input_matchers.metadata.v3.Metadata`, { value, invert }),
  );
const expression = (expr: object): object =>
  custom(
    any(`${TYPE}xds.type.matcher.v3.HttpAttributesCelMatchInput`),
    any(`${TYPE}xds.type.matcher.v3.CelMatcher`, { exprMatch: { celExprParsed: { expr } } }),
  );
const ofRequest = (field: string): object => ({
  selectExpr: { operand: { identExpr: { name: 'request' } }, field },
});
const allowed = list(when({ notMatcher: path('/no') }, action('all')));
const setOnConnection = {
  name: 'state',
  typedConfig: {
    '@type': `${TYPE}envoy.extensions.filters.network.set_filter_state.v3.Config`,
    onNewConnection: [
      { objectKey: 'k', factoryKey: 'envoy.string', formatString: { textFormatSource: { inlineString: 'v' } } },
    ],
  },
};
const policy = (principal: object): object => ({
  policies: { one: { permissions: [{ any: true }], principals: [principal] } },
});
const split = (name: string): string => `GET / HTTP/1.1\r\nhost: ${name}\r\ncontent-length: 3\r\n\r\nabc`;

const CASES: readonly BesideCase[] = [
  one('the first match counts', list(when(path('/a'), action('a')), when(x('y'), action('y', 'DENY')))),
  one('what leads to nothing goes on', {
    ...list(
      when(path('/a'), { matcher: list(when(x('y'), action('inner'))) }),
      when(path('/a'), action('later', 'DENY')),
    ),
    onNoMatch: action('otherwise'),
  }),
  one(
    'or, and, not',
    list(
      when(
        { orMatcher: { predicate: [path('/a'), path('/b')] } },
        { matcher: list(when({ notMatcher: x('z') }, action('or'))) },
      ),
      when({ andMatcher: { predicate: [path('/c'), x('y,z')] } }, action('and')),
    ),
  ),
  one('forbidden otherwise', { onNoMatch: action('no', 'DENY') }),
  one('logged', { ...list(when(path('/a'), action('log', 'LOG'))), onNoMatch: action('yes') }),
  one('by map', {
    matcherTree: { input: header(':path'), exactMatchMap: { map: { '/a': action('a'), '/b': action('b', 'DENY') } } },
  }),
  one('by prefix', {
    matcherTree: { input: header(':path'), prefixMatchMap: { map: { '/': action('all'), '/b': action('b', 'DENY') } } },
  }),
  one('by absent field', list(when({ notMatcher: x('y') }, action('not y')))),
  one('by host', list(when(single(header('host'), { prefix: 'h' }), action('h')))),
  ...['DestinationIPInput', 'SourceIPInput', 'DirectSourceIPInput', 'ServerNameInput'].flatMap((name) => [
    one(`by ${name}`, list(when(single(input(name), { exact: '127.0.0.1' }), action('it'))), [get('/')]),
    one(`without ${name}`, list(when({ notMatcher: single(input(name), { exact: '127.0.0.1' }) }, action('it'))), [
      get('/'),
    ]),
    one(`in range of ${name}`, list(when(custom(input(name), ip('127.0.0.0')), action('it'))), [get('/')]),
  ]),
  one(
    'by port',
    list(when(single(input('DestinationPortInput'), { safeRegex: { googleRe2: {}, regex: '\\d+' } }), action('it'))),
    [get('/')],
  ),
  one(
    'by a tree of ranges',
    {
      matcherTree: {
        input: input('SourceIPInput'),
        customMatch: any(`${TYPE}xds.type.matcher.v3.IPMatcher`, {
          rangeMatchers: [
            { ranges: [{ addressPrefix: '127.0.0.0', prefixLen: 8 }], onMatch: action('local') },
            { ranges: [{ addressPrefix: '0.0.0.0', prefixLen: 0 }], onMatch: action('any', 'DENY') },
          ],
        }),
      },
    },
    [get('/')],
  ),
  ...['UriSanInput', 'DnsSanInput', 'SubjectInput'].map((name) =>
    one(
      `without TLS, by ${name}`,
      list(when({ notMatcher: single(any(`${SSL}.${name}`), { exact: '' }) }, action('it'))),
      [get('/')],
    ),
  ),
  {
    name: 'by filter state',
    filters: [
      state('k', 'envoy.string', '%REQ(x)%'),
      filter({ matcher: list(when(single(input('FilterStateInput', { key: 'k' }), { exact: 'y' }), action('y'))) }),
    ],
    ask: asked,
  },
  ...[{ stringMatch: { exact: 'text' } }, { presentMatch: true }, { stringMatch: { exact: 'other' } }].flatMap(
    (value) =>
      [false, true].map((invert) => ({
        name: `by metadata ${JSON.stringify(value)} ${invert}`,
        filters: [metadata, filter({ matcher: list(when(tagged(value, invert), action('it'))) })],
        ask: [get('/')],
      })),
  ),
  {
    name: 'by absent metadata',
    filters: [filter({ matcher: list(when(tagged({ presentMatch: false }), action('it'))) })],
    ask: [get('/')],
  },
  one(
    'by an expression',
    list(
      when(
        expression({ callExpr: { function: '_==_', args: [ofRequest('path'), { constExpr: { stringValue: '/a' } }] } }),
        action('a'),
      ),
    ),
  ),
  one('by an expression without a value', list(when(expression(ofRequest('nothing')), action('a')))),
  {
    name: 'by absent metadata, inverted',
    filters: [filter({ matcher: list(when(tagged({ presentMatch: true }, true), action('it'))) })],
    ask: [get('/')],
  },
  {
    name: 'rules that log',
    filters: [
      filter({
        rules: {
          action: 'LOG',
          policies: { a: { permissions: [{ urlPath: { path: { exact: '/a' } } }], principals: [{ any: true }] } },
        },
      }),
    ],
    ask: asked.slice(0, 2),
  },
  {
    name: 'shadow',
    filters: [
      filter({
        matcher: allowed,
        shadowMatcher: list(when(path('/a'), action('shadow'))),
        shadowRulesStatPrefix: 'sh_',
        rulesStatPrefix: 'en_',
      }),
    ],
    ask: asked.slice(0, 2),
  },
  {
    name: 'a matcher beside rules',
    filters: [filter({ matcher: allowed, rules: policy({ notId: { any: true } }) })],
    ask: asked.slice(0, 1),
  },
  {
    name: 'of a route',
    filters: [filter({ matcher: allowed })],
    perRoute: {
      'envoy.filters.http.rbac': {
        '@type': `${TYPE}envoy.extensions.filters.http.rbac.v3.RBACPerRoute`,
        rbac: { matcher: list(when(path('/a'), action('a'))) },
      },
    },
    ask: asked,
  },
  {
    name: 'a connection allowed',
    filters: [],
    network: [network({ matcher: list(when(custom(input('SourceIPInput'), ip('127.0.0.0')), action('local'))) }, 'a')],
    ask: [get('/')],
  },
  {
    name: 'a connection denied',
    filters: [],
    network: [network({ matcher: list(when(custom(input('SourceIPInput'), ip('10.0.0.0')), action('local'))) }, 'b')],
    ask: [get('/')],
  },
  {
    name: 'a connection by filter state',
    filters: [],
    network: [
      setOnConnection,
      network(
        { matcher: list(when(single(input('FilterStateInput', { key: 'k' }), { exact: 'v' }), action('v'))) },
        'c',
      ),
      network({ rules: policy({ filterState: { key: 'k', stringMatch: { exact: 'v' } } }) }, 'd'),
    ],
    ask: [get('/')],
  },
  {
    name: 'on each read',
    filters: [],
    network: [network({ rules: policy({ any: true }), enforcementType: 'CONTINUOUS' }, 'e')],
    ask: [get('/'), split('h')],
  },
  {
    name: 'denied on each read',
    filters: [],
    network: [network({ rules: policy({ notId: { any: true } }), enforcementType: 'CONTINUOUS' }, 'f')],
    ask: [get('/')],
  },
];

let both: { readonly theirs: Observed; readonly ours: Observed };
beforeAll(async () => {
  both = await observeBoth(
    CASES.map((one) => ({ ...one, more: { delayedCloseTimeout: '0s' } })),
    {
      clusters: {},
      logFormat:
        '%RESPONSE_CODE% %RESPONSE_CODE_DETAILS% %DYNAMIC_METADATA(envoy.filters.http.rbac)% %DYNAMIC_METADATA(envoy.common)%',
      statsFilter: 'rbac',
    },
  );
}, 60_000);

test.each(CASES.map(({ name }, i) => [name, i] as const))('%s', (_, i) => {
  expect(both.ours.answers[i]).toEqual(both.theirs.answers[i]);
});
test('access log', () => {
  expect(both.ours.log).toEqual(both.theirs.log);
});
test('counters', () => {
  expect(both.ours.stats).toEqual(both.theirs.stats);
});
