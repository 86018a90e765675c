/** Global rate limits beside real Envoy: what client, upstream and service see, log lines and counters. */
import { beforeAll, describe, expect, test } from 'vitest';
import { HTTP2, observeBoth, TYPE, type BesideCase, type Observed } from '../testing/beside.ts';
import { startGrpc, type GrpcAnswer } from '../testing/grpc-server.ts';

const filter = (config: object = {}): object => ({
  name: 'envoy.filters.http.ratelimit',
  typedConfig: {
    '@type': `${TYPE}envoy.extensions.filters.http.ratelimit.v3.RateLimit`,
    domain: 'shop',
    timeout: '3s',
    rateLimitService: { transportApiVersion: 'V3', grpcService: { envoyGrpc: { clusterName: 'limits' } } },
    ...config,
  },
});
const perRoute = (config: object): object => ({
  'envoy.filters.http.ratelimit': {
    '@type': `${TYPE}envoy.extensions.filters.http.ratelimit.v3.RateLimitPerRoute`,
    ...config,
  },
});
const get = (path: string, ...fields: string[]): string =>
  [`GET ${path} HTTP/1.1`, 'host: shop.local', ...fields, '', ''].join('\r\n');
const generic = (descriptorValue: string): object => ({ genericKey: { descriptorValue } });
const say = (what: string): object => ({ actions: [generic(what)] });
const expression = (config: object): object => ({
  extension: {
    name: 'envoy.rate_limit_descriptors.expr',
    typedConfig: { '@type': `${TYPE}envoy.extensions.rate_limit_descriptors.expr.v3.Descriptor`, ...config },
  },
});
const header = (headerName: string, more: object = {}): object => ({
  requestHeaders: { headerName, descriptorKey: headerName.replace(':', ''), ...more },
});
/** A route whose requests are counted so. */
const counted = (rateLimits: readonly object[], more: object = {}, route: object = {}): readonly object[] => [
  { match: { prefix: '/' }, route: { cluster: 'up', rateLimits, ...route }, ...more },
];
const byRoute = (
  name: string,
  rateLimits: readonly object[],
  ask: readonly string[],
  config: object = {},
): BesideCase => ({
  name,
  filters: [filter(config)],
  routes: counted(rateLimits),
  ask,
});

const STATUSES = [
  {
    code: 'OK',
    currentLimit: { requestsPerUnit: 10, unit: 'MINUTE', name: 'ten' },
    limitRemaining: 7,
    durationUntilReset: '12.5s',
  },
  { code: 'OK', currentLimit: { requestsPerUnit: 5, unit: 'HOUR' }, limitRemaining: 2, durationUntilReset: '100s' },
  { code: 'OK' },
];
const HEADERS = {
  responseHeadersToAdd: [
    { key: 'x-said', value: 'a' },
    { key: 'X-Said', value: 'b' },
    { key: 'content-type', value: 'application/json' },
  ],
  requestHeadersToAdd: [{ key: 'x-counted', value: 'yes' }],
};
const ANSWERS: Readonly<Record<string, GrpcAnswer>> = {
  ok: { message: { overallCode: 'OK' } },
  over: { message: { overallCode: 'OVER_LIMIT' } },
  statuses: { message: { overallCode: 'OK', statuses: STATUSES } },
  full: {
    message: {
      overallCode: 'OVER_LIMIT',
      statuses: STATUSES,
      ...HEADERS,
      rawBody: Buffer.from('{"slow":1}').toString('base64'),
      dynamicMetadata: { why: 'much' },
    },
  },
  headers: { message: { overallCode: 'OK', ...HEADERS } },
  unknown: { message: {} },
  error: { status: 14 },
  never: 'never',
};

