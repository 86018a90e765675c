import type {
  ProxyConfig,
  ProxyConfig_ConnectionSettings,
  ProxyConfig_ProxyHeaders,
  ProxyConfig_ProxyHeaders_AttemptCount,
  ProxyConfig_ProxyHeaders_EnvoyDebugHeaders,
  ProxyConfig_ProxyHeaders_RequestId,
  ProxyConfig_ProxyHeaders_Server,
  ProxyConfig_ProxyHeaders_SetCurrentClientCertDetails,
  Topology,
} from '../gen/istio.mesh.v1alpha1.ts';
import { NO_SPANS } from './telemetry.ts';
import { fields, left, moot, refused, yes } from './types.ts';
import type { MessageTable } from './types.ts';

const PROXY = 'istio.mesh.v1alpha1.ProxyConfig';
const HEADERS = `${PROXY}.ProxyHeaders`;
const HCM = 'HttpConnectionManager';

const PROCESS = moot("it is about Envoy's own process or Istio's agent, which are not there");
const NO_LIMIT = left('there is no such limit');
const STATISTICS = left('each proxy serves its own metrics and sends them nowhere');
const HTTP2 = moot("it is about HTTP/2, which Mizzen's proxy does not speak yet");

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
    zipkinAddress: NO_SPANS,
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
    tracing: NO_SPANS,
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
    metadataExchangeHeaders: moot('proxies here exchange no metadata headers'),
    preserveHttp1HeaderCase: left('header names are written in lower case'),
    xForwardedHost: left('no X-Forwarded-Host is added'),
    xForwardedPort: left('no X-Forwarded-Port is added'),
  }),
  [`${HEADERS}.SetCurrentClientCertDetails`]: fields<ProxyConfig_ProxyHeaders_SetCurrentClientCertDetails>({
    subject: yes('its subject', 'SetCurrentClientCertDetails.subject'),
    cert: yes('the certificate', 'SetCurrentClientCertDetails.cert'),
    chain: refused(
      'the certificates that a client sent besides its own are not known here, so the listener is refused',
      "leave it out; `cert` gives the client's own certificate",
      'SetCurrentClientCertDetails.chain',
    ),
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
  [`${HEADERS}.EnvoyDebugHeaders`]: fields<ProxyConfig_ProxyHeaders_EnvoyDebugHeaders>({
    disabled: yes('they are not sent', 'Router.suppressEnvoyHeaders'),
  }),
  [`${PROXY}.ConnectionSettings`]: fields<ProxyConfig_ConnectionSettings>({
    profile: yes("EDGE: Envoy's advice for gateways that face the world"),
    globalDownstreamConnectionLimit: NO_LIMIT,
    listenerConnectionLimit: NO_LIMIT,
    listenerPerConnectionBufferLimitBytes: moot('what waits in a socket is bounded by the proxy itself, at 64 KiB'),
    clusterPerConnectionBufferLimitBytes: left("Envoy's default counts"),
    httpIdleTimeout: yes('connections without requests end after it', 'HttpProtocolOptions.idleTimeout'),
    httpStreamIdleTimeout: yes('requests without traffic end after it', `${HCM}.streamIdleTimeout`),
    httpRequestTimeout: yes('time for a request to arrive', `${HCM}.requestTimeout`),
    httpRequestHeadersTimeout: yes('time for its head to arrive', `${HCM}.requestHeadersTimeout`),
    httpMaxConnectionDuration: yes('connections end after it', 'HttpProtocolOptions.maxConnectionDuration'),
    httpMaxStreamDuration: yes('requests end after it', 'HttpProtocolOptions.maxStreamDuration'),
    httpDrainTimeout: yes('time between the last warning and the end', `${HCM}.drainTimeout`),
    httpMaxConcurrentStreams: HTTP2,
    http2InitialStreamWindowSize: HTTP2,
    http2InitialConnectionWindowSize: HTTP2,
    httpHeadersWithUnderscoresAction: yes(
      'allow, drop, or refuse the request',
      'HttpProtocolOptions.headersWithUnderscoresAction',
    ),
    httpMergeSlashes: yes('`//` becomes `/`', `${HCM}.mergeSlashes`),
    httpPathWithEscapedSlashesAction: yes('what `%2F` in a path means', `${HCM}.pathWithEscapedSlashesAction`),
  }),
};
