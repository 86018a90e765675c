/** Health checks and limited responses beside real Envoy. */
import { beforeAll, expect, test } from 'vitest';
import { observeBoth, TYPE, type BesideCase, type Observed } from './testing/beside.ts';

const check = (more: object): object => ({
  name: 'envoy.filters.http.health_check',
  typedConfig: {
    '@type': `${TYPE}envoy.extensions.filters.http.health_check.v3.HealthCheck`,
    headers: [{ name: ':path', stringMatch: { exact: '/healthz' } }],
    ...more,
  },
});
const get = (path: string, ...fields: string[]): string =>
  [`GET ${path} HTTP/1.1`, 'host: h', ...fields, '', ''].join('\r\n');
const asked = [get('/healthz'), get('/other'), get('/healthz')];
const notChecks = {
  filter: { notHealthCheckFilter: {} },
};
const log = (filter: object): object => ({
  name: 'log',
  ...filter,
  typedConfig: {
    '@type': `${TYPE}envoy.extensions.access_loggers.stream.v3.StdoutAccessLog`,
    logFormat: { textFormatSource: { inlineString: 'LOG only %REQ(:path)%\n' } },
  },
});
const percent = (value: number): object => ({ value });
const fault = (more: object, perRoute: object = {}): BesideCase['filters'] => [
  {
    name: 'envoy.filters.http.fault',
    typedConfig: { '@type': `${TYPE}envoy.extensions.filters.http.fault.v3.HTTPFault`, ...more, ...perRoute },
  },
];
const always = { numerator: 100 };

const CASES: readonly BesideCase[] = [
  { name: 'answered here', filters: [check({ passThroughMode: false })], ask: asked },
  { name: 'passed through', filters: [check({ passThroughMode: true })], ask: asked },
  { name: 'passed through and kept', filters: [check({ passThroughMode: true, cacheTime: '60s' })], ask: asked },
  {
    name: 'every header must fit',
    filters: [
      check({
        passThroughMode: false,
        headers: [
          { name: ':path', stringMatch: { exact: '/healthz' } },
          { name: 'x-check', presentMatch: true },
        ],
      }),
    ],
    ask: [get('/healthz'), get('/healthz', 'x-check: 1')],
  },
  ...[
    { up: percent(50) },
    { up: percent(100) },
    { nobody: percent(50) },
    { nobody: percent(0) },
    { none: percent(50) },
    { up: percent(100), none: percent(10) },
  ].map((clusterMinHealthyPercentages) => ({
    name: `clusters ${JSON.stringify(clusterMinHealthyPercentages)}`,
    filters: [check({ passThroughMode: false, clusterMinHealthyPercentages })],
    ask: asked.slice(0, 1),
  })),
  {
    name: 'not logged',
    filters: [check({ passThroughMode: false })],
    more: { accessLog: [log(notChecks)] },
    ask: asked,
  },
  {
    name: 'a body',
    filters: [check({ passThroughMode: false })],
    ask: ['POST /healthz HTTP/1.1\r\nhost: h\r\ncontent-length: 3\r\n\r\nabc'],
  },
  {
    name: 'a limited response',
    filters: fault({ responseRateLimit: { fixedLimit: { limitKbps: 10 }, percentage: always } }),
    ask: [get('/')],
  },
  {
    name: 'limited by a header',
    filters: fault({ responseRateLimit: { headerLimit: {}, percentage: always } }),
    ask: [
      get('/'),
      get('/', 'x-envoy-fault-throughput-response: 10'),
      get('/', 'x-envoy-fault-throughput-response: 0'),
    ],
  },
  {
    name: 'never limited',
    filters: fault({ responseRateLimit: { fixedLimit: { limitKbps: 10 } } }),
    ask: [get('/')],
  },
  {
    name: 'limited and delayed',
    filters: fault({
      responseRateLimit: { fixedLimit: { limitKbps: 10 }, percentage: always },
      delay: { fixedDelay: '0.05s', percentage: always },
      maxActiveFaults: 1,
    }),
    ask: [get('/')],
  },
  ...[
    { delay: { fixedDelay: '0.01s', percentage: always } },
    { abort: { httpStatus: 418, percentage: always } },
    {},
  ].map((more) => ({
    name: `marked ${JSON.stringify(more)}`,
    filters: fault({ filterMetadata: { a: { b: 1 } }, ...more }),
    ask: [get('/')],
  })),
  {
    name: 'an abort with a body of its own',
    filters: fault({ abort: { httpStatus: 418, percentage: always, responseBody: 'a teapot' } }),
    ask: [get('/'), get('/', 'content-type: application/grpc')],
  },
];

let both: { readonly theirs: Observed; readonly ours: Observed };
beforeAll(async () => {
  both = await observeBoth(
    CASES.map((one) => ({ ...one, more: { delayedCloseTimeout: '0s', ...one.more } })),
    {
      clusters: { nobody: 1 },
      clusterOptions: { nobody: { loadAssignment: { clusterName: 'nobody' } } },
      logFormat:
        '%RESPONSE_CODE% %RESPONSE_CODE_DETAILS% %RESPONSE_FLAGS% %DYNAMIC_METADATA(envoy.filters.http.fault)%',
      statsFilter: 'fault',
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
