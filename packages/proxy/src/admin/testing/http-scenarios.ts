import { TYPE } from '../../filter/testing/beside.ts';
import { bootstrap, listener, routeTo, socketAddress, staticCluster } from '../../process/testing/bootstraps.ts';
import type { Scenario } from './stats-beside.ts';
import { get, http, onOne } from './scenario-parts.ts';

const INTERNAL = 'x-forwarded-for: 10.0.0.1';

/** Requests: how they are routed, answered, tried again and counted by zone and name. */
export const HTTP: readonly Scenario[] = [
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
    ],
    drive: async (port, shows) => {
      await shows('cluster.ejects.outlier_detection.ejections_active: 1');
      await onOne(get('/ejects', 'connection: close', 'x-answer: 503'))(port);
      await onOne(get('/a'), get('/b'), get('/twice'), get('/twice'), get('/twice'))(port);
      await onOne(get('/twice'))(port);
      // Both ask to close; the client does.
      await onOne('NONSENSE\r\n\r\n')(port);
      await onOne('GET / HTTP/1.1\r\nhost: a b\r\n\r\n')(port);
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
];

function inZone(name: string, port: number): object {
  const lbEndpoints = [{ endpoint: { address: socketAddress(port) } }];
  return staticCluster(name, [], {
    altStatName: `${name}_there`,
    loadAssignment: { clusterName: name, endpoints: [{ locality: { zone: 'there' }, lbEndpoints }] },
  });
}
