import { ATTACKS, BAD_TOKENS, bearer, claims, good, jwks, now, token } from '../tokens.ts';
import { any, filter, rbac, type FilterCase } from './case.ts';

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

export const JWT_CASES: readonly FilterCase[] = [
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
];
