/**
 * Random requests through random routes with random policies (retries, timeouts, redirects, rewrites, mutations, mirrors,
 * filters and what routes say of them), to upstreams that answer at random. Both proxies must do the same with them.
 */
import type { Case } from '../../conformance/case.ts';
import { readCases } from '../../conformance/case.ts';
import { parseRequest, type Request } from '../../conformance/request.ts';
import { run } from '../../conformance/run.ts';
import { Random } from '../fuzz/random.ts';
import type { Apart } from './http.ts';

const text = (inlineString: string): object => ({ inlineString });

/** Zero or more of the choices, merged. */
function some(random: Random, choices: readonly ((random: Random) => object)[], chance: number): object {
  const all: Record<string, unknown> = {};
  for (const choice of choices) if (random.chance(chance)) Object.assign(all, choice(random));
  return all;
}

const percent = (numerator: number): object => ({ defaultValue: { numerator, denominator: 'HUNDRED' } });

const VALUES = [
  'v',
  '',
  '%REQ(x-a)%',
  '%REQ(:path)%',
  '%REQ(missing?x-a)%',
  '%PROTOCOL%',
  'a%%b',
  '%REQ(x-a):2%',
  '%UPSTREAM_CLUSTER%',
  '%DOWNSTREAM_LOCAL_PORT%x%REQ(:method)%',
  '%ROUTE_NAME%',
  '%REQ(:authority)%',
  '%RESPONSE_CODE%',
  '%REQUESTED_SERVER_NAME%',
  '%DYNAMIC_METADATA(a:b)%',
  '%RESP(x-up)%',
  '%REQ(USER-AGENT)%',
  '%RESPONSE_FLAGS%',
  '%PATH(NQ)%',
  '%QUERY_PARAM(q)%',
];
const NAMES = ['x-a', 'x-b', 'x-new', 'x-up', 'content-type', 'x-forwarded-for', 'user-agent', 'server', 'date'];

function additions(random: Random): object[] {
  return Array.from({ length: 1 + random.below(2) }, () => ({
    header: { key: random.pick(NAMES), value: random.pick(VALUES) },
    ...(random.chance(0.6)
      ? {
          appendAction: random.pick([
            'APPEND_IF_EXISTS_OR_ADD',
            'ADD_IF_ABSENT',
            'OVERWRITE_IF_EXISTS_OR_ADD',
            'OVERWRITE_IF_EXISTS',
          ]),
        }
      : {}),
    ...(random.chance(0.2) ? { keepEmptyValue: true } : {}),
  }));
}

const MUTATIONS: readonly ((random: Random) => object)[] = [
  (random) => ({ requestHeadersToAdd: additions(random) }),
  (random) => ({ responseHeadersToAdd: additions(random) }),
  (random) => ({ requestHeadersToRemove: [random.pick(['x-a', 'x-b', 'user-agent', 'accept'])] }),
  (random) => ({ responseHeadersToRemove: [random.pick(['x-up', 'x-b', 'server', 'x-envoy-upstream-service-time'])] }),
];

const RETRIES: readonly ((random: Random) => object)[] = [
  (random) => ({ numRetries: random.below(4) }),
  (random) => ({ retriableStatusCodes: [random.pick([404, 418, 200, 503])] }),
  () => ({ perTryTimeout: '0.25s' }),
  () => ({ retryBackOff: { baseInterval: '0.001s', maxInterval: '0.002s' } }),
  () => ({ retriableHeaders: [{ name: 'x-retry', presentMatch: true }] }),
  () => ({ retriableRequestHeaders: [{ name: 'x-a', presentMatch: true }] }),
  () => ({
    retryHostPredicate: [{ name: 'p', typedConfig: { '@': 'retry.host.previous_hosts.v3.PreviousHostsPredicate' } }],
    hostSelectionRetryMaxAttempts: 3,
  }),
];
const RETRY_ON = [
  '5xx',
  'gateway-error',
  'reset',
  'connect-failure',
  'retriable-4xx',
  'refused-stream',
  'retriable-status-codes',
  'retriable-headers',
  'envoy-ratelimited',
  'cancelled',
  'unavailable',
  'reset-before-request',
  'http3-post-connect-failure',
  '5xx,retriable-4xx',
  'reset,retriable-status-codes',
];

