/** HTTP filters before the router, and what routes, virtual hosts and weighted clusters say of them. */
import fc, { type Arbitrary } from 'fast-check';
import { among, flag, merged, one, seldom, some, withoutUndefined } from './arbitrary.ts';
import { BODY_KINDS } from './body-filters.ts';
import { IDENTITY_KINDS } from './identity-filters.ts';
import { onOrOff, percent, type Kind } from './kind.ts';
import { header } from './logs.ts';
import { matchers } from './matched.ts';
import { additions, filterMutations } from './mutations.ts';
import { ownRateLimits } from './rate-limits.ts';

const FILTER_CONFIG = 'envoy.config.route.v3.FilterConfig';

const origin: Arbitrary<object> = one<object>(
  { exact: '*' },
  { exact: 'https://a' },
  { prefix: 'https://a' },
  { suffix: 'test' },
  { safeRegex: { regex: 'https://.*' } },
  { contains: 'T', ignoreCase: true },
);

const corsPolicy: Arbitrary<object> = some(
  {
    allowOriginStringMatch: fc.array(origin, { minLength: 1, maxLength: 2 }),
    allowMethods: one('GET,PUT'),
    allowHeaders: one('x-h', '*'),
    exposeHeaders: one('x-e'),
    maxAge: one('10'),
    allowCredentials: one(true, false),
    allowPrivateNetworkAccess: flag,
    forwardNotMatchingPreflights: one(true, false),
    filterEnabled: onOrOff,
    shadowEnabled: onOrOff,
  },
  2,
);

const csrfPolicy: Arbitrary<object> = merged(
  fc.record({ filterEnabled: onOrOff }),
  some(
    {
      shadowEnabled: onOrOff,
      additionalOrigins: fc.array(
        origin.filter((each) => !('exact' in each)),
        { maxLength: 2 },
      ),
    },
    2,
  ),
);

const all = (more: object): object => ({ percentage: percent(100), ...more });
const fault: Arbitrary<object> = merged(
  one<object>(
    {},
    { abort: all({ httpStatus: 418 }) },
    { abort: all({ grpcStatus: 5 }) },
    { abort: all({ headerAbort: {} }) },
    { delay: all({ fixedDelay: '0.05s' }) },
    { delay: all({ headerDelay: {} }) },
    { delay: all({ fixedDelay: '0.05s' }), abort: all({ httpStatus: 503 }) },
    { abort: { httpStatus: 418, percentage: percent(0) } },
  ),
  some(
    {
      headers: fc.array(header, { minLength: 1, maxLength: 2 }),
      upstreamCluster: one('UNITa', 'UNITb'),
      maxActiveFaults: one(0, 10),
      disableDownstreamClusterStats: flag,
      downstreamNodes: one(['n']),
    },
    5,
  ),
);

const bucket = (maxTokens: number): object => ({ maxTokens, tokensPerFill: 1, fillInterval: '3600s' });
const descriptors = one<object[]>(
  [{ entries: [{ key: 'k', value: '1' }], tokenBucket: bucket(1) }],
  [
    { entries: [{ key: 'k', value: '1' }], tokenBucket: bucket(5) },
    { entries: [{ key: 'k', value: '1' }, { key: 'm' }], tokenBucket: bucket(1), shadowMode: true },
  ],
  [{ entries: [{ key: 'k' }], tokenBucket: bucket(2) }],
);

const localRateLimit: Arbitrary<object> = merged(
  fc.record({
    statPrefix: fc.constant('rl'),
    tokenBucket: one(1000, 1).map(bucket),
  }),
  some(
    {
      filterEnabled: onOrOff,
      filterEnforced: onOrOff,
      status: one<object>({ code: 'ServiceUnavailable' }, { code: 'OK' }),
      responseHeadersToAdd: additions,
      requestHeadersToAddWhenNotEnforced: additions,
      enableXRatelimitHeaders: one('DRAFT_VERSION_03', 'OFF'),
      rateLimitedAsResourceExhausted: flag,
      localRateLimitPerDownstreamConnection: flag,
      stage: one(0, 1),
      descriptors,
      rateLimits: ownRateLimits,
      alwaysConsumeDefaultTokenBucket: one(false, true),
      vhRateLimits: one('INCLUDE', 'IGNORE', 'OVERRIDE'),
      enableRetryAfterHeader: flag,
    },
    2,
  ),
);

