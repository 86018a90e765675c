/** External authorization over gRPC beside real Envoy: what client, upstream and service see, log lines and counters. */
import { beforeAll } from 'vitest';
import { describeAlike, get, Notes, post } from '../testing/alike.ts';
import { HTTP2, observeBoth, TYPE, type BesideCase, type Observed } from '../testing/beside.ts';
import { startGrpc, type GrpcAnswer } from '../testing/grpc-server.ts';

const filter = (config: object, service: object = {}): object => ({
  name: 'envoy.filters.http.ext_authz',
  typedConfig: {
    '@type': `${TYPE}envoy.extensions.filters.http.ext_authz.v3.ExtAuthz`,
    transportApiVersion: 'V3',
    grpcService: { envoyGrpc: { clusterName: 'auth' }, timeout: '3s', ...service },
    ...config,
  },
});
const perRoute = (config: object): object => ({
  'envoy.filters.http.ext_authz': {
    '@type': `${TYPE}envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute`,
    ...config,
  },
});
const field = (key: string, value: string, more: object = {}): object => ({ header: { key, value }, ...more });

const EDITS = [
  field('x-plain', 'p'),
  field('x-plain', 'q'),
  field('x-append', 'a', { append: true }),
  field('x-replace', 'r', { append: false }),
  field('x-added', 'b', { appendAction: 'APPEND_IF_EXISTS_OR_ADD' }),
  field('x-absent', 'c', { appendAction: 'ADD_IF_ABSENT' }),
  field('x-there', 'd', { appendAction: 'OVERWRITE_IF_EXISTS' }),
  field('x-over', 'e', { appendAction: 'OVERWRITE_IF_EXISTS_OR_ADD' }),
  field('X-Case', 'f', { append: false }),
];
const ANSWERS: Readonly<Record<string, GrpcAnswer>> = {
  ok: { message: { status: { code: 0 } } },
  edits: {
    message: {
      okResponse: {
        headers: EDITS,
        headersToRemove: ['x-gone', 'host', ':path'],
        responseHeadersToAdd: [...EDITS, field('x-up', '2', { appendAction: 'OVERWRITE_IF_EXISTS' })],
      },
      dynamicMetadata: { user: 'alice' },
    },
  },
  query: {
    message: {
      okResponse: {
        queryParametersToSet: [
          { key: 'a', value: 'new' },
          { key: 'z', value: 'last' },
        ],
        queryParametersToRemove: ['b'],
      },
    },
  },
  unquery: { message: { okResponse: { queryParametersToRemove: ['a'] } } },
  deny: { message: { status: { code: 7 } } },
  denied: {
    message: {
      status: { code: 16 },
      deniedResponse: { status: { code: 'Unauthorized' }, headers: EDITS, body: '{"no":1}' },
      dynamicMetadata: { why: 'no' },
    },
  },
  typed: {
    message: {
      status: { code: 7 },
      deniedResponse: { headers: [field('content-type', 'text/html')], body: '<p>' },
    },
  },
  old: { message: { okResponse: { dynamicMetadata: { user: 'old' } }, dynamicMetadata: { user: 'new' } } },
  long: {
    message: {
      status: { code: 7 },
      deniedResponse: { status: { code: 'Unauthorized' }, body: 'x'.repeat(4_500_000) },
    },
  },
  failure: { status: 14 },
  refusal: { status: 7 },
};