function retryPolicy(random: Random): object {
  return { retryOn: random.pick(RETRY_ON), ...some(random, RETRIES, 0.4) };
}

const CLUSTER_ACTIONS: readonly ((random: Random) => object)[] = [
  (random) => ({ retryPolicy: retryPolicy(random) }),
  (random) => ({ timeout: random.pick(['0s', '0.4s', '15s']) }),
  () => ({ idleTimeout: '0.4s' }),
  (random) =>
    random.pick([
      { prefixRewrite: '/new' },
      { prefixRewrite: '/' },
      { regexRewrite: { pattern: { regex: '^/(\\w)' }, substitution: '/<\\1>' } },
      { regexRewrite: { pattern: { regex: 'a' }, substitution: '' } },
    ]),
  (random) =>
    random.pick([
      { hostRewriteLiteral: 'rewritten' },
      { hostRewriteHeader: 'x-a' },
      { hostRewritePathRegex: { pattern: { regex: '^/([^/?]+).*$' }, substitution: '\\1' } },
    ]),
  () => ({ appendXForwardedHost: true }),
  (random) => ({
    hashPolicy: [
      random.pick([
        { header: { headerName: 'x-a' } },
        { cookie: { name: 'c', ttl: '0s' } },
        { cookie: { name: 'c' } },
        { queryParameter: { name: 'q' } },
        { connectionProperties: { sourceIp: true } },
      ]),
    ],
  }),
  (random) => ({
    maxStreamDuration: random.pick([
      { maxStreamDuration: '0.4s' },
      { grpcTimeoutHeaderMax: '0.3s' },
      { maxStreamDuration: '0s', grpcTimeoutHeaderMax: '0s' },
    ]),
  }),
  () => ({ priority: 'HIGH' }),
  (random) => ({
    internalRedirectPolicy: {
      maxInternalRedirects: random.below(3),
      ...(random.chance(0.5) ? { redirectResponseCodes: [random.pick([302, 303, 307])] } : {}),
    },
  }),
];

const REDIRECTS: readonly ((random: Random) => object)[] = [
  (random) =>
    random.pick([
      { pathRedirect: '/gone?x=1' },
      { prefixRewrite: '/gone' },
      { pathRedirect: '/gone' },
      { regexRewrite: { pattern: { regex: 'a' }, substitution: 'b' } },
    ]),
  (random) => ({ hostRedirect: random.pick(['other', 'other:81', '[::1]']) }),
  (random) => ({ portRedirect: random.pick([80, 443, 8443]) }),
  (random) => random.pick([{ httpsRedirect: true }, { schemeRedirect: 'ftp' }, { schemeRedirect: 'http' }]),
  (random) => ({
    responseCode: random.pick(['FOUND', 'SEE_OTHER', 'TEMPORARY_REDIRECT', 'PERMANENT_REDIRECT', 'MOVED_PERMANENTLY']),
  }),
  () => ({ stripQuery: true }),
];

