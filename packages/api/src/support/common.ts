import type {
  ClientTLSSettings,
  ConnectionPoolSettings_TCPSettings_TcpKeepalive,
  Destination,
  HTTPRetry,
  LocalityLoadBalancerSetting,
  LocalityLoadBalancerSetting_Distribute,
  LocalityLoadBalancerSetting_Failover,
  Percent,
  Port,
  PortSelector,
  ServerTLSSettings,
  ServerTLSSettings_TLSCertificate,
  ServicePort,
  SidecarPort,
  StringMatch,
  WorkloadSelector,
} from '../gen/istio.networking.v1alpha3.ts';
import type { WorkloadSelector as PolicySelector } from '../gen/istio.type.v1beta1.ts';
import { byEngine, exceptText, fields, left, moot, yes } from './types.ts';
import type { MessageTable } from './types.ts';

const NET = 'istio.networking.v1alpha3';

/** HTTP/2 waits for a codec of its own; what needs it does not get through. */
export const HTTP2_PORT = byEngine(
  left(
    "Mizzen's proxy speaks HTTP/1.1 only, so HTTP/2 and gRPC do not get through yet",
    'an HTTP/1.1 port works; `--engine envoy` carries it',
  ),
  yes('HTTP/2 to the endpoints, gRPC in it', 'HttpProtocolOptions.ExplicitHttpConfig.http2ProtocolOptions'),
);
export const GRPC_WEB_PORT = byEngine(
  left(
    'gRPC-Web is passed on as it is, not turned into gRPC',
    'let the application, or a proxy beside it, understand gRPC-Web',
  ),
  yes('gRPC-Web is turned into gRPC', 'HttpConnectionManager.httpFilters'),
);

/** The protocol of a port, in Istio's own resources. */
export const PROTOCOL = exceptText(
  exceptText(
    yes('what the port carries; decides between HTTP routes, TLS routes and bytes'),
    'GRPC-WEB',
    /^grpc-web$/i,
    GRPC_WEB_PORT,
  ),
  'GRPC, HTTP2',
  /^(?:grpc|http2)$/i,
  HTTP2_PORT,
);

const DEPRECATED_TARGET = moot('it is deprecated, and Istio does not read it either');

