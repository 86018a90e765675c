/** Filters that ask who sends a request. */
import fc, { type Arbitrary } from 'fast-check';
import { among, flag, merged, one, some } from './arbitrary.ts';
import { onOrOff, type Kind } from './kind.ts';

const provider = (issuer: string, more: object): Arbitrary<object> =>
  merged(
    fc.constant({ issuer, localJwks: { inlineString: '${jwks}' }, ...more }),
    some(
      {
        audiences: one(['shop'], ['none', 'other']),
        forward: flag,
        forwardPayloadHeader: one('x-payload'),
        padForwardPayloadHeader: flag,
        payloadInMetadata: one('b', 'body'),
        headerInMetadata: one('head'),
        failedStatusInMetadata: one('why'),
        clockSkewSeconds: one(1, 4000),
        requireExpiration: flag,
        maxLifetime: one('60s', '999999s'),
        subjects: one<object>({ exact: 'somebody' }, { prefix: 'other' }),
        claimToHeaders: one<object[]>(
          [{ headerName: 'x-a', claimName: 'role' }],
          [
            { headerName: 'x-sub', claimName: 'sub' },
            { headerName: 'x-b', claimName: 'nested.deep.key' },
          ],
          [{ headerName: 'x-a', claimName: 'n' }],
          [{ headerName: 'x-a', claimName: 'nested' }],
        ),
        clearRouteCache: flag,
        normalizePayloadInMetadata: one({ spaceDelimitedClaims: ['scope'] }),
        fromParams: one(['q', 'token']),
        fromCookies: one(['c']),
        fromHeaders: one<object[]>([{ name: 'authorization', valuePrefix: 'Bearer ' }], [{ name: 'x-a' }]),
      },
      5,
    ),
  );

const simple: Arbitrary<object> = one<object>(
  { providerName: 'p' },
  { providerName: 'q' },
  { allowMissing: {} },
  { allowMissingOrFailed: {} },
  { providerAndAudiences: { providerName: 'p', audiences: ['other'] } },
  { extractOnlyWithoutValidation: {} },
  {},
);
const requirement: Arbitrary<object> = among<object>(
  simple,
  fc.array(simple, { minLength: 2, maxLength: 3 }).map((requirements) => ({ requiresAny: { requirements } })),
  fc.array(simple, { minLength: 2, maxLength: 3 }).map((requirements) => ({ requiresAll: { requirements } })),
  fc
    .tuple(fc.array(simple, { minLength: 2, maxLength: 2 }), simple)
    .map(([requirements, other]) => ({ requiresAny: { requirements: [{ requiresAll: { requirements } }, other] } })),
);
const rule: Arbitrary<object> = merged(
  one<object>(
    { match: { prefix: '/' } },
    { match: { prefix: '/a' } },
    { match: { path: '/a/b' } },
    { match: { prefix: '/', headers: [{ name: 'x-b', presentMatch: true }] } },
  ),
  among<object>(
    requirement.map((requires) => ({ requires })),
    fc.constant({}),
    one({ requirementName: 'named' }),
  ),
);
const jwt: Arbitrary<object> = merged(
  fc.record({
    providers: fc.record({ p: provider('issuer', {}), q: provider('second', { fromHeaders: [{ name: 'x-second' }] }) }),
    rules: fc.array(rule, { maxLength: 3 }),
    requirementMap: fc.record({ named: requirement }),
  }),
  some({ bypassCorsPreflight: flag, stripFailureResponse: flag, statPrefix: one('j') }, 4),
);

const keySources = fc.array(one<object>({ header: 'x-a' }, { query: 'q' }, { cookie: 'c' }), {
  minLength: 1,
  maxLength: 2,
});
const credentials = one<object[]>(
  [
    { key: '1', client: 'one' },
    { key: '5', client: 'five' },
  ],
  [{ key: 'a b', client: 'spaced' }],
);
const forwarding: Arbitrary<object> = some({ header: one('x-client', 'x-a'), hideCredentials: flag }, 2);
const apiKey: Arbitrary<object> = merged(fc.record({ credentials, keySources }), some({ forwarding }, 2));

const USERS = 'u:{SHA}UWuXg/ylF+7L0dBk2i0WUxCxl1k=';
const basic: Arbitrary<object> = merged(
  one(
    { users: { inlineString: USERS } },
    { users: { inlineString: `other:{SHA}tESsBmE/yNY3lb6a0L6vVQEZNqw=\n${USERS}\n` } },
  ),
  some(
    {
      forwardUsernameHeader: one('x-user'),
      allowMissing: flag,
      emitDynamicMetadata: flag,
      realm: one('r "q"'),
      authenticationHeader: one('x-auth'),
    },
    3,
  ),
);