const PER_ROUTE: readonly ((random: Random) => object)[] = [
  (random) => ({
    'envoy.filters.http.cors': {
      '@': 'http.cors.v3.CorsPolicy',
      allowOriginStringMatch: [
        random.pick([{ exact: '*' }, { prefix: 'https://a' }, { safeRegex: { regex: 'https://.*' } }]),
      ],
      ...some(
        random,
        [
          () => ({ allowMethods: 'GET,PUT' }),
          () => ({ allowHeaders: 'x-h' }),
          () => ({ exposeHeaders: 'x-e' }),
          () => ({ maxAge: '10' }),
          () => ({ allowCredentials: true }),
          () => ({ allowPrivateNetworkAccess: true }),
          () => ({ forwardNotMatchingPreflights: false }),
        ],
        0.4,
      ),
    },
  }),
  (random) => ({
    'envoy.filters.http.fault': {
      '@': 'http.fault.v3.HTTPFault',
      ...random.pick([
        { abort: { httpStatus: 418, percentage: { numerator: 100 } } },
        { delay: { fixedDelay: '0.15s', percentage: { numerator: 100 } } },
        { abort: { grpcStatus: 5, percentage: { numerator: 100 } } },
        { abort: { headerAbort: {}, percentage: { numerator: 100 } } },
        { abort: { httpStatus: 418, percentage: { numerator: 100 } }, headers: [{ name: 'x-a', presentMatch: true }] },
        { abort: { httpStatus: 418, percentage: { numerator: 100 } }, upstreamCluster: 'one' },
      ]),
    },
  }),
  (random) => ({
    'envoy.filters.http.buffer': {
      '@': 'http.buffer.v3.BufferPerRoute',
      ...random.pick([{ disabled: true }, { buffer: { maxRequestBytes: 4 } }]),
    },
  }),
  (random) => ({
    'envoy.filters.http.local_ratelimit': {
      '@': 'http.local_ratelimit.v3.LocalRateLimit',
      statPrefix: 'rl',
      tokenBucket: { maxTokens: random.pick([1, 1000]), tokensPerFill: 1, fillInterval: '3600s' },
      filterEnabled: percent(100),
      filterEnforced: percent(random.pick([0, 100])),
      ...some(
        random,
        [
          () => ({ status: { code: 'ServiceUnavailable' } }),
          () => ({ responseHeadersToAdd: [{ header: { key: 'x-limited', value: 'yes' } }] }),
          () => ({ requestHeadersToAddWhenNotEnforced: [{ header: { key: 'x-would', value: 'yes' } }] }),
          () => ({ enableXRatelimitHeaders: 'DRAFT_VERSION_03' }),
          () => ({ rateLimitedAsResourceExhausted: true }),
        ],
        0.4,
      ),
    },
  }),
  (random) => ({
    'envoy.filters.http.rbac': {
      '@': 'http.rbac.v3.RBACPerRoute',
      ...random.pick([
        {},
        {
          rbac: {
            rules: {
              action: random.pick(['ALLOW', 'DENY', 'LOG']),
              policies: {
                p: {
                  permissions: [
                    random.pick([
                      { any: true },
                      { urlPath: { path: { prefix: '/a' } } },
                      { header: { name: 'x-a', presentMatch: true } },
                      { notRule: { header: { name: ':method', stringMatch: { exact: 'GET' } } } },
                    ]),
                  ],
                  principals: [
                    random.pick([{ any: true }, { directRemoteIp: { addressPrefix: '127.77.0.0', prefixLen: 17 } }]),
                  ],
                },
              },
            },
          },
        },
      ]),
    },
  }),
  (random) => ({
    'envoy.filters.http.header_mutation': {
      '@': 'http.header_mutation.v3.HeaderMutationPerRoute',
      mutations: some(
        random,
        [
          (each) => ({ requestMutations: additions(each).map((append) => ({ append })) }),
          (each) => ({ responseMutations: [...additions(each).map((append) => ({ append })), { remove: 'x-up' }] }),
        ],
        0.7,
      ),
    },
  }),
];

const FILTERS: readonly object[] = [
  { '$http.cors.v3.Cors': {} },
  { '$http.fault.v3.HTTPFault': {} },
  { '$http.local_ratelimit.v3.LocalRateLimit': { statPrefix: 'rl' } },
  { '$http.rbac.v3.RBAC': {} },
  { '$http.header_mutation.v3.HeaderMutation': {} },
  { '$http.buffer.v3.Buffer': { maxRequestBytes: 1000 } },
];

