/** The Envoy bootstraps that Envoy and Mizzen's proxy are both given, word for word. */

const T = 'type.googleapis.com/';
const LIMIT = 4294967295;

export interface Hop {
  readonly name: string;
  readonly listen: number;
  readonly upstream: number;
  /** Absent: none is written. */
  readonly accessLog?: string;
  readonly downstreamTls?: object;
  readonly upstreamTls?: object;
  readonly filters?: readonly object[];
  readonly forwardClientCert?: boolean;
  /** Before the router, after all other filters. */
  readonly lastFilters?: readonly object[];
  readonly direction?: 'INBOUND' | 'OUTBOUND';
  /** Absent: no request is traced. */
  readonly spans?: Spans;
}

/** Who takes spans, and of which requests. */
export interface Spans {
  readonly port: number;
  /** One request in a hundred, to an OpenTelemetry collector; or all of them, to the store of `mizzen up`, as that says it. */
  readonly of: 'some' | 'all';
}

/** One listener with a connection manager, two routes, an access log in Istio's default format, one static cluster. */
export function bootstrap(hop: Hop): object {
  const endpoint = { endpoint: { address: { socketAddress: { address: '127.0.0.1', portValue: hop.upstream } } } };
  const manager = {
    '@type': `${T}envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager`,
    statPrefix: hop.name,
    ...(hop.forwardClientCert
      ? { forwardClientCertDetails: 'APPEND_FORWARD', setCurrentClientCertDetails: { subject: true, uri: true } }
      : {}),
    ...(hop.accessLog === undefined ? {} : { accessLog: [fileLog(hop.accessLog)] }),
    ...(hop.spans === undefined ? {} : { tracing: tracingOf(hop.spans) }),
    routeConfig: {
      name: hop.name,
      virtualHosts: [
        {
          name: 'other',
          domains: ['other.example'],
          routes: [{ match: { prefix: '/' }, route: { cluster: 'upstream' } }],
        },
        {
          name: 'all',
          domains: ['*'],
          routes: [
            { match: { prefix: '/api/v9' }, route: { cluster: 'upstream' } },
            { match: { prefix: '/' }, route: { cluster: 'upstream' } },
          ],
        },
      ],
    },
    httpFilters: [
      ...(hop.filters ?? []),
      ...(hop.lastFilters ?? []),
      {
        name: 'envoy.filters.http.router',
        typedConfig: { '@type': `${T}envoy.extensions.filters.http.router.v3.Router` },
      },
    ],
  };
  const chain = {
    filters: [{ name: 'envoy.filters.network.http_connection_manager', typedConfig: manager }],
    ...(hop.downstreamTls
      ? {
          transportSocket: {
            name: 'tls',
            typedConfig: {
              '@type': `${T}envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext`,
              ...hop.downstreamTls,
            },
          },
        }
      : {}),
  };
  const cluster = {
    name: 'upstream',
    type: 'STATIC',
    connectTimeout: '5s',
    circuitBreakers: {
      thresholds: [{ maxConnections: LIMIT, maxPendingRequests: LIMIT, maxRequests: LIMIT, maxRetries: LIMIT }],
    },
    loadAssignment: { clusterName: 'upstream', endpoints: [{ lbEndpoints: [endpoint] }] },
    ...(hop.upstreamTls
      ? {
          transportSocket: {
            name: 'tls',
            typedConfig: {
              '@type': `${T}envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext`,
              ...hop.upstreamTls,
            },
          },
        }
      : {}),
  };
  const address = { socketAddress: { address: '127.0.0.1', portValue: hop.listen } };
  const direction = hop.direction === undefined ? {} : { trafficDirection: hop.direction };
  const clusters = hop.spans === undefined ? [cluster] : [cluster, plainCluster('spans', hop.spans.port)];
  return {
    node: nodeOf(hop.name),
    staticResources: { listeners: [{ name: hop.name, address, ...direction, filterChains: [chain] }], clusters },
  };
}

/** Who a sidecar of Istio's says that it is. */
function nodeOf(name: string): object {
  const labels = { app: name, version: 'v1', 'service.istio.io/canonical-name': name };
  const metadata = { NAME: `${name}-0`, NAMESPACE: 'bench', WORKLOAD_NAME: name, CLUSTER_ID: 'bench', LABELS: labels };
  return { id: `sidecar~127.0.0.1~${name}-0.bench~bench.svc.cluster.local`, cluster: `${name}.bench`, metadata };
}