const patterns = (...all: readonly object[]): object => ({ patterns: all });
const authorizer: Arbitrary<object> = merged(
  fc.constant({ serverUri: { uri: 'http://authorizer', cluster: 'UNITauth', timeout: '0.5s' } }),
  one({ pathPrefix: '/authz' }, { pathPrefix: '/authz/' }),
  some(
    {
      authorizationRequest: one<object>(
        { headersToAdd: [{ key: 'x-from', value: 'proxy' }] },
        { headersToAdd: [{ key: 'x-from', value: '%REQ(x-a)%' }] },
        {
          headersToAdd: [{ key: 'x-authz', value: '403' }],
        },
      ),
      authorizationResponse: some(
        {
          allowedUpstreamHeaders: one(patterns({ prefix: 'x-' }), patterns({ exact: 'x-up' })),
          allowedUpstreamHeadersToAppend: one(patterns({ prefix: 'x-' })),
          allowedClientHeaders: one(patterns({ prefix: 'x-' }), patterns({ exact: 'location' })),
          allowedClientHeadersOnSuccess: one(patterns({ prefix: 'x-' })),
          dynamicMetadataFromHeaders: one(patterns({ prefix: 'x-' })),
        },
        2,
      ),
    },
    2,
  ),
);
const withRequestBody = one<object>(
  { maxRequestBytes: 4 },
  { maxRequestBytes: 4, allowPartialMessage: true },
  { maxRequestBytes: 2000 },
);
const extAuthz: Arbitrary<object> = merged(
  fc.record({ transportApiVersion: fc.constant('V3'), httpService: authorizer }),
  one<object>(
    { allowedHeaders: patterns({ exact: 'x-authz' }) },
    { allowedHeaders: patterns({ prefix: 'x-' }), disallowedHeaders: patterns({ exact: 'x-b' }) },
    { allowedHeaders: patterns({ safeRegex: { regex: '.*' } }) },
  ),
  some(
    {
      failureModeAllow: flag,
      failureModeAllowHeaderAdd: flag,
      withRequestBody,
      clearRouteCache: flag,
      statusOnError: one({ code: 503 }, { code: 200 }),
      validateMutations: flag,
      filterEnabled: onOrOff,
      denyAtDisable: one({ defaultValue: true, runtimeKey: 'none' }),
      statPrefix: one('e'),
      includePeerCertificate: flag,
      chargeClusterResponseStats: one(false, true),
      maxDeniedResponseBodyBytes: one(1),
      filterEnabledMetadata: one({ filter: 'a', path: [{ key: 'b' }], value: { presentMatch: true } }),
      clearRouteCacheHeaders: one(['x-up']),
      shadowMode: flag,
    },
    6,
  ),
);

const TAGS = [
  { ipTagName: 'loop', ipList: [{ addressPrefix: '127.0.0.0', prefixLen: 8 }] },
  { ipTagName: 'told', ipList: [{ addressPrefix: '1.2.3.4', prefixLen: 32 }] },
];
const ipTagging: Arbitrary<object> = merged(
  one(TAGS, TAGS.toReversed()).map((ipTags) => ({ ipTags })),
  some(
    {
      requestType: one('BOTH', 'INTERNAL', 'EXTERNAL'),
      ipTagHeader: one({ header: 'x-a', action: 'SANITIZE' }, { header: 'x-a', action: 'APPEND_IF_EXISTS_OR_ADD' }),
    },
    2,
  ),
);

export const IDENTITY_KINDS: readonly Kind[] = [
  {
    name: 'jwt_authn',
    own: 'jwt_authn.v3.JwtAuthentication',
    config: jwt,
    perRoute: [
      'jwt_authn.v3.PerRouteConfig',
      one<object>({ disabled: true }, { requirementName: 'named' }, { requirementName: 'none' }),
    ],
  },
  {
    name: 'api_key_auth',
    own: 'api_key_auth.v3.ApiKeyAuth',
    config: apiKey,
    perRoute: [
      'api_key_auth.v3.ApiKeyAuthPerRoute',
      some({ credentials, keySources, allowedClients: one(['one'], ['spaced']), forwarding }, 2),
    ],
  },
  {
    name: 'basic_auth',
    own: 'basic_auth.v3.BasicAuth',
    config: basic,
    perRoute: [
      'basic_auth.v3.BasicAuthPerRoute',
      merged(fc.constant({ users: { inlineString: USERS } }), some({ realm: one('route') }, 2)),
    ],
  },
  {
    name: 'ext_authz',
    own: 'ext_authz.v3.ExtAuthz',
    config: extAuthz,
    perRoute: [
      'ext_authz.v3.ExtAuthzPerRoute',
      among<object>(
        fc.constant({ disabled: true }),
        some(
          {
            contextExtensions: one({ a: 'b' }),
            disableRequestBodyBuffering: flag,
            httpService: authorizer,
          },
          2,
        ).map((checkSettings) => ({ checkSettings })),
        withRequestBody.map((each) => ({ checkSettings: { withRequestBody: each } })),
      ),
    ],
  },
  {
    name: 'ip_tagging',
    own: 'ip_tagging.v3.IPTagging',
    config: ipTagging,
  },
];
