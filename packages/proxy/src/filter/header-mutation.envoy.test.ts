/** Changes of headers, trailers and query parameters beside real Envoy. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { observeBoth, startRaw, TYPE, type BesideCase, type Echo, type Observed } from './testing/beside.ts';

const NAME = 'envoy.filters.http.header_mutation';
const V3 = `${TYPE}envoy.extensions.filters.http.header_mutation.v3`;
const filter = (mutations: object, more: object = {}): object => ({
  name: NAME,
  typedConfig: { '@type': `${V3}.HeaderMutation`, mutations, ...more },
});
const below = (mutations: object): object => ({ [NAME]: { '@type': `${V3}.HeaderMutationPerRoute`, mutations } });
const set = (key: string, value: string, appendAction = 'APPEND_IF_EXISTS_OR_ADD'): object => ({
  append: { header: { key, value }, appendAction },
});
const query = (key: string, value: string, action = 'APPEND_IF_EXISTS_OR_ADD'): object => ({
  append: { record: { key, value }, action },
});
const queries = (list: object[]): object => filter({ queryParameterMutations: list });
const get = (path: string, ...fields: string[]): string =>
  [`GET ${path} HTTP/1.1`, 'host: h', ...fields, '', ''].join('\r\n');
const PATHS = [
  '/',
  '/?',
  '/?a',
  '/?a=',
  '/?a=1',
  '/?a=1&a=2',
  '/?b=1&a=2&b=3',
  '/?z=1&b=2',
  '/?&&a=1&',
  '/?=1',
  '/?a=1=2',
  '/?a=%20x&b=+',
  '/?A=1',
  '/?a=1?b=2',
  '/?a=1#f',
  '/?%61=1&%61&b=%zz%4',
].map((path) => get(path));
const actions = ['APPEND_IF_EXISTS_OR_ADD', 'ADD_IF_ABSENT', 'OVERWRITE_IF_EXISTS_OR_ADD', 'OVERWRITE_IF_EXISTS'];
const chunked = (body: string): string =>
  `POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\ntrailer: x\r\n\r\n${body}`;
const level = (name: string): object => ({
  requestMutations: [set('x-level', name, 'OVERWRITE_IF_EXISTS_OR_ADD'), set('x-all', name)],
  responseMutations: [set('x-level', name, 'OVERWRITE_IF_EXISTS_OR_ADD'), set('x-all', name)],
  queryParameterMutations: [query('l', name, 'OVERWRITE_IF_EXISTS_OR_ADD'), query('all', name)],
});
const levels = (more: object): BesideCase => ({
  name: `levels ${JSON.stringify(more)}`,
  filters: [filter(level('filter'), more)],
  virtualHost: { typedPerFilterConfig: below(level('host')) },
  routes: [
    {
      match: { prefix: '/' },
      route: {
        weightedClusters: { clusters: [{ name: 'up', weight: 1, typedPerFilterConfig: below(level('cluster')) }] },
      },
      typedPerFilterConfig: below(level('route')),
    },
  ],
  ask: [get('/')],
});

const CASES: readonly BesideCase[] = [
  ...actions.map((action) => ({ name: action, filters: [queries([query('a', 'new', action)])], ask: PATHS })),
  { name: 'removed', filters: [queries([{ remove: 'a' }])], ask: PATHS },
  {
    name: 'one after the other, with operators',
    filters: [
      queries([
        { remove: 'a' },
        query('a', '%REQ(x-v)%'),
        query('b', '%REQ(:path)%'),
        query('c', '%REQ(x-none)%'),
        query('k k', "~!'()*é/%%"),
      ]),
    ],
    ask: [get('/p?a=1', 'x-v: v v'), get('/p')],
  },
  {
    name: 'fields removed by name',
    filters: [
      filter({
        requestMutations: [{ removeOnMatch: { keyMatcher: { prefix: 'x-a' } } }, set('x-ab', 'later')],
        responseMutations: [{ removeOnMatch: { keyMatcher: { safeRegex: { regex: 'x-.*' } } } }],
      }),
    ],
    ask: [get('/', 'x-a: 1', 'x-ab: 2', 'x-b: 3', 'X-Ac: 4', 'x-a: 5')],
  },
  {
    name: 'fields removed in any case',
    filters: [filter({ requestMutations: [{ removeOnMatch: { keyMatcher: { exact: 'X-A', ignoreCase: true } } }] })],
    ask: [get('/', 'x-a: 1', 'x-ab: 2')],
  },
  {
    name: 'expressions',
    filters: [
      filter({
        requestMutations: [set('x-cel', '%CEL(request.path + "!")%')],
        formatters: [
          {
            name: 'envoy.formatter.cel',
            typedConfig: {
              '@type': `${TYPE}envoy.extensions.formatter.cel.v3.Cel`,
              celConfig: { enableStringConcat: true },
            },
          },
        ],
      }),
    ],
    ask: [get('/p')],
  },
  levels({}),
  levels({ mostSpecificHeaderMutationsWins: true }),
  {
    name: 'trailers of requests',
    filters: [
      filter({
        requestTrailersMutations: [set('x-new', '%REQ(:method)%'), { remove: 'x-gone' }, set('x-kept', 'more')],
        responseTrailersMutations: [set('x-never', '1')],
      }),
    ],
    more: { httpProtocolOptions: { enableTrailers: true } },
    ask: [chunked('1\r\na\r\n0\r\nx-gone: 1\r\nx-kept: 2\r\n\r\n'), chunked('1\r\na\r\n0\r\n\r\n')],
  },
  {
    name: 'trailers of responses',
    filters: [
      filter({
        responseMutations: [set('x-head', '1')],
        responseTrailersMutations: [set('x-new', '%RESPONSE_CODE%'), { remove: 'x-gone' }, set('x-kept', 'more')],
      }),
    ],
    routes: [{ match: { prefix: '/' }, route: { cluster: 'trailing' } }],
    more: { httpProtocolOptions: { enableTrailers: true } },
    ask: [get('/')],
  },
];

let trailing: Echo;
let both: { readonly theirs: Observed; readonly ours: Observed };
beforeAll(async () => {
  trailing = await startRaw(
    () => 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\nx-gone: 1\r\nx-kept: 2\r\n\r\n',
  );
  const trailers = {
    typedExtensionProtocolOptions: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
        '@type': `${TYPE}envoy.extensions.upstreams.http.v3.HttpProtocolOptions`,
        explicitHttpConfig: { httpProtocolOptions: { enableTrailers: true } },
      },
    },
  };
  both = await observeBoth(CASES, {
    clusters: { trailing: trailing.port },
    clusterOptions: { up: trailers, trailing: trailers },
    logFormat: '%RESPONSE_CODE%',
    statsFilter: 'nothing',
  });
}, 60_000);
afterAll(() => trailing.stop());

test.each(CASES.map(({ name }, i) => [name, i] as const))('%s', (_, i) => {
  expect(both.ours.answers[i]).toEqual(both.theirs.answers[i]);
});
