import { ATTACKS, BAD_TOKENS, bearer, claims, good, jwks, now, token } from './tokens.ts';

const filter = (type: string, config: object): object => ({
  name: `envoy.filters.http.${type.split('.')[0]}`,
  typedConfig: { '@type': `type.googleapis.com/envoy.extensions.filters.http.${type}`, ...config },
});
const rbac = (action: string, policies: object): object => filter('rbac.v3.RBAC', { rules: { action, policies } });
const any = [{ any: true }];
const header = (name: string, stringMatch: object, more: object = {}): object => ({
  header: { name, stringMatch, ...more },
});
const path = (stringMatch: object): object => ({ urlPath: { path: stringMatch } });
const range = (addressPrefix: string, prefixLen: number): object => ({ addressPrefix, prefixLen });

const istioJwt = filter('jwt_authn.v3.JwtAuthentication', {
  providers: { p: { issuer: 'issuer', localJwks: jwks, payloadInMetadata: 'payload', forward: true } },
  rules: [
    {
      match: { prefix: '/' },
      requires: { requiresAny: { requirements: [{ providerName: 'p' }, { allowMissing: {} }] } },
    },
  ],
});
const jwtRule = (provider: object, requires: object = { providerName: 'p' }, more: object = {}): object =>
  filter('jwt_authn.v3.JwtAuthentication', {
    providers: { p: { issuer: 'issuer', localJwks: jwks, ...provider } },
    rules: [{ match: { prefix: '/' }, requires }],
    ...more,
  });

const fault = (config: object): object => filter('fault.v3.HTTPFault', config);
const cors = filter('cors.v3.Cors', {});
const corsPolicy = (config: object): object => ({
  'envoy.filters.http.cors': {
    '@type': 'type.googleapis.com/envoy.extensions.filters.http.cors.v3.CorsPolicy',
    ...config,
  },
});