const CASES: readonly BesideCase[] = [
  ...Object.keys(ANSWERS)
    .filter((what) => what !== 'never')
    .map((what) => byRoute(`the service says ${what}`, [say(what)], [get('/')])),
  byRoute('with headers', [say('full')], [get('/')], { enableXRatelimitHeaders: 'DRAFT_VERSION_03' }),
  byRoute('with headers, allowed', [say('statuses')], [get('/')], { enableXRatelimitHeaders: 'DRAFT_VERSION_03' }),
  byRoute('a status and headers of its own', [say('over')], [get('/'), get('/', 'content-type: application/grpc')], {
    rateLimitedStatus: { code: 'ServiceUnavailable' },
    responseHeadersToAdd: [{ header: { key: 'x-why', value: '%REQ(:path)%' } }],
    disableXEnvoyRatelimitedHeader: true,
    statPrefix: 'mine',
  }),
  ...[
    byRoute(
      'counted at the end',
      [{ ...say('over'), applyOnStreamDone: true }, say('ok')],
      [get('/'), get('/', 'x-answer: 503')],
    ),
    byRoute(
      'refused before what is counted at the end',
      [{ ...say('ok'), applyOnStreamDone: true }, say('over')],
      [get('/')],
    ),
  ].map((one) => ({ ...one, notes: 2 })),
  ...[
    byRoute('counted at the end alone', [{ ...say('over'), applyOnStreamDone: true }], [get('/')]),
    byRoute('counted at the end by what the filter says', [], [get('/')], {
      rateLimits: [{ actions: [generic('ok')], applyOnStreamDone: true, hitsAddend: { format: '%BYTES_SENT%' } }],
    }),
  ].map((one) => ({ ...one, notes: 1 })),
  byRoute(
    'expressions',
    [
      {
        actions: [
          ...[
            'request.path',
            'request.size + 1',
            'request.headers["x-v"]',
            '[1]',
            'bytes("b")',
            'duration("1s")',
            '1.5e10',
            'null',
            'true',
          ].map((text, i) => expression({ descriptorKey: `k${i}`, text })),
          expression({ descriptorKey: 'skipped', text: 'request.headers["x-none"]', skipIfError: true }),
          expression({ descriptorKey: 'parsed', parsed: { id: 1, constExpr: { stringValue: 'said' } } }),
        ],
      },
      say('ok'),
      { actions: [expression({ descriptorKey: 'gone', text: 'request.headers["x-none"]' })] },
    ],
    [get('/p?q', 'x-v: \xc3\xa9')],
  ),
  byRoute('a status that is no error', [say('over')], [get('/')], { rateLimitedStatus: { code: 200 } }),
  byRoute('over for gRPC', [say('over')], [get('/', 'content-type: application/grpc')]),
  byRoute('exhausted for gRPC', [say('over')], [get('/', 'content-type: application/grpc')], {
    rateLimitedAsResourceExhausted: true,
  }),
  byRoute('failure denies', [say('error')], [get('/')], { failureModeDeny: true }),
  byRoute('failure has a status', [say('error')], [get('/')], {
    failureModeDeny: true,
    statusOnError: { code: 'ServiceUnavailable' },
  }),
  byRoute('a timeout', [say('never')], [get('/')], { timeout: '0.3s', failureModeDeny: true }),
  byRoute('not enforced', [say('over')], [get('/')], {
    filterEnforced: { defaultValue: { numerator: 0 }, runtimeKey: 'k' },
  }),
  byRoute('not enabled', [say('over')], [get('/')], {
    filterEnabled: { defaultValue: { numerator: 0 }, runtimeKey: 'k' },
  }),
  byRoute('nothing to count', [], [get('/')]),
  byRoute(
    'all kinds of entries',
    [
      { actions: [{ sourceCluster: {} }, { destinationCluster: {} }, generic('a'), { remoteAddress: {} }] },
      { actions: [header('x-a'), header(':path'), header(':authority')] },
      { actions: [header('x-maybe', { skipIfAbsent: true }), generic('b')] },
      { actions: [{ genericKey: { descriptorKey: 'k', descriptorValue: 'v' } }] },
      { actions: [{ maskedRemoteAddress: { v4PrefixMaskLen: 9 } }] },
      { actions: [{ maskedRemoteAddress: {} }] },
      {
        actions: [
          { headerValueMatch: { descriptorValue: 'm', headers: [{ name: 'x-a', stringMatch: { exact: '1' } }] } },
        ],
      },
      {
        actions: [
          {
            headerValueMatch: {
              descriptorKey: 'not',
              descriptorValue: 'm',
              expectMatch: false,
              headers: [{ name: 'x-a', stringMatch: { exact: '1' } }],
            },
          },
        ],
      },
      { actions: [{ queryParameters: { queryParameterName: 'q', descriptorKey: 'q' } }] },
      {
        actions: [
          {
            queryParameterValueMatch: {
              descriptorValue: 'qm',
              queryParameters: [{ name: 'q', stringMatch: { prefix: 'x' } }],
            },
          },
        ],
      },
      {
        actions: [
          { metadata: { descriptorKey: 'md', metadataKey: { key: 'none', path: [{ key: 'x' }] }, defaultValue: 'd' } },
        ],
      },
      { actions: [{ metadata: { descriptorKey: 'md', metadataKey: { key: 'none', path: [{ key: 'x' }] } } }] },
      { actions: [generic('hits')], hitsAddend: { number: '3' } },
      { actions: [generic('hits')], hitsAddend: { format: '%REQ(x-hits)%' } },
      { stage: 1, actions: [generic('another stage')] },
    ],
    [
      get('/p?q=x%201&q=2', 'x-a: 1', 'x-hits: 7'),
      get('/', 'x-a: 2', 'x-maybe: m', 'x-hits: none'),
      get('/?q', 'x-a: 1', 'x-a: 2', 'x-a:'),
      get('/?q='),
    ],
  ),
  byRoute('a stage', [{ stage: 2, ...say('over') }, say('ok')], [get('/')], { stage: 2 }),
  byRoute('internal requests only', [say('over')], [get('/'), get('/', 'x-envoy-internal: true')], {
    requestType: 'internal',
  }),
  byRoute('external requests only', [say('over')], [get('/')], { requestType: 'external' }),
  {
    name: 'limits of the route and of the host',
    filters: [filter()],
    virtualHost: { rateLimits: [say('host')] },
    routes: [
      { match: { prefix: '/none' }, route: { cluster: 'up' } },
      { match: { prefix: '/own' }, route: { cluster: 'up', rateLimits: [say('route')] } },
      { match: { prefix: '/both' }, route: { cluster: 'up', rateLimits: [say('route')], includeVhRateLimits: true } },
      ...(['INCLUDE', 'IGNORE', 'OVERRIDE'] as const).map((vhRateLimits) => ({
        match: { prefix: `/${vhRateLimits}` },
        route: { cluster: 'up', rateLimits: [say('route')] },
        typedPerFilterConfig: perRoute({ vhRateLimits }),
      })),
      ...(['INCLUDE_POLICY', 'IGNORE_POLICY', 'OVERRIDE_POLICY'] as const).map((overrideOption) => ({
        match: { prefix: `/x-${overrideOption}` },
        route: { cluster: 'up', rateLimits: [say('route')] },
        typedPerFilterConfig: perRoute({ overrideOption }),
      })),
      {
        match: { prefix: '/typed' },
        route: { cluster: 'up', rateLimits: [say('route')] },
        typedPerFilterConfig: perRoute({ rateLimits: [say('typed')], domain: 'elsewhere' }),
      },
      { match: { prefix: '/direct' }, directResponse: { status: 200 } },
    ],
    ask: [
      'none',
      'own',
      'both',
      'INCLUDE',
      'IGNORE',
      'OVERRIDE',
      'x-INCLUDE_POLICY',
      'x-IGNORE_POLICY',
      'x-OVERRIDE_POLICY',
      'typed',
      'direct',
      'elsewhere',
    ].map((path) => get(`/${path}`)),
  },
  {
    name: 'limits of the filter',
    filters: [filter({ rateLimits: [say('filter'), { ...say('hits'), hitsAddend: { number: '3' } }] })],
    routes: counted([say('route')]),
    ask: [get('/')],
  },
];

