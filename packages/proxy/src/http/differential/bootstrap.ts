/** One configuration for both sides: Envoy reads it, the test builds the same for this proxy. */
export const ACCESS_LOG =
  'LOG %DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT% %REQ(:METHOD)% %REQ(:PATH)% %PROTOCOL% %RESPONSE_CODE% %RESPONSE_FLAGS% ' +
  '%RESPONSE_CODE_DETAILS% %BYTES_RECEIVED% %BYTES_SENT% %UPSTREAM_REQUEST_ATTEMPT_COUNT% %UPSTREAM_CLUSTER% ' +
  '%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%\n';

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

/** Connection managers that are compared, by name: what each sets beside the common part. */
export const MANAGERS = {
  plain: {},
  edge: {
    useRemoteAddress: true,
    normalizePath: true,
    mergeSlashes: true,
    pathWithEscapedSlashesAction: 'UNESCAPE_AND_REDIRECT',
    stripAnyHostPort: true,
    via: 'here',
    alwaysSetRequestIdInResponse: true,
    forwardClientCertDetails: 'SANITIZE',
    serverName: 'edge',
    commonHttpProtocolOptions: { headersWithUnderscoresAction: 'REJECT_REQUEST', maxHeadersCount: 20 },
    maxRequestHeadersKb: 8,
    internalAddressConfig: { cidrRanges: [{ addressPrefix: '10.0.0.0', prefixLen: 8 }] },
  },
  /** As Istio configures a sidecar. */
  sidecar: {
    useRemoteAddress: false,
    normalizePath: true,
    pathWithEscapedSlashesAction: 'KEEP_UNCHANGED',
    serverName: 'istio-envoy',
    serverHeaderTransformation: 'PASS_THROUGH',
    generateRequestId: true,
    proxy100Continue: true,
    streamIdleTimeout: '0s',
    forwardClientCertDetails: 'APPEND_FORWARD',
    setCurrentClientCertDetails: { subject: true, dns: true, uri: true },
    internalAddressConfig: { cidrRanges: [{ addressPrefix: '10.0.0.0', prefixLen: 8 }] },
  },
  /** What old clients need, and limits that are reached soon. */
  old: {
    httpProtocolOptions: {
      acceptHttp10: true,
      defaultHostForHttp10: 'old.example',
      enableTrailers: true,
      allowChunkedLength: true,
    },
    useRemoteAddress: true,
    xffNumTrustedHops: 1,
    preserveExternalRequestId: true,
    pathWithEscapedSlashesAction: 'REJECT_REQUEST',
    serverHeaderTransformation: 'APPEND_IF_ABSENT',
    stripMatchingHostPort: true,
    stripTrailingHostDot: true,
    commonHttpProtocolOptions: { maxRequestsPerConnection: 2, headersWithUnderscoresAction: 'DROP_HEADER' },
    requestTimeout: '0.3s',
    requestHeadersTimeout: '0.2s',
    streamErrorOnInvalidHttpMessage: true,
    appendXForwardedPort: true,
    representIpv4RemoteAddressAsIpv4MappedIpv6: true,
    addUserAgent: true,
    localReplyConfig: {
      mappers: [
        {
          filter: {
            statusCodeFilter: { comparison: { op: 'EQ', value: { defaultValue: 404, runtimeKey: 'x' } } },
          },
          statusCode: 410,
          body: { inlineString: 'gone' },
          headersToAdd: [{ header: { key: 'x-mapped', value: '%RESPONSE_FLAGS%' } }],
        },
      ],
      bodyFormat: {
        textFormatSource: { inlineString: '%RESPONSE_CODE% %REQ(:PATH)%' },
        contentType: 'text/x',
      },
    },
  },
  /** Spelling kept as it came, and fields that must make sense. */
  spelling: {
    httpProtocolOptions: {
      headerKeyFormat: {
        statefulFormatter: {
          name: 'preserve_case',
          typedConfig: {
            '@type':
              'type.googleapis.com/envoy.extensions.http.header_formatters.preserve_case.v3.PreserveCaseFormatterConfig',
          },
        },
      },
    },
    internalAddressConfig: { cidrRanges: [{ addressPrefix: '10.0.0.0', prefixLen: 8 }] },
  },
  /** The client's address is found by who is trusted. */
  trusted: {
    internalAddressConfig: { cidrRanges: [{ addressPrefix: '172.16.0.0', prefixLen: 12 }] },
    originalIpDetectionExtensions: [
      {
        name: 'xff',
        typedConfig: {
          '@type': `${EXTENSIONS}.http.original_ip_detection.xff.v3.XffConfig`,
          xffTrustedCidrs: {
            cidrs: [
              { addressPrefix: '127.77.0.0', prefixLen: 16 },
              { addressPrefix: '10.0.0.0', prefixLen: 8 },
            ],
          },
        },
      },
    ],
  },
  stranger: {
    originalIpDetectionExtensions: [
      {
        name: 'xff',
        typedConfig: {
          '@type': `${EXTENSIONS}.http.original_ip_detection.xff.v3.XffConfig`,
          xffTrustedCidrs: { cidrs: [{ addressPrefix: '10.0.0.0', prefixLen: 8 }] },
          skipXffAppend: false,
        },
      },
    ],
  },
  /** Each name's words begin with a capital. */
  proper: { httpProtocolOptions: { headerKeyFormat: { properCaseWords: {} } } },
} as const;
const ROUTERS: Readonly<Partial<Record<ManagerName, object>>> = {
  old: { suppressEnvoyHeaders: true },
  sidecar: { respectExpectedRqTimeout: true },
  spelling: {
    strictCheckHeaders: [
      'x-envoy-upstream-rq-timeout-ms',
      'x-envoy-max-retries',
      'x-envoy-retry-on',
      'x-envoy-retry-grpc-on',
    ],
  },
};

