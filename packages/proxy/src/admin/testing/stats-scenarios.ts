import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { TYPE } from '../../filter/testing/beside.ts';
import { bootstrap, hcm, listener, routeTo, staticCluster, tcpProxy } from '../../process/testing/bootstraps.ts';
import type { Scenario } from './stats-beside.ts';

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
          staticCluster('up', [up]),
          staticCluster('closed', [closed]),
          staticCluster('full', [up], {
            circuitBreakers: {
              thresholds: [
                { maxRequests: 0, trackRemaining: true },
                { priority: 'HIGH', maxRetries: 1 },
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
    },
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
];
