/** A bootstrap of the usual size, for Envoy and Mizzen alike: three listeners, four clusters, an admin endpoint. */
const T = 'type.googleapis.com/';

export interface StartPorts {
  readonly admin: number;
  readonly web: number;
  readonly api: number;
  readonly tcp: number;
}

export function startBootstrap(ports: StartPorts): object {
  return {
    admin: { address: address(ports.admin) },
    node: { id: 'start', cluster: 'bench' },
    staticResources: {
      listeners: [
        listener('web', ports.web, manager('web', [CORS, FAULT])),
        listener('api', ports.api, manager('api', [AUTHORIZATION])),
        listener('tcp', ports.tcp, {
          '@type': `${T}envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy`,
          statPrefix: 'tcp',
          cluster: 'database',
        }),
      ],
      clusters: [
        cluster('web', { type: 'STRICT_DNS', lbPolicy: 'LEAST_REQUEST', outlierDetection: { consecutive5xx: 5 } }),
        cluster('reviews', { type: 'STATIC' }),
        cluster('ratings', { type: 'STATIC', circuitBreakers: { thresholds: [{ maxConnections: 100 }] } }),
        cluster('database', { type: 'STATIC' }),
      ],
    },
  };
}

const CORS = filter('envoy.filters.http.cors', 'cors.v3.Cors', {});
const FAULT = filter('envoy.filters.http.fault', 'fault.v3.HTTPFault', {
  abort: { httpStatus: 503, percentage: { numerator: 0, denominator: 'HUNDRED' } },
});
const AUTHORIZATION = filter('envoy.filters.http.rbac', 'rbac.v3.RBAC', {
  rules: {
    action: 'DENY',
    policies: {
      admin: { permissions: [{ urlPath: { path: { prefix: '/admin' } } }], principals: [{ any: true }] },
    },
  },
});
const ROUTER = filter('envoy.filters.http.router', 'router.v3.Router', {});

function filter(name: string, type: string, config: object): object {
  return { name, typedConfig: { '@type': `${T}envoy.extensions.filters.http.${type}`, ...config } };
}

function manager(name: string, filters: readonly object[]): object {
  const path = '/dev/null';
  return {
    '@type': `${T}envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager`,
    statPrefix: name,
    accessLog: [
      {
        name: 'file',
        typedConfig: { '@type': `${T}envoy.extensions.access_loggers.file.v3.FileAccessLog`, path },
      },
    ],
    routeConfig: {
      name,
      virtualHosts: [
        {
          name: 'reviews',
          domains: ['reviews', 'reviews.example'],
          routes: [
            {
              match: { prefix: '/v2/', headers: [{ name: 'end-user', stringMatch: { exact: 'jason' } }] },
              route: { cluster: 'reviews', prefixRewrite: '/', timeout: '3s', retryPolicy: { retryOn: '5xx' } },
            },
            {
              match: { safeRegex: { regex: '/items/[0-9]+' } },
              route: {
                weightedClusters: {
                  clusters: [
                    { name: 'reviews', weight: 90 },
                    { name: 'ratings', weight: 10 },
                  ],
                },
              },
            },
            { match: { path: '/old' }, redirect: { pathRedirect: '/new' } },
          ],
        },
        { name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster: 'web' } }] },
      ],
    },
    httpFilters: [...filters, ROUTER],
  };
}

function listener(name: string, port: number, typedConfig: object): object {
  return { name, address: address(port), filterChains: [{ filters: [{ name, typedConfig }] }] };
}

function cluster(name: string, more: object): object {
  const endpoints = [{ lbEndpoints: [{ endpoint: { address: address(9) } }] }];
  return { name, connectTimeout: '1s', loadAssignment: { clusterName: name, endpoints }, ...more };
}

function address(portValue: number): object {
  return { socketAddress: { address: '127.0.0.1', portValue } };
}