/** Messages that several kinds share. */
export const common: MessageTable = {
  'istio.type.v1beta1.WorkloadSelector': fields<PolicySelector>({ matchLabels: yes('labels a workload must have') }),
  [`${NET}.WorkloadSelector`]: fields<WorkloadSelector>({ labels: yes('labels a workload must have') }),
  [`${NET}.StringMatch`]: fields<StringMatch>({
    exact: yes('the whole value', 'StringMatcher.exact'),
    prefix: yes('how it begins', 'StringMatcher.prefix'),
    regex: yes('an RE2 expression for the whole value', 'StringMatcher.safeRegex'),
  }),
  [`${NET}.Percent`]: fields<Percent>({ value: yes('percent, in steps of 0.0001', 'FractionalPercent.numerator') }),
  [`${NET}.PortSelector`]: fields<PortSelector>({ number: yes('number of the port') }),
  [`${NET}.Destination`]: fields<Destination>({
    host: yes('the service, by full or short name', 'RouteAction.cluster'),
    subset: yes("a subset of the DestinationRule; part of the cluster's name", 'RouteAction.cluster'),
    port: yes("the service's port; its only one when left out", 'RouteAction.cluster'),
  }),
  [`${NET}.HTTPRetry`]: fields<HTTPRetry>({
    attempts: yes('how often to try again; 0 switches retries off', 'RetryPolicy.numRetries'),
    perTryTimeout: yes('time for one attempt', 'RetryPolicy.perTryTimeout'),
    retryOn: yes(
      "when to try again, by Envoy's conditions and status codes",
      'RetryPolicy.retryOn',
      'RetryPolicy.retriableStatusCodes',
    ),
    retryRemoteLocalities: yes('whether a retry goes to other localities', 'RetryPolicy.retryPriority'),
    retryIgnorePreviousHosts: yes('whether a retry avoids hosts that were tried', 'RetryPolicy.retryHostPredicate'),
    backoff: yes('the base of the wait between attempts', 'RetryPolicy.retryBackOff'),
  }),
  [`${NET}.LocalityLoadBalancerSetting`]: fields<LocalityLoadBalancerSetting>({
    distribute: yes("shares of traffic by the client's locality", 'LocalityLbEndpoints.loadBalancingWeight'),
    failover: yes('the region to go to next; needs outlierDetection', 'LocalityLbEndpoints.priority'),
    failoverPriority: yes(
      'labels by which endpoints are ranked; needs outlierDetection',
      'LocalityLbEndpoints.priority',
    ),
    enabled: yes('`false` switches off what the mesh says'),
  }),
  [`${NET}.LocalityLoadBalancerSetting.Distribute`]: fields<LocalityLoadBalancerSetting_Distribute>({
    from: yes('locality of the client'),
    to: yes('locality → percent', 'LocalityLbEndpoints.loadBalancingWeight'),
  }),
  [`${NET}.LocalityLoadBalancerSetting.Failover`]: fields<LocalityLoadBalancerSetting_Failover>({
    from: yes('region of the client'),
    to: yes('region used when its own fails', 'LocalityLbEndpoints.priority'),
  }),
  [`${NET}.ConnectionPoolSettings.TCPSettings.TcpKeepalive`]: fields<ConnectionPoolSettings_TCPSettings_TcpKeepalive>({
    probes: yes('unanswered probes before the connection is closed', 'TcpKeepalive.keepaliveProbes'),
    time: yes('idle time before the first probe', 'TcpKeepalive.keepaliveTime'),
    interval: yes('time between probes', 'TcpKeepalive.keepaliveInterval'),
  }),
  [`${NET}.ClientTLSSettings`]: fields<ClientTLSSettings>({
    mode: yes('DISABLE, SIMPLE, MUTUAL or ISTIO_MUTUAL to the upstream', 'Cluster.transportSocket'),
    clientCertificate: yes(
      'file of this machine with the certificate to show',
      'CommonTlsContext.tlsCertificateSdsSecretConfigs',
    ),
    privateKey: yes('file of this machine with its key', 'CommonTlsContext.tlsCertificateSdsSecretConfigs'),
    caCertificates: yes(
      "file of this machine with the roots; the system's when left out",
      'CommonTlsContext.combinedValidationContext',
    ),
    credentialName: yes(
      'a Secret with certificate and roots; for gateways, and for sidecars with a workloadSelector',
      'SdsSecretConfig.name',
    ),
    caCertCredentialName: yes(
      'a Secret with the roots alone, for whom credentialName would be for',
      'CommonTlsContext.combinedValidationContext',
    ),
    subjectAltNames: yes(
      "names of which the server's certificate must have one",
      'CertificateValidationContext.matchSubjectAltNames',
    ),
    sni: yes("server name to ask for; the request's host when left out", 'UpstreamTlsContext.sni'),
    insecureSkipVerify: yes('takes any certificate', 'CommonTlsContext.validationContext'),
    caCrl: yes('file of this machine with revoked certificates', 'CertificateValidationContext.crl'),
  }),
  [`${NET}.ServerTLSSettings`]: fields<ServerTLSSettings>({
    httpsRedirect: yes('answers plain HTTP with a redirect to HTTPS', 'VirtualHost.requireTls'),
    mode: yes(
      'PASSTHROUGH and AUTO_PASSTHROUGH go by server name; SIMPLE, MUTUAL, OPTIONAL_MUTUAL and ISTIO_MUTUAL end here',
      'FilterChain.transportSocket',
      'DownstreamTlsContext.requireClientCertificate',
    ),
    serverCertificate: yes('file of this machine', 'CommonTlsContext.tlsCertificateSdsSecretConfigs'),
    privateKey: yes('file of this machine', 'CommonTlsContext.tlsCertificateSdsSecretConfigs'),
    caCertificates: yes(
      'file of this machine with roots for client certificates',
      'CommonTlsContext.combinedValidationContext',
    ),
    caCrl: yes('file of this machine with revoked certificates', 'CertificateValidationContext.crl'),
    credentialName: yes("Secret of the gateway's namespace with certificate, key and roots", 'SdsSecretConfig.name'),
    credentialNames: yes('the same, several', 'SdsSecretConfig.name'),
    caCertCredentialName: yes('Secret with the roots for client certificates', 'SdsSecretConfig.name'),
    tlsCertificates: yes('several pairs of files of this machine', 'CommonTlsContext.tlsCertificateSdsSecretConfigs'),
    insecureSkipVerify: yes('takes any client certificate', 'CertificateValidationContext.trustChainVerification'),
    subjectAltNames: yes(
      "names of which a client's certificate must have one",
      'CertificateValidationContext.matchTypedSubjectAltNames',
    ),
    verifyCertificateSpki: yes(
      'public keys that clients may have',
      'CertificateValidationContext.verifyCertificateSpki',
    ),
    verifyCertificateHash: yes(
      'certificates that clients may have',
      'CertificateValidationContext.verifyCertificateHash',
    ),
    minProtocolVersion: yes('lowest version of TLS', 'TlsParameters.tlsMinimumProtocolVersion'),
    maxProtocolVersion: yes('highest version of TLS', 'TlsParameters.tlsMaximumProtocolVersion'),
    cipherSuites: yes('ciphers of TLS 1.2 and below', 'TlsParameters.cipherSuites'),
    ecdhCurves: yes('curves of the key exchange', 'TlsParameters.ecdhCurves'),
    alpnProtocols: yes('protocols that are offered, in place of HTTP/2 and HTTP/1.1', 'CommonTlsContext.alpnProtocols'),
  }),
  [`${NET}.ServerTLSSettings.TLSCertificate`]: fields<ServerTLSSettings_TLSCertificate>({
    serverCertificate: yes('file of this machine', 'CommonTlsContext.tlsCertificateSdsSecretConfigs'),
    privateKey: yes('file of this machine', 'CommonTlsContext.tlsCertificateSdsSecretConfigs'),
    caCertificates: yes(
      'roots for client certificates; the first ones count',
      'CommonTlsContext.combinedValidationContext',
    ),
  }),
  [`${NET}.Port`]: fields<Port>({
    number: yes('port of the gateway; below 1024 it is moved up by 8000 here (`--gateway-port`)', 'Listener.address'),
    protocol: PROTOCOL,
    name: yes('names the HTTPS route configuration', 'Rds.routeConfigName'),
    targetPort: DEPRECATED_TARGET,
  }),
  [`${NET}.SidecarPort`]: fields<SidecarPort>({
    number: yes('the port'),
    protocol: PROTOCOL,
    name: yes('a name for it'),
    targetPort: DEPRECATED_TARGET,
  }),
  [`${NET}.ServicePort`]: fields<ServicePort>({
    number: yes("port clients use; part of the cluster's name", 'Cluster.name'),
    protocol: PROTOCOL,
    name: yes('the name `endpoints[].ports` and workloads refer to'),
    targetPort: yes('port of the endpoints', 'Endpoint.address'),
  }),
};