const CASES: readonly BesideCase[] = [
  {
    name: 'as it comes',
    filters: [filter({})],
    ask: [
      ...Object.keys(ANSWERS)
        .filter((path) => path !== 'long')
        .map((path) => get(`/${path}`, 'x-b: 1')),
      get(
        '/edits',
        'x-append: 1',
        'x-replace: 1',
        'x-added: 1',
        'x-absent: 1',
        'x-there: 1',
        'x-over: 1',
        'x-gone: 1',
        'x-plain: 1',
      ),
      get('/query?b=1&a=1&a=2&c'),
      get('/unquery?a=1'),
      get('/ok?x=1#f', 'x-bytes: \xff\xc3\xa9', 'x-twice: 1', 'x-twice: 2', 'authorization: Bearer t'),
      post('/ok', 'body'),
    ],
  },
  {
    name: 'a timeout',
    filters: [filter({}, { timeout: '0.3s' })],
    ask: [get('/never')],
    notes: 1,
  },
  {
    name: 'answers of few bytes',
    filters: [filter({}, { envoyGrpc: { clusterName: 'auth', maxReceiveMessageLength: 10 } })],
    ask: [get('/ok'), get('/deny'), get('/denied'), get('/edits'), get('/failure')],
  },
  {
    name: 'answers of many bytes',
    filters: [
      filter(
        { maxDeniedResponseBodyBytes: 5 },
        { envoyGrpc: { clusterName: 'auth', maxReceiveMessageLength: 5_000_000 } },
      ),
    ],
    ask: [get('/long')],
  },
  {
    name: 'no call may be under way',
    filters: [filter({}, { envoyGrpc: { clusterName: 'full' } })],
    ask: [get('/ok')],
  },
  { name: 'nobody to ask', filters: [filter({}, { envoyGrpc: { clusterName: 'dead' } })], ask: [get('/ok')] },
  { name: 'failure lets through', filters: [filter({ failureModeAllow: true })], ask: [get('/failure'), get('/deny')] },
  {
    name: 'with the body, as text',
    filters: [filter({ withRequestBody: { maxRequestBytes: 6, allowPartialMessage: true } })],
    ask: [post('/ok', 'abc'), post('/ok', 'ab\xff\xfe'), post('/ok', 'abcdefghi')],
  },
  {
    name: 'with the body, as bytes',
    filters: [filter({ withRequestBody: { maxRequestBytes: 100, packAsBytes: true } })],
    ask: [post('/ok', 'ab\xff\xfe')],
  },
  {
    name: 'raw headers',
    filters: [filter({ encodeRawHeaders: true, includeTlsSession: true, includePeerCertificate: true })],
    ask: [get('/ok', 'x-bytes: \xff', 'x-twice: 1', 'x-twice: 2')],
  },
  {
    name: 'some headers',
    filters: [filter({ allowedHeaders: { patterns: [{ exact: 'x-a' }] } })],
    ask: [get('/ok', 'x-a: 1', 'x-b: 2', 'x-envoy-downstream-service-cluster: me')],
  },
  {
    name: 'what the routes say adds up',
    filters: [filter({})],
    virtualHost: { typedPerFilterConfig: perRoute({ checkSettings: { contextExtensions: { a: 'host', b: 'host' } } }) },
    perRoute: perRoute({ checkSettings: { contextExtensions: { b: 'route', c: 'route' } } }),
    ask: [get('/ok')],
  },
  {
    name: 'metadata of the request and of the route',
    filters: [filter({ metadataContextNamespaces: ['absent'], routeMetadataContextNamespaces: ['mine'] })],
    routes: [
      { match: { prefix: '/' }, route: { cluster: 'up' }, metadata: { filterMetadata: { mine: { a: 1 }, other: {} } } },
    ],
    ask: [get('/ok')],
  },
  {
    name: 'metadata is not taken',
    filters: [filter({ enableDynamicMetadataIngestion: false })],
    ask: [get('/edits')],
  },
  {
    name: 'a service of the route',
    filters: [filter({}, { envoyGrpc: { clusterName: 'dead' } })],
    perRoute: perRoute({ checkSettings: { grpcService: { envoyGrpc: { clusterName: 'auth' }, timeout: '3s' } } }),
    ask: [get('/deny')],
  },
  {
    name: 'metadata for the service, and a name',
    filters: [
      filter(
        {},
        {
          envoyGrpc: { clusterName: 'auth', authority: 'auth.local' },
          initialMetadata: [
            { key: 'X-Key', value: 'v' },
            { key: 'x-key', value: '%REQ(:path)% of %DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%, 100%%' },
            { key: 'x-none', value: '%REQ(x-not-there)%' },
            { key: 'x-key-bin', value: 'v' },
          ],
        },
      ),
    ],
    ask: [get('/ok')],
  },
  {
    name: 'short bodies only',
    filters: [filter({ maxDeniedResponseBodyBytes: 3 })],
    ask: [get('/denied')],
  },
];

/** What differs from run to run. */
function steady(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(steady);
  if (typeof value !== 'object' || value === null) return value;
  if ((value as { key?: unknown }).key === 'x-request-id') return {};
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, of]) => [
        key,
        key === 'id' || key === 'time' || key === 'nanos' || key === 'portValue' ? '…' : steady(of),
      ]),
  );
}

let observed: { readonly ours: Observed; readonly theirs: Observed };
beforeAll(async () => {
  const notes = new Notes();
  const types = { request: 'envoy.service.auth.v3.CheckRequest', answer: 'envoy.service.auth.v3.CheckResponse' };
  const service = await startGrpc(types, (request, headers) => {
    const calls = Object.fromEntries(
      [':path', ':authority', 'content-type', 'te', 'x-key', 'x-key-bin', 'x-none', 'grpc-timeout'].map((name) => [
        name,
        headers[name],
      ]),
    );
    notes.add(JSON.stringify({ calls, request: steady(request) }, undefined, 1));
    const path = /"path":\s*"\/(\w*)/.exec(JSON.stringify(request))?.[1] ?? '';
    return path === 'never' ? 'never' : (ANSWERS[path] ?? { message: {} });
  });
  try {
    observed = await observeBoth(CASES, {
      clusters: { auth: service.port, dead: 1, full: service.port },
      clusterOptions: {
        auth: HTTP2,
        dead: HTTP2,
        full: { ...HTTP2, circuitBreakers: { thresholds: [{ maxRequests: 0 }] } },
      },
      noted: notes.take,
      logFormat:
        '%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %DYNAMIC_METADATA(envoy.filters.http.ext_authz:user)% %DYNAMIC_METADATA(envoy.filters.http.ext_authz:why)%',
      statsFilter:
        'ext_authz|cluster\\.up\\.upstream_rq_[45]|cluster\\.full\\.upstream_rq_(active_overflow|pending_overflow|[0-9])',
    });
  } finally {
    await service.stop();
  }
}, 120_000);

describeAlike('a gRPC service', CASES, () => observed, 20);
