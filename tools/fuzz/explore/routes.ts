/** Route configurations: virtual hosts with domains of every kind, and routes with all that they may do. */
import fc, { type Arbitrary } from 'fast-check';
import { among, flag, merged, one, seldom, some, withoutUndefined } from './arbitrary.ts';
import { perFilter } from './filters.ts';
import { bodyFormat, header } from './logs.ts';
import { asking } from './matcher-trees.ts';
import { mutationList, mutations } from './mutations.ts';
import { rateLimits } from './rate-limits.ts';

const text = (inlineString: string): object => ({ inlineString });
const regex = (pattern: string, substitution: string): object => ({ pattern: { regex: pattern }, substitution });

const queryParameter: Arbitrary<object> = merged(
  one('q', 'x', 'none').map((name) => ({ name })),
  one<object>(
    { presentMatch: true },
    { stringMatch: { exact: '1' } },
    { stringMatch: { safeRegex: { regex: '\\d*' } } },
    {},
  ),
);

const match: Arbitrary<object> = merged(
  one<object>(
    { prefix: '/' },
    { prefix: '/a' },
    { path: '/a/b' },
    { pathSeparatedPrefix: '/a' },
    { safeRegex: { regex: '/[ab].*' } },
    { prefix: '/A' },
    { path: '/A/B' },
    {
      pathMatchPolicy: {
        name: 't',
        typedConfig: {
          '@': 'envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig',
          pathTemplate: '/{x}/{y}',
        },
      },
    },
    {
      pathMatchPolicy: {
        name: 't',
        typedConfig: {
          '@': 'envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig',
          pathTemplate: '/a/**',
        },
      },
    },
    { connectMatcher: {} },
    { prefix: '' },
  ),
  some(
    {
      caseSensitive: one(false, true),
      headers: fc.array(header, { minLength: 1, maxLength: 2 }),
      queryParameters: fc.array(queryParameter, { minLength: 1, maxLength: 2 }),
      grpc: one({}),
      runtimeFraction: one(100, 0).map((numerator) => ({
        defaultValue: { numerator, denominator: 'HUNDRED' },
        runtimeKey: 'none',
      })),
      cookies: one<object[]>(
        [{ name: 'c', stringMatch: { exact: '1' } }],
        [{ name: 'c', stringMatch: { prefix: '1' }, invertMatch: true }],
      ),
      dynamicMetadata: one<object[]>([
        { filter: 'a', path: [{ key: 'b' }], value: { stringMatch: { contains: '1' } } },
      ]),
    },
    8,
  ),
);

const rewrites: Arbitrary<object> = one<object>(
  {},
  {},
  { prefixRewrite: '/new' },
  { prefixRewrite: '/' },
  { regexRewrite: regex('^/(\\w)', '/<\\1>') },
  { regexRewrite: regex('a', '') },
  { regexRewrite: regex('.*', '') },
  { pathRewrite: '/%REQ(x-a)%' },
  { pathRewrite: '%REQ(:path)%x' },
);
const hostRewrites: Arbitrary<object> = one<object>(
  {},
  {},
  { hostRewriteLiteral: 'rewritten' },
  { hostRewriteHeader: 'x-a' },
  { hostRewritePathRegex: regex('^/([^/?]+).*$', '\\1') },
  { autoHostRewrite: true },
  { hostRewrite: '%REQ(x-a)%.new' },
);

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
  'unavailable',
  'reset-before-request',
  '5xx,retriable-4xx',
  'cancelled,internal,deadline-exceeded',
];
const retryPolicy: Arbitrary<object> = merged(
  one(...RETRY_ON).map((retryOn) => ({ retryOn, retryBackOff: { baseInterval: '0.001s', maxInterval: '0.002s' } })),
  some(
    {
      numRetries: one(1, 0, 2, 3),
      retriableStatusCodes: one([404], [418, 200], [503]),
      retriableHeaders: one<object[]>(
        [{ name: 'x-retry', presentMatch: true }],
        [{ name: ':status', stringMatch: { prefix: '4' } }],
      ),
      retriableRequestHeaders: one<object[]>(
        [{ name: 'x-a', presentMatch: true }],
        [{ name: ':method', stringMatch: { exact: 'GET' } }],
      ),
      perTryTimeout: one('0.4s'),
      perTryIdleTimeout: one('0.4s'),
      retryHostPredicate: one([
        { name: 'p', typedConfig: { '@': 'retry.host.previous_hosts.v3.PreviousHostsPredicate' } },
      ]),
    },
    3,
  ),
);

const mirror: Arbitrary<object> = merged(
  fc.constant({ cluster: 'UNITb' }),
  some(
    {
      runtimeFraction: one({ defaultValue: { numerator: 0, denominator: 'HUNDRED' } }),
      disableShadowHostSuffixAppend: flag,
      hostRewriteLiteral: one('shadow'),
      requestHeadersMutations: mutationList,
    },
    3,
  ),
);

