import type {
  ProxyConfig,
  ProxyConfig_ConnectionSettings,
  ProxyConfig_ProxyHeaders,
  ProxyConfig_ProxyHeaders_AttemptCount,
  ProxyConfig_ProxyHeaders_EnvoyDebugHeaders,
  ProxyConfig_ProxyHeaders_RequestId,
  ProxyConfig_ProxyHeaders_Server,
  ProxyConfig_ProxyHeaders_SetCurrentClientCertDetails,
  ProxyConfig_ProxyHeaders_XForwardedHost,
  ProxyConfig_ProxyHeaders_XForwardedPort,
  Topology,
  Tracing,
  Tracing_CustomTag,
  Tracing_Environment,
  Tracing_Literal,
  Tracing_RequestHeader,
} from '../gen/istio.mesh.v1alpha1.ts';
import { byEngine, fields, left, moot, yes } from './types.ts';
import type { MessageTable } from './types.ts';

const PROXY = 'istio.mesh.v1alpha1.ProxyConfig';
const HEADERS = `${PROXY}.ProxyHeaders`;
const HCM = 'HttpConnectionManager';

const PROCESS = moot("it is about Envoy's own process or Istio's agent, which are not there");
const NO_LIMIT = left('there is no such limit');
const STATISTICS = left('each proxy serves its own metrics and sends them nowhere');
const NO_HTTP2 = moot("it is about HTTP/2, which Mizzen's proxy does not speak yet");
const OLD_TRACER = left('it is for the bootstrap of a proxy', 'use `extensionProviders` and a Telemetry');

