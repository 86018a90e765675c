/** Filters that are on for some routes and off for others, beside real Envoy. */
import { beforeAll, expect, test } from 'vitest';
import { routeTo } from '../process/testing/bootstraps.ts';
import { observeBoth, TYPE, type BesideCase, type Observed } from './testing/beside.ts';

const append = (key: string): object => ({ append: { header: { key, value: '1' } } });
const mutating = (name: string, disabled?: boolean): object => ({
  name,
  ...(disabled === undefined ? {} : { disabled }),
  typedConfig: {
    '@type': `${TYPE}envoy.extensions.filters.http.header_mutation.v3.HeaderMutation`,
    mutations: { requestMutations: [append(`x-${name}`)], responseMutations: [append(`x-${name}`)] },
  },
});
const config = (fields: object): object => ({ '@type': `${TYPE}envoy.config.route.v3.FilterConfig`, ...fields });
const plain = {
  '@type': `${TYPE}envoy.extensions.filters.http.header_mutation.v3.HeaderMutationPerRoute`,
  mutations: { requestMutations: [append('x-of-route')] },
};
const route = (path: string, perFilter: object, more: object = {}): object => ({
  ...routeTo('up'),
  match: { path },
  typedPerFilterConfig: perFilter,
  ...more,
});
const filters = [mutating('a'), mutating('b', true), mutating('c', false)];
const routes = [
  route('/off', { a: config({ disabled: true }) }),
  route('/on', { b: config({ config: plain }) }),
  route('/configured', { b: config({ config: plain }), a: config({ config: plain, disabled: true }) }),
  route('/plain', { a: plain, b: plain }),
  route('/all-off', { a: config({ disabled: true }), c: config({ disabled: true }) }),
  route('/answered', { a: config({ disabled: true }) }, { route: undefined, directResponse: { status: 200 } }),
  {
    ...route('/weighted', { a: config({ disabled: true }) }),
    route: {
      weightedClusters: {
        clusters: [{ name: 'up', weight: 1, typedPerFilterConfig: { b: plain } }],
      },
    },
  },
  { ...routeTo('up'), match: { path: '/as-is' } },
];
const paths = ['/off', '/on', '/configured', '/plain', '/all-off', '/answered', '/weighted', '/as-is', '/nowhere'];
const ask = paths.map((path) => `GET ${path} HTTP/1.1\r\nhost: h\r\n\r\n`);
const forward = {
  name: 'envoy.filters.http.dynamic_forward_proxy',
  typedConfig: {
    '@type': `${TYPE}envoy.extensions.filters.http.dynamic_forward_proxy.v3.FilterConfig`,
    dnsCacheConfig: { name: 'cache', dnsLookupFamily: 'V4_ONLY' },
  },
};

const CASES: readonly BesideCase[] = [
  { name: 'routes', filters, routes, ask },
  {
    name: 'a virtual host',
    filters,
    routes,
    virtualHost: { typedPerFilterConfig: { a: config({ disabled: true }), c: plain } },
    ask,
  },
  { name: 'only one that is off', filters: [mutating('b', true)], ask: ask.slice(0, 1) },
  {
    name: 'a host that is rewritten only for who connects to it',
    filters: [forward],
    perRoute: {
      'envoy.filters.http.dynamic_forward_proxy': {
        '@type': `${TYPE}envoy.extensions.filters.http.dynamic_forward_proxy.v3.PerRouteConfig`,
        hostRewriteLiteral: 'other.example',
      },
    },
    ask: ask.slice(0, 1),
  },
];

let theirs: Observed;
let ours: Observed;
beforeAll(async () => {
  const cases = CASES.map((one) => ({ ...one, more: { delayedCloseTimeout: '0.05s' } }));
  const logFormat = '%RESPONSE_CODE% %RESPONSE_CODE_DETAILS%';
  ({ theirs, ours } = await observeBoth(cases, { clusters: {}, logFormat, statsFilter: '^$' }));
}, 60_000);

test.each(
  CASES.flatMap(({ name, ask: all }, i) => all.map((text, j) => [`${name}: ${text.split(' ')[1]}`, i, j] as const)),
)('%s', (_name, i, j) => expect(ours.answers[i]![j]).toBe(theirs.answers[i]![j]));