const hash: Arbitrary<object> = merged(
  one<object>(
    { header: { headerName: 'x-a' } },
    { header: { headerName: 'x-a', regexRewrite: regex('\\d', 'n') } },
    { queryParameter: { name: 'q' } },
    { connectionProperties: { sourceIp: true } },
    { cookie: { name: 'c' } },
  ),
  some({ terminal: flag }, 3),
);

const weighted: Arbitrary<object> = fc
  .record({
    first: fc.boolean(),
    more: fc.tuple(mutations(3), mutations(6)),
    host: one({}, { hostRewriteLiteral: 'weighted' }),
    typedPerFilterConfig: perFilter(8),
  })
  .map(({ first, more: [a, b], host, typedPerFilterConfig }) => ({
    weightedClusters: {
      clusters: [
        { name: 'UNITa', weight: first ? 1 : 0, ...a, ...host, typedPerFilterConfig },
        { name: 'UNITb', weight: first ? 0 : 1, ...b },
      ],
    },
  }));

const target: Arbitrary<object> = among<object>(
  fc.oneof(
    { weight: 6, arbitrary: one<object>({ cluster: 'UNITa' }) },
    { weight: 1, arbitrary: one<object>({ cluster: 'UNITb' }) },
    { weight: 1, arbitrary: one<object>({ cluster: 'UNITdead' }, { cluster: 'UNITempty' }) },
  ),
  merged(
    fc.constant({ clusterHeader: 'x-cluster' }),
    some({ clusterNotFoundResponseCode: one('NOT_FOUND', 'INTERNAL_SERVER_ERROR') }, 2),
  ),
  // Balancing must not be left to chance: the last thing that is hashed is always there.
  fc.array(hash, { maxLength: 2 }).map((policies) => ({
    cluster: 'UNITring',
    hashPolicy: [...policies, { connectionProperties: { sourceIp: true } }],
  })),
  weighted,
  asking(
    one('UNITa', 'UNITb').map((name) => ({
      name: 'c',
      typedConfig: { '@': 'router.cluster_specifiers.matcher.v3.ClusterAction', cluster: name },
    })),
    'clusters',
  ).map((clusterMatcher) => ({
    inlineClusterSpecifierPlugin: {
      extension: {
        name: 'm',
        typedConfig: { '@': 'router.cluster_specifiers.matcher.v3.MatcherClusterSpecifier', clusterMatcher },
      },
    },
  })),
);

const action: Arbitrary<object> = merged(
  target,
  rewrites,
  hostRewrites,
  some(
    {
      retryPolicy,
      timeout: one('15s', '0s', '0.4s'),
      idleTimeout: one('15s', '0.4s'),
      appendXForwardedHost: flag,
      maxStreamDuration: one<object>(
        { maxStreamDuration: '0.4s' },
        { grpcTimeoutHeaderMax: '0.4s' },
        { maxStreamDuration: '0s', grpcTimeoutHeaderMax: '0s' },
      ),
      priority: one('HIGH'),
      internalRedirectPolicy: merged(
        one(1, 0, 2).map((maxInternalRedirects) => ({ maxInternalRedirects })),
        some(
          {
            redirectResponseCodes: one([302], [303, 307]),
            allowCrossSchemeRedirect: flag,
            responseHeadersToCopy: one(['x-up']),
          },
          2,
        ),
      ),
      requestMirrorPolicies: fc.array(mirror, { minLength: 1, maxLength: 1 }),
      upgradeConfigs: one<object[]>(
        [{ upgradeType: 'websocket' }],
        [{ upgradeType: 'websocket', enabled: false }],
        [{ upgradeType: 'CONNECT', connectConfig: {} }],
      ),
      rateLimits,
      includeVhRateLimits: flag,
      metadataMatch: one<object>({ filterMetadata: { 'envoy.lb': { v: '1' } } }),
    },
    6,
  ),
);

const redirect: Arbitrary<object> = merged(
  one<object>(
    {},
    { pathRedirect: '/gone?x=1' },
    { prefixRewrite: '/gone' },
    { pathRedirect: '/gone' },
    { regexRewrite: regex('a', 'b') },
    { pathRedirect: '/%REQ(x-a)%' },
  ),
  one<object>({}, { httpsRedirect: true }, { schemeRedirect: 'ftp' }, { schemeRedirect: 'http' }),
  some(
    {
      hostRedirect: one('other', 'other:81', '[::1]'),
      portRedirect: one(80, 443, 8443),
      responseCode: one('FOUND', 'SEE_OTHER', 'TEMPORARY_REDIRECT', 'PERMANENT_REDIRECT'),
      stripQuery: flag,
    },
    3,
  ),
);

const directResponse: Arbitrary<object> = merged(
  one(200, 204, 403, 503, 301, 304).map((status) => ({ status })),
  some({ body: one(text('direct'), text(''), text('%REQ(x-a)% %RESPONSE_CODE%')), bodyFormat }, 2),
);

const does: Arbitrary<object> = fc.oneof(
  { withCrossShrink: true },
  { weight: 6, arbitrary: action.map((route) => ({ route })) },
  { weight: 1, arbitrary: directResponse.map((each) => ({ directResponse: each })) },
  { weight: 1, arbitrary: redirect.map((each) => ({ redirect: each })) },
);