/** MeshConfig's `defaultConfig`. */
export const proxyConfig: MessageTable = {
  [PROXY]: fields<ProxyConfig>({
    configPath: PROCESS,
    binaryPath: PROCESS,
    customConfigFile: PROCESS,
    proxyBootstrapTemplatePath: PROCESS,
    serviceCluster: PROCESS,
    tracingServiceName: PROCESS,
    drainDuration: left('a sidecar ends when its requests have, within a second'),
    terminationDrainDuration: left('a sidecar ends when its requests have, within a second'),
    discoveryAddress: PROCESS,
    discoveryRefreshDelay: PROCESS,
    zipkinAddress: left('there is no provider in the bootstrap', 'use a Telemetry'),
    statsdUdpAddress: STATISTICS,
    envoyMetricsServiceAddress: STATISTICS,
    envoyMetricsService: STATISTICS,
    envoyAccessLogService: left('access logs are written to files', 'set `accessLogFile`'),
    proxyAdminPort: PROCESS,
    statusPort: PROCESS,
    availabilityZone: PROCESS,
    controlPlaneAuthPolicy: PROCESS,
    concurrency: moot('all sidecars of this machine share one process'),
    interceptionMode: moot('nothing is intercepted'),
    tracing: yes('how requests are traced', `${HCM}.tracing`),
    sds: PROCESS,
    extraStatTags: left("metrics have Envoy's own tags"),
    statsCompression: PROCESS,
    statNameLength: PROCESS,
    gatewayTopology: yes('what stands before the gateways'),
    proxyMetadata: moot("it is the environment of Istio's agent, which is not there"),
    runtimeValues: left("there is no runtime: Envoy's defaults count"),
    holdApplicationUntilProxyStarts: moot('an application is always started after its sidecar'),
    caCertificatesPem: left("only the mesh's own root is trusted for mutual TLS"),
    image: PROCESS,
    privateKeyProvider: PROCESS,
    proxyStatsMatcher: moot('all statistics are kept'),
    readinessProbe: moot('it is for virtual machines; `readinessProbe` of the container counts'),
    meshId: PROCESS,
    proxyHeaders: yes('headers that proxies add'),
    fileFlushInterval: PROCESS,
    fileFlushMinSizeKb: PROCESS,
    connectionSettings: yes("limits and timeouts of clients' connections"),
  }),
  'istio.mesh.v1alpha1.Topology': fields<Topology>({
    numTrustedProxies: yes('proxies before the gateway whose X-Forwarded-For counts', `${HCM}.xffNumTrustedHops`),
    forwardClientCertDetails: yes('what becomes of X-Forwarded-Client-Cert', `${HCM}.forwardClientCertDetails`),
    proxyProtocol: yes('connections begin with a PROXY protocol header', 'Listener.listenerFilters'),
  }),
  'istio.mesh.v1alpha1.Topology.ProxyProtocolConfiguration': {},
  [HEADERS]: fields<ProxyConfig_ProxyHeaders>({
    forwardedClientCert: yes('what sidecars do with X-Forwarded-Client-Cert', `${HCM}.forwardClientCertDetails`),
    setCurrentClientCertDetails: yes(
      "what sidecars tell of the client's certificate",
      `${HCM}.setCurrentClientCertDetails`,
    ),
    requestId: yes('X-Request-Id', `${HCM}.generateRequestId`),
    server: yes('the Server header', `${HCM}.serverName`, `${HCM}.serverHeaderTransformation`),
    attemptCount: yes('X-Envoy-Attempt-Count', 'VirtualHost.includeRequestAttemptCount'),
    envoyDebugHeaders: yes('the X-Envoy-… headers', 'Router.suppressEnvoyHeaders'),
    metadataExchangeHeaders: moot("only Istio's build of Envoy exchanges metadata headers"),
    preserveHttp1HeaderCase: yes('names of headers stay as they are written', 'Http1ProtocolOptions.headerKeyFormat'),
    xForwardedHost: yes('X-Forwarded-Host, where a route rewrites the host', 'RouteAction.appendXForwardedHost'),
    xForwardedPort: yes('X-Forwarded-Port', `${HCM}.appendXForwardedPort`),
  }),
  [`${HEADERS}.SetCurrentClientCertDetails`]: fields<ProxyConfig_ProxyHeaders_SetCurrentClientCertDetails>({
    subject: yes('its subject', 'SetCurrentClientCertDetails.subject'),
    cert: yes('the certificate', 'SetCurrentClientCertDetails.cert'),
    chain: yes('the certificates it sent', 'SetCurrentClientCertDetails.chain'),
    dns: yes('its DNS names', 'SetCurrentClientCertDetails.dns'),
    uri: yes('its identity', 'SetCurrentClientCertDetails.uri'),
  }),
  [`${HEADERS}.RequestId`]: fields<ProxyConfig_ProxyHeaders_RequestId>({
    disabled: yes('none is made', `${HCM}.generateRequestId`),
  }),
  [`${HEADERS}.Server`]: fields<ProxyConfig_ProxyHeaders_Server>({
    disabled: yes("the application's stays", `${HCM}.serverHeaderTransformation`),
    value: yes('`istio-envoy` when left out', `${HCM}.serverName`),
  }),
  [`${HEADERS}.AttemptCount`]: fields<ProxyConfig_ProxyHeaders_AttemptCount>({
    disabled: yes('it is not sent', 'VirtualHost.includeRequestAttemptCount'),
  }),
  [`${HEADERS}.XForwardedHost`]: fields<ProxyConfig_ProxyHeaders_XForwardedHost>({
    enabled: yes('it is added', 'RouteAction.appendXForwardedHost'),
  }),
  [`${HEADERS}.XForwardedPort`]: fields<ProxyConfig_ProxyHeaders_XForwardedPort>({
    enabled: yes('it is added', `${HCM}.appendXForwardedPort`),
  }),
  [`${HEADERS}.EnvoyDebugHeaders`]: fields<ProxyConfig_ProxyHeaders_EnvoyDebugHeaders>({
    disabled: yes('they are not sent', 'Router.suppressEnvoyHeaders'),
  }),
  [`${PROXY}.ConnectionSettings`]: fields<ProxyConfig_ConnectionSettings>({
    profile: yes("EDGE: Envoy's advice for gateways that face the world"),
    globalDownstreamConnectionLimit: NO_LIMIT,
    listenerConnectionLimit: NO_LIMIT,
    listenerPerConnectionBufferLimitBytes: byEngine(
      moot('what waits in a socket is bounded by the proxy itself, at 64 KiB'),
      yes('bytes of a connection that may wait', 'Listener.perConnectionBufferLimitBytes'),
    ),
    clusterPerConnectionBufferLimitBytes: byEngine(
      moot('what waits in a socket is bounded by the proxy itself, at 64 KiB'),
      yes('bytes of a connection to an endpoint that may wait', 'Cluster.perConnectionBufferLimitBytes'),
    ),
    httpIdleTimeout: yes('connections without requests end after it', 'HttpProtocolOptions.idleTimeout'),
    httpStreamIdleTimeout: yes('requests without traffic end after it', `${HCM}.streamIdleTimeout`),
    httpRequestTimeout: yes('time for a request to arrive', `${HCM}.requestTimeout`),
    httpRequestHeadersTimeout: yes('time for its head to arrive', `${HCM}.requestHeadersTimeout`),
    httpMaxConnectionDuration: yes('connections end after it', 'HttpProtocolOptions.maxConnectionDuration'),
    httpMaxStreamDuration: yes('requests end after it', 'HttpProtocolOptions.maxStreamDuration'),
    httpDrainTimeout: yes('time between the last warning and the end', `${HCM}.drainTimeout`),
    httpMaxConcurrentStreams: byEngine(
      NO_HTTP2,
      yes('requests at the same time on one connection', 'Http2ProtocolOptions.maxConcurrentStreams'),
    ),
    http2InitialStreamWindowSize: byEngine(
      NO_HTTP2,
      yes('bytes of one request on their way', 'Http2ProtocolOptions.initialStreamWindowSize'),
    ),
    http2InitialConnectionWindowSize: byEngine(
      NO_HTTP2,
      yes('bytes of one connection on their way', 'Http2ProtocolOptions.initialConnectionWindowSize'),
    ),
    httpHeadersWithUnderscoresAction: yes(
      'allow, drop, or refuse the request',
      'HttpProtocolOptions.headersWithUnderscoresAction',
    ),
    httpMergeSlashes: yes('`//` becomes `/`', `${HCM}.mergeSlashes`),
    httpPathWithEscapedSlashesAction: yes('what `%2F` in a path means', `${HCM}.pathWithEscapedSlashesAction`),
  }),
  'istio.mesh.v1alpha1.Tracing': fields<Tracing>({
    zipkin: OLD_TRACER,
    lightstep: OLD_TRACER,
    datadog: OLD_TRACER,
    stackdriver: OLD_TRACER,
    openCensusAgent: OLD_TRACER,
    customTags: yes('tags of the spans, where no Telemetry says', `${HCM}.Tracing.customTags`),
    maxPathTagLength: yes('what is longer is cut', `${HCM}.Tracing.maxPathTagLength`),
    sampling: yes('share of the requests that leave spans', `${HCM}.Tracing.randomSampling`),
    tlsSettings: OLD_TRACER,
    enableIstioTags: yes(
      "whether spans have Istio's own tags, where neither a Telemetry nor a default provider is in force",
      `${HCM}.Tracing.customTags`,
    ),
  }),
  'istio.mesh.v1alpha1.Tracing.CustomTag': fields<Tracing_CustomTag>({
    literal: yes('always the same', 'CustomTag.literal'),
    environment: yes("of the proxy's environment", 'CustomTag.environment'),
    header: yes('of a request header', 'CustomTag.requestHeader'),
  }),
  'istio.mesh.v1alpha1.Tracing.Literal': fields<Tracing_Literal>({
    value: yes('the tag', 'CustomTag.Literal.value'),
  }),
  'istio.mesh.v1alpha1.Tracing.Environment': fields<Tracing_Environment>({
    name: yes('the variable', 'CustomTag.Environment.name'),
    defaultValue: yes('where it is not set', 'CustomTag.Environment.defaultValue'),
  }),
  'istio.mesh.v1alpha1.Tracing.RequestHeader': fields<Tracing_RequestHeader>({
    name: yes('the header', 'CustomTag.Header.name'),
    defaultValue: yes('where there is none', 'CustomTag.Header.defaultValue'),
  }),
};
