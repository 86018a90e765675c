/** External authorization over HTTP beside real Envoy: what client, upstream and service see, log lines and counters. */
import { beforeAll } from 'vitest';
import { describeAlike, get, Notes, post } from '../testing/alike.ts';
import { observeBoth, sorted, startRaw, TYPE, type BesideCase, type Observed } from '../testing/beside.ts';

const filter = (config: object, service: object = {}): object => ({
  name: 'envoy.filters.http.ext_authz',
  typedConfig: {
    '@type': `${TYPE}envoy.extensions.filters.http.ext_authz.v3.ExtAuthz`,
    transportApiVersion: 'V3',
    httpService: { serverUri: { uri: 'http://auth.local', cluster: 'auth', timeout: '2s' }, ...service },
    ...config,
  },
});
const perRoute = (config: object): object => ({
  'envoy.filters.http.ext_authz': {
    '@type': `${TYPE}envoy.extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute`,
    ...config,
  },
});
const chunked = (path: string, ...parts: string[]): string =>
  [
    `POST ${path} HTTP/1.1`,
    'host: shop.local',
    'transfer-encoding: chunked',
    '',
    ...parts.flatMap((part) => [part.length.toString(16), part]),
    '0',
    '',
    '',
  ].join('\r\n');
const patterns = (...texts: string[]): object => ({ patterns: texts.map((exact) => ({ exact })) });

const answer = (status: string, fields: readonly string[], body = ''): string =>
  [`HTTP/1.1 ${status}`, `content-length: ${body.length}`, ...fields, '', body].join('\r\n');
const ANSWERS: Readonly<Record<string, string>> = {
  ok: answer('200 OK', []),
  headers: answer('200 OK', [
    'x-user: alice',
    'x-user: bob',
    'x-group: staff',
    'x-client: seen',
    'x-other: hidden',
    'x-envoy-auth-headers-to-remove: x-gone, x-also-gone',
    'authorization: Bearer new',
  ]),
  deny: answer(
    '403 Forbidden',
    ['x-reason: no', 'www-authenticate: Basic', 'content-type: application/json'],
    '{"a":1}',
  ),
  empty: answer('401 Unauthorized', ['set-cookie: a=1', 'set-cookie: b=2']),
  redirect: answer('302 Found', ['location: http://login/']),
  chunked: 'HTTP/1.1 403 Forbidden\r\ntransfer-encoding: chunked\r\nx-reason: no\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
  created: answer('201 Created', []),
  error: answer('500 Internal Server Error', ['x-reason: broken'], 'broken'),
  unavailable: answer('503 Service Unavailable', []),
  hangup: '',
};