/** What was matched by a template cannot have its prefix replaced, but may be written by another template. */
function fitting(whole: object): object {
  const {
    match: matched,
    route: acts,
    ...rest
  } = whole as {
    match: { pathMatchPolicy?: unknown };
    route?: { prefixRewrite?: string };
  };
  if (matched.pathMatchPolicy === undefined || acts?.prefixRewrite === undefined) return whole;
  const { prefixRewrite: _, ...others } = acts;
  const typedConfig = {
    '@': 'envoy.extensions.path.rewrite.uri_template.v3.UriTemplateRewriteConfig',
    pathTemplateRewrite: '/written/x',
  };
  return { match: matched, ...rest, route: { ...others, pathRewritePolicy: { name: 't', typedConfig } } };
}

const route: Arbitrary<object> = merged(
  fc.record({ match }),
  does,
  mutations(5),
  some(
    {
      name: one('r', 'other'),
      statPrefix: one('rs'),
      requestBodyBufferLimit: one(4, 100_000),
      perRequestBufferLimitBytes: one(4),
      metadata: one({ filterMetadata: { a: { b: 'route' } } }),
    },
    8,
  ),
  fc.record({ typedPerFilterConfig: perFilter(7) }),
).map(fitting);

const DOMAINS = [
  'test',
  '*.test',
  'a.*',
  'a.test',
  '*-b.test',
  'test:80',
  'TEST',
  '[::1]',
  'test.',
  'rewritten',
  '*.a.test',
  '1.2.3.4',
];

/** What a matcher says to do. */
const chosen: Arbitrary<object> = among<object>(
  route.map((each) => ({ name: 'r', typedConfig: { '@': 'envoy.config.route.v3.Route', ...each } })),
  fc
    .array(route, { minLength: 1, maxLength: 2 })
    .map((routes) => ({ name: 'r', typedConfig: { '@': 'envoy.config.route.v3.RouteList', routes } })),
);

const ofHost: Arbitrary<object> = merged(
  fc.oneof(
    { withCrossShrink: true },
    { weight: 4, arbitrary: fc.record({ routes: fc.array(route, { maxLength: 4 }) }) },
    { weight: 1, arbitrary: asking(chosen, 'routes').map((matcher) => ({ matcher })) },
  ),
  mutations(8),
  some(
    {
      requireTls: one('NONE', 'ALL', 'EXTERNAL_ONLY'),
      rateLimits,
      includeRequestAttemptCount: flag,
      includeAttemptCountInResponse: flag,
      includeIsTimeoutRetryHeader: flag,
      retryPolicy,
      hedgePolicy: one({ hedgeOnPerTryTimeout: false }),
      requestMirrorPolicies: fc.array(mirror, { minLength: 1, maxLength: 1 }),
      virtualClusters: one([{ name: 'vc', headers: [{ name: ':path', stringMatch: { prefix: '/a' } }] }]),
      typedPerFilterConfig: perFilter(4),
      perRequestBufferLimitBytes: one(4),
    },
    8,
  ),
);

const virtualHosts: Arbitrary<object[]> = fc
  .record({
    domains: fc.uniqueArray(one(...DOMAINS), { maxLength: 4, selector: (each) => each.toLowerCase() }),
    hosts: fc.array(ofHost, { maxLength: 2 }),
    last: seldom(ofHost, 3),
    rest: merged(fc.record({ routes: fc.array(route, { maxLength: 3 }) }), mutations(8)),
  })
  .map(({ domains, hosts, last, rest }) => {
    const all = hosts
      .map((each, i) => ({ name: `h${i}`, domains: domains.filter((_, j) => j % hosts.length === i), ...each }))
      .filter((each) => each.domains.length > 0);
    const end = { name: 'end', match: { prefix: '/' }, route: { cluster: 'UNITa' } };
    const ending = last === undefined ? { ...rest, routes: [...(rest as { routes: object[] }).routes, end] } : last;
    return [...all, { name: 'rest', domains: ['*'], ...ending }];
  });

export const routeConfig: Arbitrary<object> = fc
  .record({
    virtualHosts,
    withoutRest: seldom(flag, 12),
    more: mutations(8),
    options: some(
      {
        mostSpecificHeaderMutationsWins: flag,
        internalOnlyHeaders: one(['x-a']),
        ignorePathParametersInPathMatching: flag,
        ignorePortInHostMatching: flag,
        maxDirectResponseBodySizeBytes: one(4096, 100),
        typedPerFilterConfig: perFilter(4),
        requestMirrorPolicies: fc.array(mirror, { minLength: 1, maxLength: 1 }),
        vhostHeader: one('x-b'),
      },
      8,
    ),
  })
  .map(({ virtualHosts: all, withoutRest, more, options }) => ({
    virtualHosts: withoutRest === true ? all.slice(0, -1) : all,
    ...more,
    ...withoutUndefined(options),
  }));