const permission: Arbitrary<object> = among<object>(
  one<object>(
    { any: true },
    { urlPath: { path: { prefix: '/a' } } },
    { urlPath: { path: { safeRegex: { regex: '/[ab]+' } } } },
    { destinationPort: 80 },
    { requestedServerName: { exact: '' } },
    { destinationIp: { addressPrefix: '127.0.0.0', prefixLen: 8 } },
    { metadata: { filter: 'a', path: [{ key: 'b' }], value: { presentMatch: true } } },
    {
      uriTemplate: {
        name: 't',
        typedConfig: {
          '@': 'envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig',
          pathTemplate: '/a/*',
        },
      },
    },
  ),
  header.map((each) => ({ header: each })),
);
const principal: Arbitrary<object> = among<object>(
  one<object>(
    { any: true },
    { directRemoteIp: { addressPrefix: '127.77.0.0', prefixLen: 17 } },
    { remoteIp: { addressPrefix: '1.2.3.4', prefixLen: 32 } },
    { sourceIp: { addressPrefix: '127.77.0.0', prefixLen: 16 } },
    { authenticated: {} },
    { urlPath: { path: { suffix: 'b' } } },
  ),
  header.map((each) => ({ header: each })),
);
const inverted = (
  arbitrary: Arbitrary<object>,
  not: string,
  and: string,
  or: string,
  list: string,
): Arbitrary<object> =>
  among<object>(
    arbitrary,
    arbitrary.map((each) => ({ [not]: each })),
    fc.array(arbitrary, { minLength: 1, maxLength: 2 }).map((each) => ({ [and]: { [list]: each } })),
    fc.array(arbitrary, { minLength: 1, maxLength: 2 }).map((each) => ({ [or]: { [list]: each } })),
  );
const rules: Arbitrary<object> = fc.record({
  action: one('ALLOW', 'DENY', 'LOG'),
  policies: fc.dictionary(
    one('p', 'a'),
    fc.record({
      permissions: fc.array(inverted(permission, 'notRule', 'andRules', 'orRules', 'rules'), {
        minLength: 1,
        maxLength: 2,
      }),
      principals: fc.array(inverted(principal, 'notId', 'andIds', 'orIds', 'ids'), { minLength: 1, maxLength: 2 }),
    }),
    { minKeys: 1, maxKeys: 2 },
  ),
});
const rbac: Arbitrary<object> = some(
  { rules, shadowRules: rules, shadowRulesStatPrefix: one('s_'), rulesStatPrefix: one('r_') },
  3,
);

const values = one<object>(
  { metadata: [{ metadataNamespace: 'a', value: { b: 'set' }, allowOverwrite: true }] },
  { metadata: [{ metadataNamespace: 'a', value: { b: 'first' } }] },
  { metadataNamespace: 'a', value: { b: 'older' } },
);
const toMetadata = one<object>(
  { requestRules: [{ header: 'x-a', onHeaderPresent: { metadataNamespace: 'a', key: 'b' } }] },
  {
    requestRules: [
      { header: 'x-a', onHeaderPresent: { metadataNamespace: 'a', key: 'b', type: 'NUMBER' }, remove: true },
    ],
  },
  { requestRules: [{ cookie: 'c', onHeaderPresent: { metadataNamespace: 'a', key: 'b' } }] },
  {
    responseRules: [
      {
        header: 'x-up',
        onHeaderPresent: { metadataNamespace: 'a', key: 'b' },
        onHeaderMissing: { metadataNamespace: 'a', key: 'b', value: 'none' },
      },
    ],
  },
);

