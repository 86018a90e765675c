/** Line breaks and other control characters that would come into heads for upstreams, beside real Envoy. */
import { beforeAll } from 'vitest';
import { describeAlike, get, Notes } from './testing/alike.ts';
import { HTTP2, observeBoth, sorted, startRaw, TYPE, type BesideCase, type Observed } from './testing/beside.ts';
import { startGrpc } from './testing/grpc-server.ts';
import { claims, jwks, token } from './testing/tokens.ts';

const filter = (name: string, type: string, config: object): object => ({
  name: `envoy.filters.http.${name}`,
  typedConfig: { '@type': `${TYPE}envoy.extensions.filters.http.${name}.v3.${type}`, ...config },
});

const CLAIMS = { break: 'a\r\nx-more: 1', line: 'a\nb', nul: 'a\0b', del: 'a\x7fb', tab: 'a\tb', accent: 'é\u010a' };
const bearer = `authorization: Bearer ${token({ ...claims, ...CLAIMS })}`;
const jwt = (provider: object): object =>
  filter('jwt_authn', 'JwtAuthentication', {
    providers: { p: { issuer: 'issuer', localJwks: jwks, ...provider } },
    rules: [{ match: { prefix: '/' }, requires: { providerName: 'p' } }],
  });
const ofClaim = (name: string): string => `%DYNAMIC_METADATA(envoy.filters.http.jwt_authn:p:${name})%`;
const brought = (...names: (keyof typeof CLAIMS)[]): object[] =>
  names.map((name) => ({
    claimName: name,
    headerName: `x-${name}`,
  }));

const BREAK = 'a\r\nx-more: 1';
const edit = (key: string, value: string): object => ({ header: { key, value }, append: false });
const VERDICTS: Readonly<Record<string, object>> = {
  '/field': { okResponse: { headers: [edit('x-a', BREAK)] } },
  '/path': { okResponse: { headers: [edit(':path', '/x HTTP/1.1\r\nx-more: 1\r\nx:')] } },
  '/blank': { okResponse: { headers: [edit(':path', '/x y')] } },
  '/method': { okResponse: { headers: [edit(':method', 'GET / HTTP/1.1\r\nx-more: 1\r\nx:')] } },
  '/authority': { okResponse: { headers: [edit(':authority', BREAK)] } },
  '/query': { okResponse: { queryParametersToSet: [{ key: 'q', value: `a b${BREAK}` }] } },
};
const grpcAuth = filter('ext_authz', 'ExtAuthz', {
  transportApiVersion: 'V3',
  grpcService: { envoyGrpc: { clusterName: 'auth' }, timeout: '3s' },
});
const httpAuth = filter('ext_authz', 'ExtAuthz', {
  transportApiVersion: 'V3',
  httpService: { serverUri: { uri: 'http://auth', cluster: 'http-auth', timeout: '3s' } },
  allowedHeaders: { patterns: [{ prefix: 'x-' }] },
});
const limit = filter('ratelimit', 'RateLimit', {
  domain: 'shop',
  timeout: '3s',
  rateLimitService: { transportApiVersion: 'V3', grpcService: { envoyGrpc: { clusterName: 'limits' } } },
});
const added = (value: string): object => ({ requestHeadersToAdd: [{ header: { key: 'x-a', value } }] });
const envelope = filter('stateful_session', 'StatefulSession', {
  sessionState: {
    name: 'envoy.http.stateful_session.envelope',
    typedConfig: {
      '@type': `${TYPE}envoy.extensions.http.stateful_session.envelope.v3.EnvelopeSessionState`,
      header: { name: 'x-session' },
    },
  },
});
const session = (value: string): string =>
  `x-session: ${Buffer.from('127.0.0.1:1').toString('base64')};UV:${Buffer.from(value).toString('base64')}`;

