/** One configuration for both sides: Envoy reads it, the test builds the same for this proxy. */
export const ACCESS_LOG =
  'LOG %DOWNSTREAM_DIRECT_REMOTE_PORT% %REQ(:METHOD)% %REQ(:PATH)% %PROTOCOL% %RESPONSE_CODE% %RESPONSE_FLAGS% ' +
  '%RESPONSE_CODE_DETAILS% %BYTES_RECEIVED% %BYTES_SENT% %UPSTREAM_REQUEST_ATTEMPT_COUNT% %UPSTREAM_CLUSTER%\n';

const EXTENSIONS = 'type.googleapis.com/envoy.extensions';

function cluster(name: string, ports: readonly number[], extra: object = {}): object {
  return {
    name,
    type: 'STATIC',
    loadAssignment: {
      clusterName: name,
      endpoints: [
        {
          lbEndpoints: ports.map((port) => ({
            endpoint: { address: { socketAddress: { address: '127.0.0.1', portValue: port } } },
          })),
        },
      ],
    },
    ...extra,
  };
}

function route(prefix: string, action: object, extra: object = {}): object {
  return { match: { prefix }, route: action, ...extra };
}

export function hcmConfig(): object {
  return {
    '@type': `${EXTENSIONS}.filters.network.http_connection_manager.v3.HttpConnectionManager`,
    statPrefix: 'test',
    accessLog: [
      {
        name: 'log',
        typedConfig: {
          '@type': `${EXTENSIONS}.access_loggers.stream.v3.StdoutAccessLog`,
          logFormat: { textFormatSource: { inlineString: ACCESS_LOG } },
        },
      },
    ],
    upgradeConfigs: [{ upgradeType: 'websocket' }, { upgradeType: 'CONNECT' }],
    routeConfig: {
      name: 'routes',
      validateClusters: false,
      virtualHosts: [
        {
          name: 'all',
          domains: ['*'],
          includeRequestAttemptCount: true,
          routes: [
            {
              match: { connectMatcher: {} },
              route: { cluster: 'b', upgradeConfigs: [{ upgradeType: 'CONNECT', connectConfig: {} }] },
            },
            route('/dead', { cluster: 'dead' }),
            route('/retry-dead', { cluster: 'dead', retryPolicy: { retryOn: 'connect-failure', numRetries: 2 } }),
            route('/empty', { cluster: 'empty' }),
            route('/nocluster', { cluster: 'nope' }),
            route('/over', { cluster: 'over' }),
            { match: { prefix: '/redirect' }, redirect: { pathRedirect: '/foo', httpsRedirect: true } },
            {
              match: { prefix: '/direct-empty' },
              directResponse: { status: 200 },
            },
            {
              match: { prefix: '/direct' },
              directResponse: { status: 418, body: { inlineString: 'teapot' } },
              responseHeadersToAdd: [{ header: { key: 'x-a', value: 'b' } }],
            },
            route('/hang/timeout', { cluster: 'b', timeout: '0.2s' }),
            route('/partial/timeout', { cluster: 'b', timeout: '0.2s' }),
            route('/hang/try', {
              cluster: 'b',
              timeout: '0.7s',
              retryPolicy: { retryOn: '5xx', numRetries: 1, perTryTimeout: '0.1s' },
            }),
            route('/hang/idle', { cluster: 'b', idleTimeout: '0.2s' }),
            route('/hang/duration', { cluster: 'b', maxStreamDuration: { maxStreamDuration: '0.2s' } }),
            route('/status', { cluster: 'b', retryPolicy: { retryOn: 'gateway-error,retriable-4xx', numRetries: 2 } }),
            route('/reset/retry', { cluster: 'b', retryPolicy: { retryOn: 'reset', numRetries: 2 } }),
            route(
              '/prefix',
              { cluster: 'b', prefixRewrite: '/x', hostRewriteLiteral: 'foo', timeout: '0s' },
              {
                requestHeadersToAdd: [{ header: { key: 'x-a', value: 'b' } }],
                responseHeadersToAdd: [{ header: { key: 'x-r', value: 'b' } }],
                requestHeadersToRemove: ['x-gone'],
              },
            ),
            // Everything but /nothing.
            { match: { safeRegex: { regex: '/([^n].*)?' } }, route: { cluster: 'b' } },
          ],
        },
      ],
    },
    httpFilters: [
      { name: 'envoy.filters.http.router', typedConfig: { '@type': `${EXTENSIONS}.filters.http.router.v3.Router` } },
    ],
  };
}

export function clusterConfigs(backend: number, dead: number): object[] {
  return [
    cluster('b', [backend], { circuitBreakers: { thresholds: [{ maxRetries: 100 }] } }),
    cluster('dead', [dead]),
    cluster('empty', []),
    cluster('over', [backend], { circuitBreakers: { thresholds: [{ maxPendingRequests: 0 }] } }),
  ];
}

export function bootstrap(port: number, backend: number, dead: number): object {
  return {
    staticResources: {
      listeners: [
        {
          name: 'l',
          address: { socketAddress: { address: '127.0.0.1', portValue: port } },
          filterChains: [
            { filters: [{ name: 'envoy.filters.network.http_connection_manager', typedConfig: hcmConfig() }] },
          ],
        },
      ],
      clusters: clusterConfigs(backend, dead),
    },
  };
}
