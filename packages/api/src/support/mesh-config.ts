import type {
  LabelSelector,
  LabelSelectorRequirement,
  MeshConfig,
  MeshConfig_DefaultProviders,
  MeshConfig_DefaultTrafficPolicy,
  MeshConfig_OutboundTrafficPolicy,
  MeshConfig_ProxyPathNormalization,
  MeshConfig_TLSConfig,
  ServiceEntryVisibility,
  ServiceEntryVisibility_MatchRule,
  ServiceEntryVisibility_Policy,
} from '../gen/istio.mesh.v1alpha1.ts';
import { H2_UPGRADE, ZONE_AWARE } from './destination-rule.ts';
import { except, fields, left, moot, yes } from './types.ts';
import type { MessageTable } from './types.ts';

const MESH = 'istio.mesh.v1alpha1.MeshConfig';

const NOT_REDIRECTED = moot('traffic is not redirected: sidecars are reached by address and by `http_proxy`');
const INGRESS = moot('Ingress resources are left alone');
const AMBIENT = moot('it is about ambient meshes');
const ONE_CLUSTER = moot('there is one cluster');
const OWN_CA = moot('Mizzen signs the certificates itself');
const STAT_NAMES = yes('what the statistics of a cluster are called', 'Cluster.altStatName');

export const meshConfig: MessageTable = {
  [MESH]: fields<MeshConfig>({
    proxyListenPort: NOT_REDIRECTED,
    proxyInboundListenPort: NOT_REDIRECTED,
    proxyHttpPort: moot('each sidecar has an HTTP proxy port at an address of its own'),
    connectTimeout: yes('time to connect, where no DestinationRule says', 'Cluster.connectTimeout'),
    hboneIdleTimeout: AMBIENT,
    protocolDetectionTimeout: yes("how long to wait for a client's first bytes", 'Listener.listenerFiltersTimeout'),
    tcpKeepalive: yes(
      'probes on idle connections, where no DestinationRule says',
      'UpstreamConnectionOptions.tcpKeepalive',
    ),
    ingressClass: INGRESS,
    ingressService: INGRESS,
    ingressControllerMode: INGRESS,
    ingressSelector: INGRESS,
    enableTracing: yes(
      'with `false`, `mizzen up` keeps no traces of what no provider is named for',
      `HttpConnectionManager.tracing`,
    ),
    accessLogFile: yes("where access logs go; `/dev/stdout` is the sidecar's own log", 'FileAccessLog.path'),
    accessLogFormat: yes("Istio's own when left out", 'SubstitutionFormatString.textFormatSource'),
    accessLogEncoding: yes('TEXT or JSON', 'SubstitutionFormatString.jsonFormat'),
    enableEnvoyAccessLogService: left(
      'it names a service that only the bootstrap of Istio has',
      'use `extensionProviders`, or set `accessLogFile`',
    ),
    disableEnvoyListenerLog: yes('connections that no chain takes are not logged', 'Listener.accessLog'),
    defaultConfig: yes('of all proxies'),
    outboundTrafficPolicy: yes('what happens to hosts that nobody declared', 'VirtualHost.domains'),
    inboundTrafficPolicy: moot('applications are always reached at 127.0.0.1', 'Cluster.loadAssignment'),
    configSources: moot('the files named on the command line are the only source'),
    enableAutoMtls: yes('mutual TLS with every endpoint that has a sidecar', 'Cluster.transportSocketMatches'),
    trustDomain: yes('first part of identities', 'SubjectAltNameMatcher.matcher'),
    trustDomainAliases: yes('other names of it', 'SubjectAltNameMatcher.matcher'),
    caCertificates: left("only the mesh's own root is trusted for mutual TLS"),
    defaultServiceExportTo: yes('where services say nothing'),
    defaultVirtualServiceExportTo: yes('where VirtualServices say nothing'),
    defaultDestinationRuleExportTo: yes('where DestinationRules say nothing'),
    rootNamespace: yes('namespace of policies for all'),
    localityLbSetting: yes('where DestinationRules say nothing', 'LocalityLbEndpoints.priority'),
    zoneAwareLbSetting: ZONE_AWARE,
    dnsRefreshRate: yes('how often names are looked up again', 'Cluster.dnsRefreshRate'),
    h2UpgradePolicy: except(yes('HTTP/1.1 is kept as it is'), { UPGRADE: H2_UPGRADE }),
    inboundClusterStatName: STAT_NAMES,
    outboundClusterStatName: STAT_NAMES,
    certificates: OWN_CA,
    enablePrometheusMerge: yes(
      "`false`: applications' metrics are not served with their sidecars', unless a workload's annotation says so",
    ),
    verifyCertificateAtClient: except(yes('certificates are always verified'), {
      false: left('certificates are verified all the same', "a DestinationRule's `insecureSkipVerify` takes any"),
    }),
    ca: OWN_CA,
    extensionProviders: yes('what policies and Telemetry refer to by name'),
    defaultProviders: yes('providers where no Telemetry says'),
    discoverySelectors: yes('namespaces whose resources count; all when left out'),
    pathNormalization: yes('makes paths plain before anything compares them', 'HttpConnectionManager.normalizePath'),
    defaultHttpRetryPolicy: yes('where routes say nothing', 'RouteAction.retryPolicy'),
    defaultInboundHttpRetryPolicy: yes(
      'whether a request that the application did not read is sent to it again',
      'RouteAction.retryPolicy',
    ),
    defaultTrafficPolicy: yes('where DestinationRules say nothing', 'Cluster.circuitBreakers'),
    meshMTLS: yes('versions and ciphers of mutual TLS', 'CommonTlsContext.tlsParams'),
    tlsDefaults: yes('the same for all other TLS', 'CommonTlsContext.tlsParams'),
    serviceSettings: ONE_CLUSTER,
    serviceScopeConfigs: AMBIENT,
    serviceEntryVisibility: yes('limits who sees ServiceEntries, by their namespaces'),
  }),
  [`${MESH}.OutboundTrafficPolicy`]: fields<MeshConfig_OutboundTrafficPolicy>({
    mode: yes('ALLOW_ANY passes them on, REGISTRY_ONLY answers 502', 'RouteAction.cluster', 'Route.directResponse'),
    tls: yes('TLS to such hosts, with mode ALLOW_ANY_DYNAMIC_DNS', 'Cluster.transportSocket'),
  }),
  [`${MESH}.DefaultTrafficPolicy`]: fields<MeshConfig_DefaultTrafficPolicy>({
    connectionPool: yes('limits of connections and requests', 'Cluster.circuitBreakers'),
    outlierDetection: yes('takes failing endpoints out for a while', 'Cluster.outlierDetection'),
  }),
  [`${MESH}.DefaultProviders`]: fields<MeshConfig_DefaultProviders>({
    tracing: yes('where spans go', 'HttpConnectionManager.tracing'),
    metrics: yes("`prometheus` keeps Istio's metrics; none: no such metrics"),
    accessLogging: yes('where access logs go', 'HttpConnectionManager.accessLog'),
  }),
  [`${MESH}.ProxyPathNormalization`]: fields<MeshConfig_ProxyPathNormalization>({
    normalization: yes(
      'NONE, BASE, MERGE_SLASHES or DECODE_AND_MERGE_SLASHES',
      'HttpConnectionManager.normalizePath',
      'HttpConnectionManager.mergeSlashes',
    ),
  }),
  [`${MESH}.TLSConfig`]: fields<MeshConfig_TLSConfig>({
    minProtocolVersion: yes('lowest version of TLS', 'TlsParameters.tlsMinimumProtocolVersion'),
    ecdhCurves: yes('curves', 'TlsParameters.ecdhCurves'),
    cipherSuites: yes('ciphers of TLS 1.2', 'TlsParameters.cipherSuites'),
  }),
  'istio.mesh.v1alpha1.LabelSelector': fields<LabelSelector>({
    matchLabels: yes('labels of the namespace'),
    matchExpressions: yes('conditions on them; all must hold'),
  }),
  'istio.mesh.v1alpha1.LabelSelectorRequirement': fields<LabelSelectorRequirement>({
    key: yes('the label'),
    operator: yes('In, NotIn, Exists or DoesNotExist'),
    values: yes('values of the label'),
  }),
  'istio.mesh.v1alpha1.ServiceEntryVisibility': fields<ServiceEntryVisibility>({
    defaultVisibility: yes('where no policy fits'),
    applyToSidecars: yes('only then is any of it in force'),
    policies: yes('the first one that fits counts'),
  }),
  'istio.mesh.v1alpha1.ServiceEntryVisibility.Policy': fields<ServiceEntryVisibility_Policy>({
    visibility: yes('NONE, NAMESPACE or PUBLIC'),
    matchingRules: yes('all must fit'),
  }),
  'istio.mesh.v1alpha1.ServiceEntryVisibility.MatchRule': fields<ServiceEntryVisibility_MatchRule>({
    namespaceSelector: yes('labels of the namespace of the ServiceEntry'),
  }),
};
