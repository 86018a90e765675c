/** Local rate limits beside real Envoy: buckets for all, by descriptor and by connection. */
import { beforeAll, expect, test } from 'vitest';
import { observeBoth, TYPE, type BesideCase, type Observed } from './testing/beside.ts';

const always = { defaultValue: { numerator: 100 }, runtimeKey: 'k' };
const tokens = (maxTokens: number): object => ({ maxTokens, tokensPerFill: 1, fillInterval: '3600s' });
const config = (more: object): object => ({
  '@type': `${TYPE}envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit`,
  statPrefix: 'limit',
  tokenBucket: tokens(100),
  filterEnabled: always,
  filterEnforced: always,
  enableXRatelimitHeaders: 'DRAFT_VERSION_03',
  ...more,
});
const filter = (more: object): object => ({ name: 'envoy.filters.http.local_ratelimit', typedConfig: config(more) });
const get = (...fields: string[]): string => ['GET / HTTP/1.1', 'host: h', ...fields, '', ''].join('\r\n');
const by = (...names: string[]): object => ({
  actions: names.map((headerName) => ({ requestHeaders: { headerName, descriptorKey: headerName } })),
});
const counted = (rateLimits: readonly object[], more: object = {}): readonly object[] => [
  { match: { prefix: '/' }, route: { cluster: 'up', rateLimits }, ...more },
];
const rule = (max: number, ...entries: [string, string][]): object => ({
  entries: entries.map(([key, value]) => ({ key, ...(value === '' ? {} : { value }) })),
  tokenBucket: tokens(max),
});
const users = [get('x-user: a'), get('x-user: a'), get('x-user: b'), get('x-user: b'), get(), get('x-user: a')];
const grpc = get('content-type: application/grpc');

const CASES: readonly BesideCase[] = [
  { name: 'for all', filters: [filter({ tokenBucket: tokens(1) })], ask: [get(), get(), grpc] },
  {
    name: 'exhausted',
    filters: [filter({ tokenBucket: tokens(1), rateLimitedAsResourceExhausted: true, status: { code: 503 } })],
    ask: [get(), grpc, get()],
  },
  {
    name: 'by one value',
    filters: [filter({ descriptors: [rule(1, ['x-user', 'a'])] })],
    routes: counted([by('x-user')]),
    ask: users,
  },
  {
    name: 'each value for itself',
    filters: [filter({ descriptors: [rule(1, ['x-user', ''])] })],
    routes: counted([by('x-user')]),
    ask: users,
  },
  {
    name: 'the usual bucket counts too',
    filters: [filter({ tokenBucket: tokens(2), descriptors: [rule(5, ['x-user', 'a'])] })],
    routes: counted([by('x-user')]),
    ask: users,
  },
  {
    name: 'the usual bucket is for others',
    filters: [
      filter({
        tokenBucket: tokens(1),
        descriptors: [rule(2, ['x-user', 'a'])],
        alwaysConsumeDefaultTokenBucket: false,
      }),
    ],
    routes: counted([by('x-user')]),
    ask: users,
  },
  {
    name: 'several descriptors, one of two entries',
    filters: [filter({ descriptors: [rule(3, ['x-user', 'a']), rule(1, ['x-user', 'a'], ['x-path', 'p'])] })],
    routes: counted([by('x-user', 'x-path'), by('x-user')]),
    ask: [
      get('x-user: a'),
      get('x-user: a', 'x-path: p'),
      get('x-user: a', 'x-path: p'),
      get('x-user: a'),
      get('x-user: a'),
    ],
  },
  {
    name: 'the list of the filter, with weights',
    filters: [
      filter({
        descriptors: [rule(5, ['x-user', 'a'])],
        rateLimits: [{ ...by('x-user'), hitsAddend: { number: '2' } }],
      }),
    ],
    routes: counted([by('other')]),
    ask: users,
  },
  {
    name: 'a stage, and the list of the host',
    filters: [filter({ descriptors: [rule(1, ['x-user', 'a'])], stage: 1, vhRateLimits: 'INCLUDE' })],
    virtualHost: { rateLimits: [{ stage: 1, ...by('x-user') }] },
    routes: counted([by('x-user')]),
    ask: users,
  },
  {
    name: 'of the route',
    filters: [filter({})],
    routes: counted([by('x-user')], {
      typedPerFilterConfig: {
        'envoy.filters.http.local_ratelimit': config({ descriptors: [rule(1, ['x-user', 'a'])] }),
      },
    }),
    ask: users,
  },
  {
    name: 'by connection',
    filters: [filter({ tokenBucket: tokens(1), localRateLimitPerDownstreamConnection: true })],
    ask: [get(), get()],
  },
];

let theirs: Observed;
let ours: Observed;
beforeAll(async () => {
  const logFormat = '%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS%';
  ({ theirs, ours } = await observeBoth(CASES, { clusters: {}, logFormat, statsFilter: 'http_local_rate_limit' }));
}, 120_000);

/** Both round the hour that is left down, at different moments. */
const steady = (text: string): string =>
  text.replaceAll(/(?<=x-ratelimit-reset: )(3[56]\d\d|7[01]\d\d|1\d{4})/g, 'SOON');

test.each(CASES.flatMap(({ name, ask }, i) => ask.map((_, j) => [`${name}: ${j}`, i, j] as const)))(
  '%s',
  (_name, i, j) => {
    expect(steady(ours.answers[i]![j]!)).toBe(steady(theirs.answers[i]![j]!));
  },
);
test('log lines', () => {
  expect(theirs.log.length).toBeGreaterThan(40);
  expect(ours.log.toSorted()).toEqual(theirs.log.toSorted());
});
test('counters', () => expect(ours.stats).toEqual(theirs.stats));