const CASES: readonly BesideCase[] = [
  {
    name: 'as it comes',
    filters: [filter({})],
    ask: [
      ...Object.keys(ANSWERS).map((path) => get(`/${path}?q=1`, 'x-a: 1', 'authorization: Bearer old', 'x-gone: 1')),
      get('/slow'),
      post('/ok', 'hello'),
      get('/ok', 'authorization: Basic a', 'authorization: Basic b'),
    ],
  },
  {
    name: 'a prefix, headers there and back',
    filters: [
      filter(
        {},
        {
          pathPrefix: '/auth',
          authorizationRequest: {
            allowedHeaders: patterns('x-a', 'content-length', 'x-forwarded-proto', 'x-request-id'),
            headersToAdd: [
              { key: 'x-added', value: 'yes' },
              { key: 'x-a', value: 'replaced %REQ(x-b)%' },
            ],
          },
          authorizationResponse: {
            allowedUpstreamHeaders: patterns('x-user', 'authorization'),
            allowedUpstreamHeadersToAppend: patterns('x-group'),
            allowedClientHeaders: patterns('x-reason'),
            allowedClientHeadersOnSuccess: patterns('x-client', 'x-up'),
            dynamicMetadataFromHeaders: patterns('x-other'),
          },
        },
      ),
    ],
    ask: [
      get('/headers', 'x-a: 1', 'x-b: 2', 'x-group: old', 'x-user: forged', 'x-gone: 1', 'x-also-gone: 1'),
      get('/deny'),
      get('/empty'),
      get('/redirect'),
      get('/chunked'),
    ],
  },
  {
    name: 'headers that are shown, and some that are not',
    filters: [
      filter({
        allowedHeaders: { patterns: [{ prefix: 'x-' }] },
        disallowedHeaders: patterns('x-secret', 'authorization'),
      }),
    ],
    ask: [
      get(
        '/ok',
        'x-a: 1',
        'x-a: 2',
        'x-secret: s',
        'authorization: Basic',
        'y: 1',
        'x-envoy-auth-partial-body: forged',
      ),
    ],
  },
  {
    name: 'failure lets through, and says so',
    filters: [filter({ failureModeAllow: true, failureModeAllowHeaderAdd: true })],
    ask: [get('/error'), get('/hangup'), get('/deny')],
  },
  {
    name: 'failure has a status of its own',
    filters: [filter({ statusOnError: { code: 'ServiceUnavailable' }, statPrefix: 'mine' })],
    ask: [get('/error'), get('/ok')],
  },
  {
    name: 'nobody to ask',
    filters: [filter({}, { serverUri: { uri: 'http://x', cluster: 'nowhere', timeout: '2s' } })],
    ask: [get('/ok')],
  },
  {
    name: 'a timeout',
    filters: [filter({}, { serverUri: { uri: 'http://x', cluster: 'auth', timeout: '0.3s' } })],
    ask: [get('/never')],
    notes: 1,
  },
  {
    name: 'with the body',
    filters: [filter({ withRequestBody: { maxRequestBytes: 10, allowPartialMessage: false } })],
    ask: [
      post('/ok', 'hello'),
      post('/ok', '0123456789'),
      post('/ok', '0123456789a'),
      chunked('/ok', 'abc', 'def'),
      chunked('/ok', 'abcdef', 'ghijkl'),
      get('/ok'),
      post('/ok', ''),
      post('/deny', 'hello'),
    ],
  },
  {
    name: 'with a part of the body',
    filters: [filter({ withRequestBody: { maxRequestBytes: 5, allowPartialMessage: true } })],
    ask: [post('/ok', 'hello'), post('/ok', 'abc'), post('/ok', 'hello world'), chunked('/ok', 'hello world')],
  },
  {
    name: 'off, half on and denied while off',
    filters: [
      filter({
        filterEnabled: { defaultValue: { numerator: 0 }, runtimeKey: 'a' },
        denyAtDisable: { defaultValue: true, runtimeKey: 'b' },
      }),
    ],
    ask: [get('/ok')],
  },
  {
    name: 'off without a word',
    filters: [filter({ filterEnabled: { defaultValue: { numerator: 0 }, runtimeKey: 'a' } })],
    ask: [get('/deny')],
  },
  { name: 'off for the route', filters: [filter({})], perRoute: perRoute({ disabled: true }), ask: [get('/deny')] },
  {
    name: 'the route has a body setting of its own',
    filters: [filter({})],
    perRoute: perRoute({ checkSettings: { withRequestBody: { maxRequestBytes: 100 } } }),
    ask: [post('/ok', 'hello')],
  },
  {
    name: 'the route buffers nothing',
    filters: [filter({ withRequestBody: { maxRequestBytes: 100 } })],
    perRoute: perRoute({ checkSettings: { disableRequestBodyBuffering: true } }),
    ask: [post('/ok', 'hello')],
  },
  {
    name: 'no route',
    filters: [filter({})],
    routes: [{ match: { prefix: '/other' }, route: { cluster: 'up' } }],
    ask: [get('/deny'), get('/other/deny')],
  },
  {
    name: 'a route that answers itself',
    filters: [filter({})],
    routes: [{ match: { prefix: '/' }, directResponse: { status: 200, body: { inlineString: 'own' } } }],
    ask: [get('/ok'), get('/deny')],
  },
  {
    name: 'what may be changed is limited',
    filters: [
      filter(
        {
          decoderHeaderMutationRules: {
            disallowExpression: { regex: 'x-user' },
            allowExpression: { regex: 'x-group' },
          },
        },
        { authorizationResponse: { allowedUpstreamHeaders: patterns('x-user', 'x-group', 'x-other') } },
      ),
    ],
    ask: [get('/headers', 'x-gone: 1')],
  },
  {
    name: 'a change that is not allowed is an error',
    filters: [
      filter(
        { decoderHeaderMutationRules: { disallowAll: true, disallowIsError: true } },
        { authorizationResponse: { allowedUpstreamHeaders: patterns('x-user') } },
      ),
    ],
    ask: [get('/headers'), get('/ok')],
  },
  {
    name: 'the route is chosen again',
    filters: [
      filter({ clearRouteCache: true }, { authorizationResponse: { allowedUpstreamHeaders: patterns('x-group') } }),
    ],
    routes: [
      {
        match: { prefix: '/', headers: [{ name: 'x-group', stringMatch: { exact: 'staff' } }] },
        directResponse: { status: 200, body: { inlineString: 'staff' } },
      },
      { match: { prefix: '/' }, route: { cluster: 'up' } },
    ],
    ask: [get('/headers'), get('/ok')],
  },
];

let observed: { readonly ours: Observed; readonly theirs: Observed };
beforeAll(async () => {
  const notes = new Notes();
  const service = await startRaw(async (request) => {
    notes.add(sorted(request));
    const path = /^\S+ (?:\/auth)?\/(\w*)/.exec(request)?.[1] ?? '';
    if (path === 'never') return new Promise<string>(() => undefined);
    if (path === 'slow') await new Promise((done) => setTimeout(done, 100));
    return ANSWERS[path] ?? ANSWERS['ok']!;
  });
  try {
    observed = await observeBoth(CASES, {
      clusters: { auth: service.port },
      noted: notes.take,
      logFormat:
        '%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %UPSTREAM_CLUSTER% %DYNAMIC_METADATA(envoy.filters.http.ext_authz:x-other)%',
      statsFilter:
        'ext_authz|cluster\\.auth\\.upstream_rq_(total|[1-5]xx|timeout|completed)$|cluster\\.up\\.upstream_rq_[45]',
    });
  } finally {
    await service.stop();
  }
}, 120_000);

describeAlike('an HTTP service', CASES, () => observed, 40);