const KINDS: readonly Kind[] = [
  ...IDENTITY_KINDS,
  ...BODY_KINDS,
  { name: 'cors', own: 'cors.v3.Cors', config: fc.constant({}), perRoute: ['cors.v3.CorsPolicy', corsPolicy] },
  { name: 'csrf', own: 'csrf.v3.CsrfPolicy', config: csrfPolicy, perRoute: ['csrf.v3.CsrfPolicy', csrfPolicy] },
  { name: 'fault', own: 'fault.v3.HTTPFault', config: fault, perRoute: ['fault.v3.HTTPFault', fault] },
  {
    name: 'local_ratelimit',
    own: 'local_ratelimit.v3.LocalRateLimit',
    config: among<object>(fc.constant({ statPrefix: 'rl' }), localRateLimit),
    perRoute: ['local_ratelimit.v3.LocalRateLimit', localRateLimit],
  },
  {
    name: 'rbac',
    own: 'rbac.v3.RBAC',
    config: rbac,
    perRoute: ['rbac.v3.RBACPerRoute', some({ rbac }, 2)],
  },
  {
    name: 'header_mutation',
    own: 'header_mutation.v3.HeaderMutation',
    config: merged(some({ mutations: filterMutations }, 2), some({ mostSpecificHeaderMutationsWins: flag }, 4)),
    perRoute: ['header_mutation.v3.HeaderMutationPerRoute', fc.record({ mutations: filterMutations })],
  },
  {
    name: 'buffer',
    own: 'buffer.v3.Buffer',
    config: one({ maxRequestBytes: 1000 }, { maxRequestBytes: 4 }),
    perRoute: [
      'buffer.v3.BufferPerRoute',
      one<object>({ disabled: true }, { buffer: { maxRequestBytes: 4 } }, { buffer: { maxRequestBytes: 70_000 } }),
    ],
  },
  {
    name: 'header_to_metadata',
    own: 'header_to_metadata.v3.Config',
    config: toMetadata,
    perRoute: ['header_to_metadata.v3.Config', toMetadata],
  },
  {
    name: 'set_metadata',
    own: 'set_metadata.v3.Config',
    config: values,
    perRoute: ['set_metadata.v3.Config', values],
  },
  {
    name: 'grpc_stats',
    own: 'grpc_stats.v3.FilterConfig',
    config: one<object>({ statsForAllMethods: true, emitFilterState: true }, { enableUpstreamStats: true }),
  },
  {
    name: 'health_check',
    own: 'health_check.v3.HealthCheck',
    config: one<object>({ passThroughMode: false, headers: [{ name: ':path', stringMatch: { exact: '/health' } }] }),
  },
];

const scoped = (type: string, config: Arbitrary<object>): Arbitrary<object> =>
  config.map((each) => ({ '@': `http.${type}`, ...each }));

const { composite, matched, compositePerRoute, matchedPerRoute } = matchers(
  among<object>(...KINDS.map(({ own, config }) => scoped(own, config))),
);

/** Filters in any order, most of them not there. */
export const filters: Arbitrary<object[]> = fc
  .tuple(
    fc.record(
      Object.fromEntries(
        [
          ...KINDS.map(({ name, own, config }) => [name, scoped(own, config)] as const),
          ['composite', composite] as const,
          ['matched', matched] as const,
        ].map(([name, config]) => [
          name,
          seldom(
            fc.record({ typedConfig: config, disabled: seldom(flag, 8) }).map(({ typedConfig, disabled }) => ({
              name: `envoy.filters.http.${name}`,
              typedConfig,
              ...withoutUndefined({ disabled }),
            })),
            6,
          ),
        ]),
      ),
    ),
    fc.boolean(),
  )
  .map(([byName, backwards]) => {
    const there = Object.values(byName).filter((each) => each !== undefined);
    return withoutBuffer(backwards ? there.toReversed() : there);
  });

/** Where another filter holds bodies, the limit of `buffer` is another in Envoy (`limit-of-held-bodies`). */
function withoutBuffer<T extends { readonly name: string }>(there: readonly T[]): T[] {
  const holds = there.some(({ name }) => /ext_authz|json_to_metadata/.test(name));
  return there.filter(({ name }) => !holds || !name.endsWith('.buffer'));
}

const ANY_KIND = among<object>(
  ...KINDS.flatMap(({ perRoute }) => (perRoute === undefined ? [] : [scoped(...perRoute)])),
  compositePerRoute,
  matchedPerRoute,
);

/** What is said under a filter's name: mostly what is for its kind. */
const said = (own: Arbitrary<object>): Arbitrary<object> =>
  fc.oneof(
    { withCrossShrink: true },
    { weight: 4, arbitrary: own },
    { weight: 1, arbitrary: one<object>({ '@': FILTER_CONFIG, disabled: true }, { '@': FILTER_CONFIG, config: {} }) },
    { weight: 2, arbitrary: own.map((config) => ({ '@': FILTER_CONFIG, config })) },
    { weight: 1, arbitrary: ANY_KIND },
  );

/** `typedPerFilterConfig`; each of the filters one time in `times`. */
export const perFilter = (times: number): Arbitrary<object> =>
  some(
    Object.fromEntries(
      [
        ...KINDS.map(({ name, perRoute }) => [name, perRoute === undefined ? ANY_KIND : scoped(...perRoute)] as const),
        ['composite', among<object>(compositePerRoute, ANY_KIND)] as const,
        ['matched', among<object>(matchedPerRoute, ANY_KIND)] as const,
      ].map(([name, own]) => [`envoy.filters.http.${name}`, said(own)]),
    ),
    times + 3,
  );