function plainCluster(name: string, portValue: number): object {
  const endpoint = { address: { socketAddress: { address: '127.0.0.1', portValue } } };
  return { name, type: 'STATIC', loadAssignment: { clusterName: name, endpoints: [{ lbEndpoints: [{ endpoint }] }] } };
}

function fileLog(path: string): object {
  return {
    name: 'file',
    typedConfig: {
      '@type': `${T}envoy.extensions.access_loggers.file.v3.FileAccessLog`,
      path,
      logFormat: { textFormatSource: { inlineString: FORMAT } },
    },
  };
}

function tracingOf({ port, of }: Spans): object {
  return of === 'some' ? SOME_TRACED : allTraced(port);
}

const SOME_TRACED = {
  randomSampling: { value: 1 },
  provider: {
    name: 'envoy.tracers.opentelemetry',
    typedConfig: {
      '@type': `${T}envoy.config.trace.v3.OpenTelemetryConfig`,
      serviceName: 'bench',
      httpService: { httpUri: { uri: 'http://127.0.0.1/v1/traces', cluster: 'spans', timeout: '1s' } },
    },
  },
};

function allTraced(port: number): object {
  const uri = `http://127.0.0.1:${port}/api/v2/spans`;
  return {
    randomSampling: { value: 100 },
    provider: {
      name: 'envoy.tracers.zipkin',
      typedConfig: {
        '@type': `${T}envoy.config.trace.v3.ZipkinConfig`,
        collectorEndpointVersion: 'HTTP_JSON',
        collectorService: { httpUri: { uri, cluster: 'spans', timeout: '5s' } },
        traceId128bit: true,
        sharedSpanContext: false,
        traceContextOption: 'USE_B3_WITH_W3C_PROPAGATION',
      },
    },
  };
}

const struct = (name: string, message: string, value: object): object => ({
  name,
  typedConfig: { '@type': `${T}udpa.type.v1.TypedStruct`, typeUrl: T + message, value },
});

/** Who the peer is, as Istio's proxies tell each other in header fields. */
export function peerMetadata(direction: 'INBOUND' | 'OUTBOUND'): object {
  const headers = [{ istio_headers: {} }];
  return struct(
    'istio.metadata_exchange',
    'io.istio.http.peer_metadata.Config',
    direction === 'INBOUND'
      ? { downstream_discovery: headers, downstream_propagation: headers }
      : { upstream_discovery: headers, upstream_propagation: headers },
  );
}

export const istioStats = struct('istio.stats', 'stats.PluginConfig', {});

const FORMAT =
  '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %BYTES_RECEIVED% %BYTES_SENT% %DURATION% "%REQ(USER-AGENT)%" "%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%" %UPSTREAM_CLUSTER%\n';

const certificate = (folder: string, name: string): object => ({
  tlsCertificates: [
    { certificateChain: { filename: `${folder}/${name}.crt` }, privateKey: { filename: `${folder}/${name}.key` } },
  ],
});
const trust = (folder: string): object => ({ trustedCa: { filename: `${folder}/ca.crt` } });

/** What a server sidecar asks of its clients. */
export function serverTls(folder: string): object {
  return {
    requireClientCertificate: true,
    commonTlsContext: {
      alpnProtocols: ['http/1.1'],
      ...certificate(folder, 'server'),
      validationContext: trust(folder),
    },
  };
}

/** What a client sidecar shows and checks. */
export function clientTls(folder: string): object {
  const matchTypedSubjectAltNames = [
    { sanType: 'URI', matcher: { exact: 'spiffe://cluster.local/ns/default/sa/server' } },
  ];
  return {
    commonTlsContext: {
      ...certificate(folder, 'client'),
      validationContext: { ...trust(folder), matchTypedSubjectAltNames },
    },
  };
}

/** An authorization policy as Istio's translation writes it: GET from one identity. */
export const authorization = {
  name: 'envoy.filters.http.rbac',
  typedConfig: {
    '@type': `${T}envoy.extensions.filters.http.rbac.v3.RBAC`,
    rules: {
      action: 'ALLOW',
      policies: {
        'ns[default]-policy[client]-rule[0]': {
          permissions: [
            {
              andRules: {
                rules: [{ orRules: { rules: [{ header: { name: ':method', stringMatch: { exact: 'GET' } } }] } }],
              },
            },
          ],
          principals: [
            {
              andIds: {
                ids: [
                  {
                    orIds: {
                      ids: [
                        { authenticated: { principalName: { exact: 'spiffe://cluster.local/ns/default/sa/client' } } },
                      ],
                    },
                  },
                ],
              },
            },
          ],
        },
      },
    },
  },
};