export type ManagerName = keyof typeof MANAGERS;

export function hcmConfig(name: ManagerName): object {
  return {
    '@type': `${EXTENSIONS}.filters.network.http_connection_manager.v3.HttpConnectionManager`,
    ...MANAGERS[name],
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
    upgradeConfigs: [
      { upgradeType: 'websocket' },
      { upgradeType: 'CONNECT' },
      {
        upgradeType: 'guarded',
        filters: [
          {
            name: 'rbac',
            typedConfig: {
              '@type': `${EXTENSIONS}.filters.http.rbac.v3.RBAC`,
              rules: {
                action: 'DENY',
                policies: { all: { permissions: [{ any: true }], principals: [{ any: true }] } },
              },
            },
          },
          {
            name: 'envoy.filters.http.router',
            typedConfig: { '@type': `${EXTENSIONS}.filters.http.router.v3.Router`, ...ROUTERS[name] },
          },
        ],
      },
    ],
    routeConfig: {
      name: 'routes',
      validateClusters: false,
      virtualHosts: [
        {
          name: 'all',
          domains: ['*'],
          includeRequestAttemptCount: true,
          includeIsTimeoutRetryHeader: true,
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
            {
              match: { prefix: '/raw', headers: [{ name: 'x-limited', presentMatch: true }] },
              route: {
                cluster: 'b',
                retryPolicy: {
                  retryOn: '5xx,unavailable',
                  rateLimitedRetryBackOff: {
                    resetHeaders: [{ name: 'Retry-After' }, { name: 'reset-at', format: 'UNIX_TIMESTAMP' }],
                    maxInterval: '60s',
                  },
                },
              },
            },
            route('/status/504', {
              cluster: 'b',
              retryPolicy: {
                retryOn: '5xx',
                retriableRequestHeaders: [
                  { name: 'x-retry', stringMatch: { exact: 'yes' } },
                  { name: ':method', stringMatch: { exact: 'PUT' } },
                ],
              },
            }),
            route('/status/505', { cluster: 'b', retryPolicy: { retryOn: '5xx', numRetries: 0 } }),
            {
              match: { prefix: '/formatted/text' },
              directResponse: {
                status: 418,
                body: { inlineString: 'teapot' },
                bodyFormat: {
                  textFormatSource: { inlineString: '%LOCAL_REPLY_BODY% %RESPONSE_CODE% %REQ(:PATH)% %REQ(x-none)%' },
                  contentType: 'text/html',
                },
              },
            },
            {
              match: { prefix: '/formatted/json' },
              directResponse: {
                status: 200,
                bodyFormat: { jsonFormat: { body: '%LOCAL_REPLY_BODY%', code: '%RESPONSE_CODE%' } },
              },
            },
            route('/rewritten/format', {
              cluster: 'b',
              pathRewrite: '/to/%REQ(x-a)%/%REQ(:METHOD)%',
              hostRewrite: '%REQ(x-h)%',
            }),
            route('/status/502', { cluster: 'b', retryPolicy: { retryOn: '5xx' } }, { requestBodyBufferLimit: 5 }),
            route('/flaky/grpc', {
              cluster: 'b',
              maxGrpcTimeout: '10s',
              grpcTimeoutOffset: '0.01s',
              retryPolicy: { retryOn: '5xx' },
            }),
            route('/flaky/stream', {
              cluster: 'b',
              maxStreamDuration: { maxStreamDuration: '9s', grpcTimeoutHeaderMax: '8s' },
              retryPolicy: { retryOn: '5xx' },
            }),
            route('/flaky', { cluster: 'b', retryPolicy: { retryOn: '5xx', perTryTimeout: '12s' } }),
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
      {
        name: 'envoy.filters.http.router',
        typedConfig: { '@type': `${EXTENSIONS}.filters.http.router.v3.Router`, ...ROUTERS[name] },
      },
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

export function bootstrap(ports: Readonly<Record<ManagerName, number>>, backend: number, dead: number): object {
  return {
    staticResources: {
      listeners: (Object.keys(MANAGERS) as ManagerName[]).map((name) => ({
        name,
        address: { socketAddress: { address: '127.0.0.1', portValue: ports[name] } },
        filterChains: [
          { filters: [{ name: 'envoy.filters.network.http_connection_manager', typedConfig: hcmConfig(name) }] },
        ],
      })),
      clusters: clusterConfigs(backend, dead),
    },
  };
}