let theirs: Observed;
let ours: Observed;
beforeAll(async () => {
  let notes: string[] = [];
  const types = {
    request: 'envoy.service.ratelimit.v3.RateLimitRequest',
    answer: 'envoy.service.ratelimit.v3.RateLimitResponse',
  };
  const service = await startGrpc(types, (request, headers) => {
    notes.push(JSON.stringify({ path: headers[':path'], request }, undefined, 1));
    const asked = JSON.stringify(request);
    const what = Object.keys(ANSWERS).find((name) => asked.includes(`"value":"${name}"`));
    return ANSWERS[what ?? 'ok']!;
  });
  try {
    ({ theirs, ours } = await observeBoth(CASES, {
      clusters: { limits: service.port },
      clusterOptions: { limits: HTTP2 },
      noted: () => {
        const taken = notes;
        notes = [];
        return taken;
      },
      logFormat:
        '%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %DYNAMIC_METADATA(envoy.filters.http.ratelimit:why)%',
      statsFilter: 'ratelimit|cluster\\.up\\.upstream_rq_[45]',
    }));
  } finally {
    await service.stop();
  }
}, 120_000);

describe('a rate limit service', () => {
  test.each(CASES.flatMap(({ name, ask }, i) => ask.map((_, j) => [`${name}: ${j}`, i, j] as const)))(
    '%s',
    (_name, i, j) => {
      expect(ours.answers[i]![j]).toBe(theirs.answers[i]![j]);
    },
  );
  test('log lines', () => {
    expect(theirs.log.length).toBeGreaterThan(30);
    expect(ours.log.toSorted()).toEqual(theirs.log.toSorted());
  });
  test('counters', () => expect(ours.stats).toEqual(theirs.stats));
});