const MATCHES: readonly ((random: Random) => object)[] = [
  (random) =>
    random.pick([
      { prefix: '/' },
      { prefix: '/a' },
      { path: '/a/b' },
      { pathSeparatedPrefix: '/a' },
      { safeRegex: { regex: '/[ab].*' } },
      { prefix: '/A', caseSensitive: false },
    ]),
];

function routeOf(random: Random, index: number): object {
  const match = {
    ...MATCHES[0]!(random),
    ...some(
      random,
      [
        () => ({ headers: [{ name: 'x-a', presentMatch: true }] }),
        () => ({ queryParameters: [{ name: 'q', presentMatch: true }] }),
        () => ({ grpc: {} }),
      ],
      0.12,
    ),
  };
  const perRoute: Record<string, unknown> = {};
  for (const choice of PER_ROUTE) if (random.chance(0.15)) Object.assign(perRoute, choice(random));
  const kind = random.below(10);
  const does =
    kind === 0
      ? { redirect: some(random, REDIRECTS, 0.4) }
      : kind === 1
        ? {
            directResponse: {
              status: random.pick([200, 204, 403, 503, 301]),
              ...(random.chance(0.6) ? { body: text('direct') } : {}),
            },
          }
        : { route: { ...target(random), ...some(random, CLUSTER_ACTIONS, 0.22) } };
  return { name: `r${index}`, match, ...does, ...some(random, MUTATIONS, 0.2), typedPerFilterConfig: perRoute };
}

function target(random: Random): object {
  const kind = random.below(8);
  if (kind === 0)
    return { clusterHeader: 'x-cluster', ...(random.chance(0.5) ? { clusterNotFoundResponseCode: 'NOT_FOUND' } : {}) };
  if (kind === 1)
    return {
      cluster: random.pick(['missing', 'gone', 'down']),
      ...(random.chance(0.3) ? { clusterNotFoundResponseCode: 'INTERNAL_SERVER_ERROR' } : {}),
    };
  if (kind === 2)
    return {
      weightedClusters: {
        clusters: [
          { name: 'one', weight: 1, ...some(random, MUTATIONS, 0.3) },
          { name: 'two', weight: 0 },
        ],
      },
    };
  return { cluster: random.pick(['one', 'one', 'two']) };
}

const WORDS = [
  '200',
  '200',
  '200',
  '200',
  '503',
  '500',
  '404',
  '418',
  '204',
  '304',
  '302+location=http://test/a/b',
  '303+location=/b',
  '301+location=http://other/',
  'reset',
  'close',
  'cut',
  '200@300',
  '503+x-retry=1',
  '503+x-envoy-ratelimited=true',
  '200+x-up=1',
  '429+retry-after=0',
  '200+content-type=application/grpc+grpc-status=14',
  '200+content-type=application/grpc+grpc-status=1',
  'raw:junk%0d%0a%0d%0a',
  'raw:HTTP/1.1%20103%20E%0d%0a%0d%0aHTTP/1.1%20200%20OK%0d%0acontent-length:%202%0d%0a%0d%0aok',
];
const REQUEST_FIELDS: readonly ((random: Random) => string)[] = [
  () => 'x-a: 1',
  () => 'x-a: two, 3',
  () => 'X-A: 4',
  () => 'x-b: b',
  () => 'user-agent: ua',
  () => 'origin: https://a',
  () => 'origin: null',
  () => 'access-control-request-method: PUT',
  () => 'x-cluster: one',
  () => 'x-cluster: nope',
  () => 'content-type: application/grpc',
  () => 'grpc-timeout: 200m',
  () => 'x-envoy-retry-on: 5xx',
  () => 'x-envoy-max-retries: 2',
  () => 'x-envoy-upstream-rq-timeout-ms: 200',
  () => 'x-envoy-fault-abort-request: 429',
  () => 'cookie: c=1; d=2',
  () => 'x-envoy-upstream-rq-per-try-timeout-ms: 150',
  () => 'x-envoy-retriable-status-codes: 404',
  () => 'x-forwarded-proto: https',
  () => 'accept: */*',
  () => 'expect: 100-continue',
  () => 'access-control-request-private-network: true',
  () => 'x-envoy-retry-grpc-on: unavailable',
  () => 'connection: close',
];