/** Filters, and requests that tell apart what they do. */
export const CASES: readonly {
  readonly name: string;
  readonly filters: readonly object[];
  readonly perRoute?: object;
  readonly ask: readonly string[];
}[] = [
  {
    name: 'rbac: what is asked for',
    filters: [
      rbac('ALLOW', {
        'a method': { permissions: [header(':method', { exact: 'POST' })], principals: any },
        path: { permissions: [path({ prefix: '/open' })], principals: any },
        both: {
          permissions: [
            {
              andRules: {
                rules: [
                  path({ exact: '/both' }),
                  { orRules: { rules: [header('x-a', { exact: '1' }), header('x-a', { suffix: 'z' })] } },
                ],
              },
            },
          ],
          principals: any,
        },
        not: {
          permissions: [
            { andRules: { rules: [path({ prefix: '/not' }), { notRule: header('x-a', { exact: '1' }) }] } },
          ],
          principals: any,
        },
        host: {
          permissions: [
            {
              andRules: {
                rules: [path({ prefix: '/host' }), header(':authority', { exact: 'Shop', ignoreCase: true })],
              },
            },
          ],
          principals: any,
        },
        template: {
          permissions: [
            {
              uriTemplate: {
                name: 't',
                typedConfig: {
                  '@type': 'type.googleapis.com/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig',
                  pathTemplate: '/t/*/end',
                },
              },
            },
          ],
          principals: any,
        },
        regex: { permissions: [path({ safeRegex: { regex: '/re/[a-z]+' } })], principals: any },
        ports: {
          permissions: [
            {
              andRules: {
                rules: [
                  path({ prefix: '/port' }),
                  { destinationPortRange: { start: 1, end: 65535 } },
                  { notRule: { destinationPort: 1 } },
                  { destinationIp: range('127.0.0.0', 8) },
                ],
              },
            },
          ],
          principals: any,
        },
        sni: {
          permissions: [{ andRules: { rules: [path({ prefix: '/sni' }), { requestedServerName: { exact: '' } }] } }],
          principals: any,
        },
      }),
    ],
    ask: [
      'POST /x h',
      'GET /x h',
      'GET /open/a h',
      'GET /ope h',
      'GET /open?x h',
      'GET /both h\nx-a: 1',
      'GET /both h\nx-a: 2',
      'GET /both?q h\nx-a: z',
      'GET /both h\nx-a: 0\nx-a: 1',
      'GET /not h',
      'GET /not h\nx-a: 1',
      'GET /not h\nx-a: 1\nx-a: 2',
      'GET /not h\nx-a: 1,2',
      'GET /host shop',
      'GET /host other',
      'GET /t/1/end h',
      'GET /t/1/2/end h',
      'GET /re/abc?x=/re/1 h',
      'GET /re/1 h',
      'GET /port h',
      'GET /sni h',
    ],
  },
  {
    name: 'rbac: who asks',
    filters: [
      rbac('DENY', {
        'z network': {
          permissions: any,
          principals: [
            { andIds: { ids: [{ directRemoteIp: range('127.0.0.0', 8) }, header('x-deny', { exact: 'direct' })] } },
          ],
        },
        'b remote': {
          permissions: any,
          principals: [
            { andIds: { ids: [{ remoteIp: range('10.0.0.0', 8) }, header('x-deny', { exact: 'remote' })] } },
          ],
        },
        'a source': {
          permissions: any,
          principals: [{ andIds: { ids: [{ sourceIp: range('0.0.0.0', 0) }, header('x-deny', { exact: 'source' })] } }],
        },
        anonymous: {
          permissions: any,
          principals: [
            { andIds: { ids: [{ notId: { authenticated: {} } }, header('x-deny', { exact: 'anonymous' })] } },
          ],
        },
        named: {
          permissions: any,
          principals: [
            {
              andIds: {
                ids: [{ authenticated: { principalName: { exact: '' } } }, header('x-deny', { exact: 'named' })],
              },
            },
          ],
        },
        'two\twords': {
          permissions: any,
          principals: [
            { orIds: { ids: [header('x-deny', { exact: 'words' }), { urlPath: { path: { exact: '/words' } } }] } },
          ],
        },
        v6: {
          permissions: any,
          principals: [{ andIds: { ids: [{ directRemoteIp: range('::', 0) }, header('x-deny', { exact: 'v6' })] } }],
        },
      }),
    ],
    ask: [
      'GET / h',
      ...['direct', 'remote', 'source', 'anonymous', 'named', 'words', 'v6'].map((who) => `GET / h\nx-deny: ${who}`),
      'GET /words h',
    ],
  },
  { name: 'rbac: nothing allowed', filters: [filter('rbac.v3.RBAC', { rules: {} })], ask: ['GET / h'] },
  { name: 'rbac: no rules', filters: [filter('rbac.v3.RBAC', {})], ask: ['GET / h'] },
  { name: 'rbac: deny without policies', filters: [rbac('DENY', {})], ask: ['GET / h'] },
  {
    name: 'rbac: the route’s own rules',
    filters: [rbac('DENY', { all: { permissions: any, principals: any } })],
    perRoute: {
      'envoy.filters.http.rbac': {
        '@type': 'type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBACPerRoute',
        rbac: { rules: { policies: { some: { permissions: [path({ exact: '/some' })], principals: any } } } },
      },
    },
    ask: ['GET /some h', 'GET /other h'],
  },
  {
    name: 'rbac: off for the route',
    filters: [rbac('DENY', { all: { permissions: any, principals: any } })],
    perRoute: {
      'envoy.filters.http.rbac': { '@type': 'type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBACPerRoute' },
    },
    ask: ['GET /some h'],
  },
  {
    name: 'jwt: tokens',
    filters: [jwtRule({ audiences: ['shop'] })],
    ask: ['GET /x h', 'GET /x?a=b h:80', bearer(good), ...BAD_TOKENS.map((text) => bearer(text))],
  },
  {
    name: 'jwt: attacks',
    filters: [jwtRule({ audiences: ['shop'] })],
    ask: ATTACKS.map((text) => bearer(text)),
  },
  {
    name: 'jwt: as Istio asks for it',
    filters: [istioJwt],
    ask: ['GET /x h', ...[good, ...BAD_TOKENS].map((text) => bearer(text))],
  },
  {
    name: 'jwt: any issuer, key of any kind',
    filters: [jwtRule({ issuer: '', requireExpiration: true, maxLifetime: '7200s', clockSkewSeconds: 1 })],
    ask: [
      bearer(good),
      bearer(token({ ...claims, iss: 'x' })),
      bearer(token({ sub: 'x' })),
      bearer(token({ ...claims, exp: now + 36_000 })),
      bearer(token({ ...claims, exp: now - 30 })),
      bearer(token({ ...claims, exp: now + 9000, iat: now + 3600 })),
    ],
  },
  {
    name: 'jwt: places',
    filters: [
      jwtRule({
        fromHeaders: [{ name: 'X-Token', valuePrefix: 'T=' }, { name: 'x-raw' }],
        fromParams: ['tok'],
        fromCookies: ['session'],
      }),
    ],
    ask: [
      bearer(good),
      `GET /x h\nx-token: T=${good}`,
      `GET /x h\nx-token: a T=${good}, more`,
      `GET /x h\nx-token: ${good}`,
      `GET /x h\nx-raw: ${good}`,
      `GET /x?tok=${good}&b=1 h`,
      `GET /x?a=1&tok=${good} h`,
      `GET /x h\ncookie: a=b; session=${good}`,
      `GET /x h\nx-raw: ${good}\ncookie: session=bad`,
      `GET /x h\nx-raw: bad\ncookie: session=${good}`,
      `GET /x h\nx-raw: ${good}\nx-raw: bad`,
      `GET /x h\nx-raw: ${good}\nx-raw: ${good}`,
      `GET /x h\nx-raw: ${good},${good}`,
      `GET /x h\nx-raw:`,
      `GET /x?tok= h`,
    ],
  },
  {
    name: 'jwt: default places',
    filters: [jwtRule({})],
    ask: [
      `GET /x?access_token=${good} h`,
      `GET /x h\nauthorization: bearer ${good}`,
      `GET /x h\nauthorization: Bearer  ${good}`,
      `GET /x h\nauthorization: Basic x`,
      `GET /x h\nauthorization: Bearer`,
      `GET /x h\nauthorization: Bearer ${good} more`,
      `GET /x h\nauthorization: Bearer ,${good}`,
      `GET /x h\nauthorization: Bearer ${good}\nauthorization: Bearer bad`,
      `GET /x h\nauthorization: Basic x\nauthorization: Bearer ${good}`,
      `GET /x?access_token=${good} h\nauthorization: Bearer ${good}`,
      `GET /x?access_token=bad h\nauthorization: Bearer ${good}`,
    ],
  },
  {
    name: 'jwt: what is made of a good one',
    filters: [
      jwtRule({
        forwardPayloadHeader: 'x-payload',
        padForwardPayloadHeader: true,
        forward: true,
        claimToHeaders: [
          'iss',
          'role',
          'nested.deep.key',
          'nested.list',
          'nested.deep',
          'n',
          'half',
          'yes',
          'absent',
        ].map((claimName) => ({ headerName: `x-claim-${claimName.replaceAll('.', '-')}`, claimName })),
      }),
    ],
    ask: [bearer(good, '\nx-claim-role: forged\nx-payload: forged')],
  },
  {
    name: 'jwt: the failure left out',
    filters: [jwtRule({}, { providerName: 'p' }, { stripFailureResponse: true })],
    ask: ['GET /x h', bearer('bad')],
  },
  {
    name: 'jwt: missing or failed',
    filters: [jwtRule({}, { allowMissingOrFailed: {} })],
    ask: ['GET /x h', bearer('bad'), bearer(good)],
  },
  {
    name: 'jwt: missing alone',
    filters: [jwtRule({}, { allowMissing: {} })],
    ask: ['GET /x h', bearer('bad'), bearer(good), bearer(token({ ...claims, iss: 'stranger' }))],
  },
  {
    name: 'jwt: other audiences',
    filters: [
      jwtRule(
        { audiences: ['shop'] },
        { providerAndAudiences: { providerName: 'p', audiences: ['https://special/'] } },
      ),
    ],
    ask: [bearer(good), bearer(token({ ...claims, aud: 'special' }))],
  },
  {
    name: 'jwt: two issuers',
    filters: [
      filter('jwt_authn.v3.JwtAuthentication', {
        bypassCorsPreflight: true,
        providers: {
          p: { issuer: 'issuer', localJwks: jwks },
          q: { issuer: 'second', localJwks: jwks, fromHeaders: [{ name: 'x-second' }] },
        },
        rules: [
          { match: { prefix: '/free' } },
          {
            match: { prefix: '/all' },
            requires: { requiresAll: { requirements: [{ providerName: 'p' }, { providerName: 'q' }] } },
          },
          {
            match: { prefix: '/' },
            requires: { requiresAny: { requirements: [{ providerName: 'p' }, { providerName: 'q' }] } },
          },
        ],
      }),
    ],
    ask: [
      'GET /free h',
      'GET /x h',
      bearer(good),
      bearer(token({ ...claims, iss: 'second' })),
      bearer(token({ ...claims, iss: 'third' })),
      bearer(token({ ...claims, exp: 1 })),
      `GET /x h\nx-second: ${token({ ...claims, iss: 'second' })}`,
      `GET /all h\nx-second: ${token({ ...claims, iss: 'second' })}\nauthorization: Bearer ${good}`,
      `GET /all h\nauthorization: Bearer ${good}`,
      'OPTIONS /x h\norigin: o\naccess-control-request-method: GET',
      'OPTIONS /x h\norigin: o',
    ],
  },
  {
    name: 'jwt and rbac together',
    filters: [
      istioJwt,
      rbac('ALLOW', {
        staff: {
          permissions: any,
          principals: [
            {
              metadata: {
                filter: 'envoy.filters.http.jwt_authn',
                path: [{ key: 'payload' }, { key: 'role' }],
                value: { stringMatch: { exact: 'staff' } },
              },
            },
          ],
        },
        list: {
          permissions: any,
          principals: [
            {
              metadata: {
                filter: 'envoy.filters.http.jwt_authn',
                path: [{ key: 'payload' }, { key: 'nested' }, { key: 'list' }],
                value: { listMatch: { oneOf: { stringMatch: { exact: 'z' } } } },
              },
            },
          ],
        },
      }),
    ],
    ask: [
      'GET /x h',
      bearer(good),
      bearer(token({ ...claims, role: 'guest' })),
      bearer(token({ ...claims, role: 'guest', nested: { list: ['a', 'z'] } })),
      bearer('bad'),
    ],
  },
  {
    name: 'fault: abort',
    filters: [fault({ abort: { httpStatus: 418, percentage: { numerator: 100 } } })],
    ask: ['GET / h'],
  },
  {
    name: 'fault: abort never',
    filters: [fault({ abort: { httpStatus: 418, percentage: { numerator: 0 } } })],
    ask: ['GET / h'],
  },
  {
    name: 'fault: for some headers and another cluster',
    filters: [
      fault({
        abort: { httpStatus: 503, percentage: { numerator: 100 } },
        headers: [{ name: 'x-a', stringMatch: { exact: '1' } }],
      }),
      fault({
        abort: { httpStatus: 500, percentage: { numerator: 1_000_000, denominator: 'MILLION' } },
        upstreamCluster: 'other',
      }),
    ],
    ask: ['GET / h', 'GET / h\nx-a: 1'],
  },
  {
    name: 'fault: by headers',
    filters: [fault({ abort: { headerAbort: {}, percentage: { numerator: 100 } } })],
    ask: [
      'GET / h',
      'GET / h\nx-envoy-fault-abort-request: 429',
      'GET / h\nx-envoy-fault-abort-request: 100',
      'GET / h\nx-envoy-fault-abort-request: 429\nx-envoy-fault-abort-request-percentage: 0',
    ],
  },
  {
    name: 'fault: from the route',
    filters: [fault({})],
    perRoute: {
      'envoy.filters.http.fault': {
        '@type': 'type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault',
        abort: { httpStatus: 555, percentage: { numerator: 100 } },
      },
    },
    ask: ['GET / h'],
  },
  {
    name: 'cors',
    filters: [cors],
    perRoute: corsPolicy({
      allowOriginStringMatch: [{ exact: 'https://a.com' }, { suffix: '.b.com' }],
      allowMethods: 'GET, POST',
      allowHeaders: 'x-a',
      exposeHeaders: 'x-e',
      maxAge: '600',
      allowCredentials: true,
    }),
    ask: [
      'GET / h',
      'GET / h\norigin: https://a.com',
      'GET / h\norigin: https://c.com',
      'OPTIONS / h\norigin: https://x.b.com\naccess-control-request-method: POST',
      'OPTIONS / h\norigin: https://c.com\naccess-control-request-method: POST',
      'OPTIONS / h\norigin: https://a.com',
    ],
  },
  {
    name: 'cors: everybody, nothing else',
    filters: [cors],
    perRoute: corsPolicy({
      allowOriginStringMatch: [{ exact: '*' }],
      forwardNotMatchingPreflights: false,
      allowPrivateNetworkAccess: true,
    }),
    ask: [
      'GET / h\norigin: o',
      'OPTIONS / h\norigin: o\naccess-control-request-method: GET\naccess-control-request-private-network: true',
    ],
  },
  {
    name: 'cors: not everybody, and no forwarding',
    filters: [cors],
    perRoute: corsPolicy({ allowOriginStringMatch: [{ exact: 'a' }], forwardNotMatchingPreflights: false }),
    ask: ['OPTIONS / h\norigin: o\naccess-control-request-method: GET'],
  },
  {
    name: 'cors: no policy',
    filters: [cors],
    ask: ['GET / h\norigin: o', 'OPTIONS / h\norigin: o\naccess-control-request-method: GET'],
  },
  {
    name: 'local rate limit',
    filters: [
      filter('local_ratelimit.v3.LocalRateLimit', {
        statPrefix: 'l',
        tokenBucket: { maxTokens: 1, tokensPerFill: 1, fillInterval: '3600s' },
        filterEnabled: { defaultValue: { numerator: 100 } },
        filterEnforced: { defaultValue: { numerator: 100 } },
        responseHeadersToAdd: [{ header: { key: 'x-limited', value: 'yes' } }],
        enableXRatelimitHeaders: 'DRAFT_VERSION_03',
      }),
    ],
    ask: ['GET /1 h', 'GET /2 h', 'GET /3 h'],
  },
  {
    name: 'header mutation',
    filters: [
      filter('header_mutation.v3.HeaderMutation', {
        mutations: {
          requestMutations: [
            { remove: 'x-gone' },
            { append: { header: { key: 'x-new', value: '%REQ(:path)%' } } },
            { append: { header: { key: 'x-set', value: 'v' }, appendAction: 'OVERWRITE_IF_EXISTS_OR_ADD' } },
          ],
          responseMutations: [{ append: { header: { key: 'x-answer', value: '42' } } }],
        },
      }),
    ],
    ask: ['GET /a h\nx-gone: 1\nx-set: old\nx-new: 1'],
  },
];
