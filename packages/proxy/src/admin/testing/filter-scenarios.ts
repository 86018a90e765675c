import { generateKeyPairSync } from 'node:crypto';
import { TYPE } from '../../filter/testing/beside.ts';
import { bootstrap, listener, routeTo, staticCluster } from '../../process/testing/bootstraps.ts';
import type { Scenario } from './stats-beside.ts';
import { get, http } from './scenario-parts.ts';

/** Of nobody. */
const JWKS = JSON.stringify({
  keys: [{ ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' }), alg: 'ES256' }],
});

/** Filters of requests. */
export const FILTERS: readonly Scenario[] = [
  {
    name: 'filters',
    config: (port, up) =>
      bootstrap(
        [
          listener(port, [
            {
              filters: [
                {
                  name: 'envoy.filters.network.rbac',
                  typedConfig: {
                    '@type': `${TYPE}envoy.extensions.filters.network.rbac.v3.RBAC`,
                    statPrefix: 'net',
                    rules: { policies: { all: { permissions: [{ any: true }], principals: [{ any: true }] } } },
                  },
                },
                http(
                  [
                    {
                      match: { prefix: '/limited' },
                      route: { cluster: 'up' },
                      typedPerFilterConfig: { 'envoy.filters.http.local_ratelimit': limit('own', 1) },
                    },
                    routeTo('up'),
                  ],
                  {},
                  [
                    { name: 'envoy.filters.http.local_ratelimit', typedConfig: limit('all', 100) },
                    {
                      name: 'envoy.filters.http.fault',
                      typedConfig: {
                        '@type': `${TYPE}envoy.extensions.filters.http.fault.v3.HTTPFault`,
                        abort: { headerAbort: {}, percentage: { numerator: 100 } },
                        delay: { headerDelay: {}, percentage: { numerator: 100 } },
                      },
                    },
                    {
                      name: 'envoy.filters.http.cors',
                      typedConfig: { '@type': `${TYPE}envoy.extensions.filters.http.cors.v3.Cors` },
                    },
                    {
                      name: 'envoy.filters.http.rbac',
                      typedConfig: {
                        '@type': `${TYPE}envoy.extensions.filters.http.rbac.v3.RBAC`,
                        rulesStatPrefix: 'real',
                        rules: {
                          action: 'DENY',
                          policies: {
                            bad: {
                              permissions: [{ urlPath: { path: { prefix: '/bad' } } }],
                              principals: [{ any: true }],
                            },
                          },
                        },
                        shadowRules: { policies: {} },
                      },
                    },
                    {
                      name: 'envoy.filters.http.jwt_authn',
                      typedConfig: {
                        '@type': `${TYPE}envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication`,
                        providers: { p: { issuer: 'i', localJwks: { inlineString: JWKS } } },
                        rules: [{ match: { prefix: '/token' }, requires: { providerName: 'p' } }],
                      },
                    },
                    {
                      name: 'envoy.filters.http.buffer',
                      typedConfig: {
                        '@type': `${TYPE}envoy.extensions.filters.http.buffer.v3.Buffer`,
                        maxRequestBytes: 2,
                      },
                    },
                  ],
                ),
              ],
            },
          ]),
        ],
        [
          staticCluster('up', [up], {
            healthChecks: [
              {
                timeout: '1s',
                interval: '60s',
                noTrafficInterval: '60s',
                unhealthyThreshold: 1,
                healthyThreshold: 1,
                httpHealthCheck: { path: '/ok' },
              },
            ],
          }),
        ],
      ),
    asks: [
      get(),
      get('/bad'),
      get('/token'),
      get('/limited'),
      get('/limited'),
      get('/', 'x-envoy-fault-abort-request: 503'),
      get('/', 'x-envoy-fault-delay-request: 10'),
      'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc',
    ],
  },
];

function limit(statPrefix: string, maxTokens: number): object {
  const percent = { runtimeKey: 'no', defaultValue: { numerator: 100 } };
  return {
    '@type': `${TYPE}envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit`,
    statPrefix,
    tokenBucket: { maxTokens, fillInterval: '60s' },
    filterEnabled: percent,
    filterEnforced: percent,
  };
}