const CASES: readonly BesideCase[] = [
  {
    name: 'query parameters written anew',
    filters: [
      filter('header_mutation', 'HeaderMutation', {
        mutations: { queryParameterMutations: [{ append: { record: { key: 'z', value: '1' } } }] },
      }),
    ],
    ask: ['%0d%0ax-more:%201', '%00', '%0a', '%7f', '%20', '%09', '%23', '%e9'].map((value) => get(`/?a=x${value}y`)),
  },
  {
    name: 'a query without its key',
    filters: [
      filter('api_key_auth', 'ApiKeyAuth', {
        credentials: [{ key: 'k', client: 'c' }],
        keySources: [{ query: 'key' }],
        forwarding: { hideCredentials: true },
      }),
    ],
    ask: [get('/?key=k&a=%0d%0ax-more:%201'), get('/?key=k&a=x%20y')],
  },
  ...Object.keys(CLAIMS).map((name) => ({
    name: `the claim ${name}`,
    filters: [jwt({ claimToHeaders: brought(name as keyof typeof CLAIMS) })],
    ask: [get('/', bearer)],
  })),
  {
    name: 'names that are none',
    filters: [jwt({ claimToHeaders: [{ claimName: 'tab', headerName: 'x a' }] })],
    ask: [get('/', bearer)],
  },
  { name: 'a payload', filters: [jwt({ forwardPayloadHeader: 'x:a' })], ask: [get('/', bearer)] },
  {
    name: 'a user',
    filters: [
      filter('basic_auth', 'BasicAuth', {
        users: { inlineString: 'a:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=' },
        forwardUsernameHeader: 'x a',
      }),
    ],
    ask: [get('/', `authorization: Basic ${Buffer.from('a:password').toString('base64')}`)],
  },
  {
    name: 'a client',
    filters: [
      filter('api_key_auth', 'ApiKeyAuth', {
        credentials: [{ key: 'k', client: 'c' }],
        keySources: [{ query: 'key' }],
        forwarding: { header: 'x a' },
      }),
    ],
    ask: [get('/?key=k')],
  },
  {
    name: 'claims in fields, paths and hosts',
    filters: [jwt({ payloadInMetadata: 'p' })],
    routes: [
      {
        match: { path: '/field' },
        route: { cluster: 'up' },
        requestHeadersToAdd: [{ header: { key: 'x-a', value: ofClaim('break') } }],
      },
      {
        match: { path: '/late' },
        route: { cluster: 'up' },
        requestHeadersToAdd: [
          { header: { key: 'x-a', value: ofClaim('tab') } },
          { header: { key: 'x-b', value: ofClaim('nul') }, appendAction: 'ADD_IF_ABSENT' },
        ],
      },
      { match: { path: '/path' }, route: { cluster: 'up', pathRewrite: `/${ofClaim('break')}` } },
      { match: { path: '/host' }, route: { cluster: 'up', hostRewrite: ofClaim('line') } },
    ],
    ask: ['/field', '/late', '/path', '/host'].map((path) => get(path, bearer)),
  },
  {
    name: 'a copy of a request',
    filters: [jwt({ payloadInMetadata: 'p' })],
    routes: [
      {
        match: { prefix: '/' },
        route: {
          cluster: 'up',
          requestMirrorPolicies: [
            {
              cluster: 'shadow',
              requestHeadersMutations: [{ append: { header: { key: 'x-a', value: ofClaim('break') } } }],
            },
          ],
        },
      },
    ],
    // None is made of it: one that came late would be among the notes of the next case.
    ask: [get('/copied', bearer)],
  },
  { name: 'a service of gRPC', filters: [grpcAuth], ask: Object.keys(VERDICTS).map((path) => get(path)) },
  {
    name: 'a service that is sent claims',
    filters: [jwt({ claimToHeaders: brought('break') }), httpAuth],
    ask: [get('/asked', bearer)],
  },
  {
    name: 'a rate limit service',
    filters: [limit],
    routes: [
      {
        match: { prefix: '/' },
        route: { cluster: 'up', rateLimits: [{ actions: [{ genericKey: { descriptorValue: 'a' } }] }] },
      },
    ],
    ask: [get('/')],
  },
  { name: 'a session', filters: [envelope], ask: [get('/', session('a b')), get('/', session(BREAK))] },
  { name: 'fixed values', filters: [], virtualHost: added('a\tb'), ask: [get('/')] },
];

let observed: { readonly ours: Observed; readonly theirs: Observed };
beforeAll(async () => {
  const notes = new Notes();
  const service = await startGrpc(
    { request: 'envoy.service.auth.v3.CheckRequest', answer: 'envoy.service.auth.v3.CheckResponse' },
    (request) => ({ message: VERDICTS[/"path":"([^"]*)"/.exec(JSON.stringify(request))?.[1] ?? ''] ?? {} }),
  );
  const limits = await startGrpc(
    { request: 'envoy.service.ratelimit.v3.RateLimitRequest', answer: 'envoy.service.ratelimit.v3.RateLimitResponse' },
    () => ({ message: { overallCode: 'OK', requestHeadersToAdd: [{ key: 'x-a', value: BREAK }] } }),
  );
  const noting = await startRaw((text) => {
    notes.add(sorted(text));
    return 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n';
  });
  try {
    observed = await observeBoth(CASES, {
      clusters: { auth: service.port, limits: limits.port, 'http-auth': noting.port, shadow: noting.port },
      clusterOptions: { auth: HTTP2, limits: HTTP2 },
      noted: notes.take,
      logFormat: '%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS%',
      statsFilter: 'cluster\\.up\\.upstream_rq_[45]|ext_authz',
    });
  } finally {
    await Promise.all([service.stop(), limits.stop(), noting.stop()]);
  }
}, 120_000);

describeAlike('control characters', CASES, () => observed, 20);
