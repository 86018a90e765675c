import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { TYPE } from '../../filter/testing/beside.ts';
import {
  bootstrap,
  downstreamTls,
  hcm,
  listener,
  routeTo,
  socketAddress,
  staticCluster,
  tcpProxy,
  upstreamTls,
  type Identity,
} from '../../process/testing/bootstraps.ts';
import { testAuthority } from '../../tls/testing/certificates.ts';
import type { Scenario } from './stats-beside.ts';

const authority = testAuthority();
const own: Identity = authority.issue('a', 'URI:spiffe://cluster.local/ns/a/sa/a');

const get = (path = '/', ...fields: string[]): string =>
  `GET ${path} HTTP/1.1\r\nhost: a.test\r\n${fields.map((field) => `${field}\r\n`).join('')}\r\n`;

/** Without fields whose length depends on how long something took. */
const ROUTER = {
  name: 'envoy.filters.http.router',
  typedConfig: { '@type': `${TYPE}envoy.extensions.filters.http.router.v3.Router`, suppressEnvoyHeaders: true },
};
const http = (routes: readonly object[], more: object = {}, filters: readonly object[] = []): object =>
  hcm(routes, { httpFilters: [...filters, ROUTER], ...more });

/** Several requests on one connection. */
function onOne(...requests: readonly string[]): (port: number) => Promise<void> {
  return async (port) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => undefined);
    for (const request of requests) {
      const answered = new Promise<void>((done) => {
        socket.once('data', () => done());
        socket.once('close', () => done());
      });
      if (socket.closed) return;
      socket.write(request);
      await answered;
      await wait(30);
    }
    socket.end();
    await wait(50);
  };
}

const INTERNAL = 'x-forwarded-for: 10.0.0.1';

function inZone(name: string, port: number): object {
  const lbEndpoints = [{ endpoint: { address: socketAddress(port) } }];
  return staticCluster(name, [], {
    altStatName: `${name}_there`,
    loadAssignment: { clusterName: name, endpoints: [{ locality: { zone: 'there' }, lbEndpoints }] },
  });
}