function request(random: Random): Request {
  const method = random.pick(['GET', 'GET', 'GET', 'GET', 'POST', 'OPTIONS', 'HEAD', 'PUT']);
  const path = random.pick(['/', '/a', '/a/b', '/a/b?q=1', '/b', '/A', '/ab?x=1&q=', '/c#f', '/a%2Fb', '/b/a/a']);
  const lines = [`${method} ${path}`];
  for (let i = random.below(4); i > 0; i--) {
    const line = random.pick(REQUEST_FIELDS)(random);
    lines.push(line);
  }
  lines.push(`x-answer: ${Array.from({ length: 1 + random.below(3) }, () => random.pick(WORDS)).join(' ')}`);
  const body = method === 'POST' || method === 'PUT' ? `\n\n${random.pick(['abc', 'abcdef', ''])}` : '';
  return parseRequest({ request: lines.join('\n') + body, wait: undefined, settle: 40 });
}

/** A case of so many random requests. */
export function randomPolicies(seed: number, requests: number): Case {
  const random = new Random(seed);
  const [template] = readCases('smuggling/pipelines');
  const host = (name: string, domains: string[]): object => ({
    name,
    domains,
    routes: [
      ...Array.from({ length: 8 }, (_, i) => routeOf(random, i)),
      { name: 'last', match: { prefix: '/' }, route: { cluster: 'one' } },
    ],
    ...some(random, MUTATIONS, 0.2),
    ...(random.chance(0.3) ? { includeRequestAttemptCount: true } : {}),
    ...(random.chance(0.3) ? { includeAttemptCountInResponse: true } : {}),
    ...(random.chance(0.2) ? { retryPolicy: retryPolicy(random) } : {}),
    ...(random.chance(0.1) ? { requireTls: random.pick(['ALL', 'EXTERNAL_ONLY']) } : {}),
  });
  return {
    ...template!,
    name: `policies/${seed}`,
    parallel: 1,
    stats: [],
    statsDiffer: undefined,
    statsPending: undefined,
    upstreams: Object.fromEntries(
      ['one', 'two']
        .map((name) => [name, { kind: 'http', answers: ['200'], headers: {} }])
        .concat([['gone', { kind: 'closed', answers: ['200'], headers: {} }]]),
    ) as Case['upstreams'],
    configuration: {
      hcm: { delayedCloseTimeout: '0.050s' },
      filters: FILTERS.filter(() => random.chance(0.7)),
      virtualHosts: [host('all', ['*'])],
      routeConfig: {
        validateClusters: false,
        ...some(random, MUTATIONS, 0.15),
        ...(random.chance(0.3) ? { mostSpecificHeaderMutationsWins: true } : {}),
      },
      router: random.chance(0.2)
        ? { suppressEnvoyHeaders: true }
        : random.chance(0.2)
          ? { respectExpectedRqTimeout: true }
          : {},
      clusters: {
        one: { endpoints: ['one'], connectTimeout: '0.5s' },
        two: { endpoints: ['two'], lbPolicy: 'RING_HASH' },
        gone: { endpoints: ['gone'] },
        down: { endpoints: [] },
      },
    },
    requests: Array.from({ length: requests }, () => request(random)),
  };
}

/** Runs a random case on both; what differs. */
export async function comparePolicies(seed: number, requests: number): Promise<Apart[]> {
  const one = randomPolicies(seed, requests);
  const { verdicts } = await run(one, ['envoy', 'mizzen']);
  return verdicts.flatMap(({ result, differences }, i) =>
    result === 'failed'
      ? [{ seed, configuration: one.configuration, sent: one.requests[i]?.send ?? [], differences }]
      : [],
  );
}