/** Of nobody. */
const JWKS = JSON.stringify({
  keys: [{ ...generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'jwk' }), alg: 'ES256' }],
});

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'plain HTTP',
    config: (port, up, closed) =>
      bootstrap(
        [
          listener(port, [
            {
              filters: [
                http([
                  { match: { path: '/direct' }, directResponse: { status: 418 } },
                  { match: { path: '/moved' }, redirect: { hostRedirect: 'b.test' } },
                  routeTo('closed', '/closed'),
                  routeTo('empty', '/empty'),
                  { match: { prefix: '/nothing' }, route: { clusterHeader: 'x-cluster' } },
                  { match: { prefix: '/never' }, route: { cluster: 'up', timeout: '0.2s' } },
                  { match: { prefix: '/' }, route: { cluster: 'up' } },
                ]),
              ],
            },
          ]),
        ],
        [staticCluster('up', [up]), staticCluster('closed', [closed]), staticCluster('empty', [])],
      ),
    asks: [
      get(),
      get('/a'),
      get('/b', 'x-answer: 404'),
      get('/b', 'x-answer: 503'),
      get('/b', 'x-answer: 304'),
      get('/b', 'x-answer: close'),
      get('/never', 'x-answer: slow'),
      get('/direct'),
      get('/moved'),
      get('/closed'),
      get('/empty'),
      get('/nothing'),
      'GET / HTTP/1.1\r\n\r\n',
      'NONSENSE\r\n\r\n',
      'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\nabc',
    ],
  },
  {
    name: 'connections that are kept, retries, limits and ejections',
    config: (port, up, closed) =>
      bootstrap(
        [
          listener(port, [
            {
              filters: [
                http(
                  [
                    {
                      match: { prefix: '/retry' },
                      route: { cluster: 'up', retryPolicy: { retryOn: '5xx', numRetries: 2 } },
                    },
                    {
                      match: { prefix: '/try' },
                      route: {
                        cluster: 'up',
                        retryPolicy: { retryOn: 'reset', numRetries: 1, perTryTimeout: '0.1s' },
                      },
                    },
                    {
                      match: { prefix: '/lost' },
                      route: { cluster: 'closed', retryPolicy: { retryOn: 'connect-failure' } },
                    },
                    routeTo('full', '/full'),
                    routeTo('ejects', '/ejects'),
                    routeTo('twice', '/twice'),
                    routeTo('up', '/'),
                  ],
                  { commonHttpProtocolOptions: { maxRequestsPerConnection: 4 } },
                ),
              ],
            },
          ]),
        ],
        [
          staticCluster('up', [up], {
            circuitBreakers: { thresholds: [{ trackRemaining: true, retryBudget: { minRetryConcurrency: 2 } }] },
          }),
          staticCluster('closed', [closed]),
          staticCluster('full', [up], {
            circuitBreakers: {
              thresholds: [
                { maxRequests: 0, trackRemaining: true },
                { priority: 'HIGH', trackRemaining: true, retryBudget: { minRetryConcurrency: 2 } },
              ],
            },
          }),
          staticCluster('ejects', [up], {
            outlierDetection: { consecutive5xx: 2, maxEjectionPercent: 100, interval: '60s' },
          }),
          staticCluster('twice', [up], {
            typedExtensionProtocolOptions: {
              'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
                '@type': `${TYPE}envoy.extensions.upstreams.http.v3.HttpProtocolOptions`,
                explicitHttpConfig: { httpProtocolOptions: {} },
                commonHttpProtocolOptions: { maxRequestsPerConnection: 2 },
              },
            },
          }),
        ],
      ),
    asks: [
      get('/retry', 'x-answer: 503'),
      get('/retry', 'x-answer: 200'),
      get('/try', 'x-answer: slow'),
      get('/lost'),
      get('/full'),
      get('/ejects', 'x-answer: 503'),
      get('/ejects', 'x-answer: 503'),
      get('/ejects', 'x-answer: 503'),
    ],
    drive: async (port) => {
      await onOne(get('/a'), get('/b'), get('/twice'), get('/twice'), get('/twice'))(port);
      await onOne(get('/twice'))(port);
      // Both ask to close; the client does.
      await onOne('NONSENSE\r\n\r\n')(port);
      await onOne('GET / HTTP/1.1\r\nhost: a b\r\n\r\n')(port);
    },
  },
  {
    name: 'tunnels, and answers that end with their connection',
    config: (port, up) =>
      bootstrap(
        [
          listener(port, [
            {
              filters: [
                http(
                  [
                    {
                      match: { connectMatcher: {} },
                      route: { cluster: 'up', upgradeConfigs: [{ upgradeType: 'CONNECT', connectConfig: {} }] },
                    },
                    routeTo('up'),
                  ],
                  { upgradeConfigs: [{ upgradeType: 'websocket' }, { upgradeType: 'CONNECT' }] },
                ),
              ],
            },
          ]),
        ],
        [staticCluster('up', [up])],
      ),
    asks: [get('/', 'x-answer: until-close'), get('/', 'x-answer: short'), get('/', 'x-answer: surplus')],
    drive: async (port) => {
      const upgrade = ['connection: upgrade', 'upgrade: websocket'];
      await onOne(get('/', ...upgrade, 'x-answer: upgrade'))(port);
      await onOne(get('/', ...upgrade, 'x-answer: upgrade and close'))(port);
      await onOne(get('/', ...upgrade))(port);
      await onOne('CONNECT a.test:80 HTTP/1.1\r\nhost: a.test:80\r\n\r\n', get('/'))(port);
    },
  },
  {
    name: 'zones, and names that requests give',
    config: (port, up, closed) => ({
      node: { id: 'a', cluster: 'a', locality: { zone: 'here' } },
      ...bootstrap(
        [
          listener(port, [
            {
              filters: [
                http(
                  [
                    routeTo('closed', '/closed'),
                    {
                      match: { prefix: '/' },
                      route: { cluster: 'up', timeout: '0.2s', retryPolicy: { retryOn: '5xx' } },
                    },
                  ],
                  { internalAddressConfig: { cidrRanges: [{ addressPrefix: '10.0.0.0', prefixLen: 8 }] } },
                ),
              ],
            },
          ]),
        ],
        [inZone('up', up), inZone('closed', closed), staticCluster('nowhere', [up])],
      ),
    }),
    asks: [
      get(),
      get('/', INTERNAL, 'x-envoy-upstream-alt-stat-name: one'),
      get('/', 'x-envoy-upstream-alt-stat-name: not.for.strangers'),
      get('/', INTERNAL, 'x-answer: 503', 'x-envoy-upstream-alt-stat-name: t.wo'),
      get('/', INTERNAL, 'x-answer: slow', 'x-envoy-upstream-alt-stat-name: one'),
      get('/', INTERNAL, 'x-answer: close', 'x-envoy-upstream-alt-stat-name: one'),
      get('/', 'x-answer: empty'),
      get('/closed', INTERNAL, 'x-envoy-upstream-alt-stat-name: one'),
      get('/', INTERNAL, 'x-envoy-upstream-alt-stat-name: '),
    ],
  },
  {
    name: 'TCP to where nobody listens',
    config: (port, _up, closed) =>
      bootstrap(
        [listener(port, [{ filters: [tcpProxy('closed', { maxConnectAttempts: 2 })] }])],
        [staticCluster('closed', [closed])],
      ),
    asks: [get()],
  },
  {
    name: 'TCP',
    config: (port, up, closed) =>
      bootstrap(
        [listener(port, [{ filters: [tcpProxy('up')] }])],
        [staticCluster('up', [up]), staticCluster('closed', [closed])],
      ),
    asks: [],
    drive: onOne(get('/a')),
  },
  {
    name: 'virtual clusters and routes with a prefix',
    config: (port, up) =>
      bootstrap(
        [
          listener(port, [
            {
              filters: [
                http([], {
                  routeConfig: {
                    name: 'routes',
                    virtualHosts: [
                      {
                        name: 'shop',
                        domains: ['*'],
                        virtualClusters: [
                          { name: 'orders', headers: [{ name: ':path', stringMatch: { prefix: '/orders' } }] },
                          { name: 'never', headers: [{ name: 'x-never', presentMatch: true }] },
                        ],
                        routes: [
                          {
                            match: { prefix: '/orders/retry' },
                            statPrefix: 'retried',
                            route: { cluster: 'up', retryPolicy: { retryOn: '5xx', numRetries: 1 } },
                          },
                          { match: { prefix: '/late' }, statPrefix: 'late', route: { cluster: 'up', timeout: '0.1s' } },
                          { match: { prefix: '/direct' }, statPrefix: 'direct', directResponse: { status: 204 } },
                          { match: { prefix: '/unused' }, statPrefix: 'unused', route: { cluster: 'up' } },
                          routeTo('up'),
                        ],
                      },
                    ],
                  },
                }),
              ],
            },
          ]),
        ],
        [staticCluster('up', [up])],
      ),
    asks: [
      get('/orders'),
      get('/orders/retry', 'x-answer: 503'),
      get('/other', 'x-answer: 404'),
      get('/late', 'x-answer: slow'),
      get('/direct'),
    ],
  },
  {
    name: 'TLS on both sides',
    config: (port, up, inner) =>
      bootstrap(
        [
          listener(port, [{ filters: [http([routeTo('inner')])] }]),
          listener(
            inner,
            [
              {
                transportSocket: downstreamTls(own, authority.rootFile),
                filters: [http([routeTo('up')], { statPrefix: 'inner' })],
              },
            ],
            { statPrefix: 'inner' },
          ),
        ],
        [
          staticCluster('up', [up]),
          staticCluster('inner', [inner], { transportSocket: upstreamTls(own, authority.rootFile) }),
        ],
      ),
    asks: [get(), get('/a')],
  },
  {
    name: 'resources from files',
    config: (port, up) => {
      const folder = mkdtempSync(join(tmpdir(), 'mizzen-stats-'));
      const file = (name: string, type: string, ...resources: readonly object[]): object => {
        const path = join(folder, name);
        const typed = resources.map((resource) => ({ '@type': `${TYPE}${type}`, ...resource }));
        writeFileSync(path, JSON.stringify({ versionInfo: `${name}-1`, resources: typed }));
        return { resourceApiVersion: 'V3', pathConfigSource: { path } };
      };
      const endpoints = {
        clusterName: 'eds',
        endpoints: [{ lbEndpoints: [{ endpoint: { address: socketAddress(up) } }] }],
      };
      const eds = file('eds.json', 'envoy.config.endpoint.v3.ClusterLoadAssignment', endpoints);
      const routes = { name: 'routes', virtualHosts: [{ name: 'all', domains: ['*'], routes: [routeTo('eds')] }] };
      const rds = file('rds.json', 'envoy.config.route.v3.RouteConfiguration', routes);
      const manager = http([], { routeConfig: undefined, rds: { routeConfigName: 'routes', configSource: rds } });
      return {
        node: { id: 'n', cluster: 'c' },
        dynamicResources: {
          cdsConfig: file('cds.json', 'envoy.config.cluster.v3.Cluster', {
            name: 'eds',
            type: 'EDS',
            edsClusterConfig: { edsConfig: eds },
          }),
          ldsConfig: file('lds.json', 'envoy.config.listener.v3.Listener', listener(port, [{ filters: [manager] }])),
        },
      };
    },
    asks: [get(), get('/', 'x-answer: 500')],
  },
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
