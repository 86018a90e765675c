import { NOT_SUPPORTED, type FieldTable } from './table.ts';

const TLS = 'envoy.extensions.transport_sockets.tls.v3';
const HTTP = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';
const PREDICATE = 'envoy.config.common.matcher.v3.MatchPredicate';
const DFP = 'envoy.extensions.clusters.dynamic_forward_proxy.v3';
const CERTIFICATE_PROVIDERS = 'certificates come inline or as secrets';

/** envoy.config.cluster.v3, envoy.config.endpoint.v3 and transport sockets. */
export const clusterFields: FieldTable = {
  'envoy.config.cluster.v3.Cluster': {
    implemented: `name altStatName type clusterType edsClusterConfig connectTimeout lbPolicy
      loadAssignment healthChecks maxRequestsPerConnection circuitBreakers upstreamHttpProtocolOptions
      commonHttpProtocolOptions httpProtocolOptions http2ProtocolOptions protocolSelection typedExtensionProtocolOptions dnsRefreshRate dnsFailureRefreshRate
      respectDnsTtl dnsLookupFamily dnsJitter typedDnsResolverConfig dnsResolvers dnsResolutionConfig outlierDetection upstreamBindConfig lbSubsetConfig
      ringHashLbConfig maglevLbConfig originalDstLbConfig cleanupInterval leastRequestLbConfig roundRobinLbConfig commonLbConfig
      loadBalancingPolicy
      transportSocket transportSocketMatches metadata upstreamConnectionOptions closeConnectionsOnHostHealthFailure
      filters trackTimeoutBudgets trackClusterStats preconnectPolicy connectionPoolPerDownstreamConnection waitForWarmOnInit ignoreHealthOnHostRemoval`,
    noEffect: {
      'what waits in a connection is bounded by the proxy itself, at 64 KiB': 'perConnectionBufferLimitBytes',
      'nobody is told how hosts are loaded': 'lrsReportEndpointMetrics',
      'Envoy does not read it either': 'lrsServer',
      'servers decide over what they are asked again': 'useTcpForDnsLookups',
    },
    refused: {
      [NOT_SUPPORTED]: `upstreamConfig transportSocketMatcher perConnectionBufferHighWatermarkTimeout statsMatcher
        queuingPolicies`,
    },
  },
  'envoy.config.cluster.v3.Cluster.CustomClusterType': { implemented: 'name typedConfig' },
  'envoy.config.cluster.v3.Cluster.EdsClusterConfig': { implemented: 'edsConfig serviceName' },
  'envoy.config.cluster.v3.Cluster.RefreshRate': { implemented: 'baseInterval maxInterval' },
  'envoy.config.cluster.v3.Cluster.RingHashLbConfig': { implemented: 'minimumRingSize maximumRingSize hashFunction' },
  'envoy.config.cluster.v3.Cluster.MaglevLbConfig': { implemented: 'tableSize' },
  'envoy.config.cluster.v3.Cluster.LeastRequestLbConfig': {
    implemented: 'choiceCount activeRequestBias slowStartConfig',
  },
  'envoy.config.cluster.v3.Cluster.RoundRobinLbConfig': { implemented: 'slowStartConfig' },
  'envoy.config.cluster.v3.Cluster.SlowStartConfig': { implemented: 'slowStartWindow aggression minWeightPercent' },
  'envoy.config.cluster.v3.Cluster.OriginalDstLbConfig': {
    implemented: 'useHttpHeader httpHeaderName upstreamPortOverride metadataKey',
  },
  'envoy.config.cluster.v3.Cluster.CommonLbConfig': {
    implemented: `healthyPanicThreshold localityWeightedLbConfig consistentHashingLbConfig closeConnectionsOnHostSetChange
      ignoreNewHostsUntilFirstHc zoneAwareLbConfig overrideHostStatus updateMergeWindow`,
  },
  'envoy.config.core.v3.HealthStatusSet': { implemented: 'statuses' },
  'envoy.config.cluster.v3.Cluster.CommonLbConfig.LocalityWeightedLbConfig': {},
  'envoy.config.cluster.v3.Cluster.CommonLbConfig.ZoneAwareLbConfig': {
    implemented: 'routingEnabled minClusterSize failTrafficOnPanic',
  },
  'envoy.config.cluster.v3.Cluster.CommonLbConfig.ConsistentHashingLbConfig': {
    implemented: 'useHostnameForHashing hashBalanceFactor',
  },
  'envoy.config.cluster.v3.Cluster.LbSubsetConfig': {
    implemented: `fallbackPolicy defaultSubset subsetSelectors localityWeightAware scaleLocalityWeight panicModeAny
      listAsAny metadataFallbackPolicy`,
  },
  'envoy.config.cluster.v3.Cluster.LbSubsetConfig.LbSubsetSelector': {
    implemented: 'keys fallbackPolicy fallbackKeysSubset singleHostPerSubset',
  },
  'envoy.config.cluster.v3.Cluster.PreconnectPolicy': {
    implemented: 'perUpstreamPreconnectRatio',
    refused: { [NOT_SUPPORTED]: 'predictivePreconnectRatio preconnectEnabledMetadata' },
  },
  'envoy.config.cluster.v3.Cluster.TransportSocketMatch': { implemented: 'name match transportSocket' },
  'envoy.config.cluster.v3.Filter': {
    implemented: 'name typedConfig',
    refused: { [NOT_SUPPORTED]: 'configDiscovery' },
  },
  'envoy.config.cluster.v3.TrackClusterStats': { implemented: 'timeoutBudgets requestResponseSizes perEndpointStats' },
  'envoy.config.cluster.v3.CircuitBreakers': { implemented: 'thresholds perHostThresholds' },
  'envoy.config.cluster.v3.CircuitBreakers.Thresholds': {
    implemented: 'priority maxConnections maxPendingRequests maxRequests maxRetries retryBudget trackRemaining',
    noEffect: {},
    refused: { [NOT_SUPPORTED]: 'maxConnectionPools' },
  },
  'envoy.config.cluster.v3.CircuitBreakers.Thresholds.RetryBudget': {
    implemented: 'budgetPercent minRetryConcurrency budgetInterval',
  },
  'envoy.config.cluster.v3.OutlierDetection': {
    implemented: `consecutive5xx interval baseEjectionTime maxEjectionPercent enforcingConsecutive5xx enforcingSuccessRate
      successRateMinimumHosts successRateRequestVolume successRateStdevFactor consecutiveGatewayFailure
      enforcingConsecutiveGatewayFailure splitExternalLocalOriginErrors consecutiveLocalOriginFailure
      enforcingConsecutiveLocalOriginFailure enforcingLocalOriginSuccessRate failurePercentageThreshold
      enforcingFailurePercentage enforcingFailurePercentageLocalOrigin failurePercentageMinimumHosts
      failurePercentageRequestVolume maxEjectionTime maxEjectionTimeJitter alwaysEjectOneHost
      successfulActiveHealthCheckUnejectHost detectDegradedHosts`,
    refused: { [NOT_SUPPORTED]: 'monitors' },
  },
  'envoy.config.cluster.v3.UpstreamConnectionOptions': {
    implemented: 'tcpKeepalive happyEyeballsConfig',
    noEffect: { 'nothing here asks for the interface': 'setLocalInterfaceNameOnUpstreamConnections' },
  },
  'envoy.config.cluster.v3.UpstreamConnectionOptions.HappyEyeballsConfig': {
    implemented: 'firstAddressFamilyVersion firstAddressFamilyCount',
  },

  'envoy.config.endpoint.v3.ClusterLoadAssignment': {
    implemented: 'clusterName endpoints policy',
    noEffect: { 'Envoy does not read it either': 'namedEndpoints' },
  },
  'envoy.config.endpoint.v3.ClusterLoadAssignment.Policy': {
    implemented: 'dropOverloads overprovisioningFactor weightedPriorityHealth endpointStaleAfter',
  },
  'envoy.config.endpoint.v3.ClusterLoadAssignment.Policy.DropOverload': { implemented: 'category dropPercentage' },
  'envoy.config.endpoint.v3.LocalityLbEndpoints': {
    implemented: 'locality lbEndpoints loadBalancerEndpoints loadBalancingWeight metadata priority',
    noEffect: { 'Envoy does not read it either': 'proximity' },
    refused: { [NOT_SUPPORTED]: 'ledsClusterLocalityConfig' },
  },
  'envoy.config.endpoint.v3.LocalityLbEndpoints.LbEndpointList': { implemented: 'lbEndpoints' },
  'envoy.config.endpoint.v3.LbEndpoint': {
    implemented: 'endpoint healthStatus metadata loadBalancingWeight',
    refused: { [NOT_SUPPORTED]: 'endpointName' },
  },
  'envoy.config.endpoint.v3.Endpoint': {
    implemented: 'address healthCheckConfig hostname additionalAddresses',
    refused: { [NOT_SUPPORTED]: 'observabilityName' },
  },
  'envoy.config.endpoint.v3.Endpoint.AdditionalAddress': { implemented: 'address' },
  'envoy.config.endpoint.v3.Endpoint.HealthCheckConfig': {
    implemented: 'portValue hostname disableActiveHealthCheck address',
  },

  [HTTP]: {
    implemented:
      'commonHttpProtocolOptions upstreamHttpProtocolOptions explicitHttpConfig useDownstreamProtocolConfig autoConfig requestMirrorPolicies hashPolicy retryPolicy outlierDetection',
    refused: {
      [NOT_SUPPORTED]: 'httpFilters headerValidationConfig',
    },
  },
  [`${HTTP}.OutlierDetection`]: { implemented: 'errorMatcher' },
  [PREDICATE]: {
    implemented: 'andMatch orMatch notMatch anyMatch httpResponseHeadersMatch',
    noEffect: {
      'only the heads of responses are looked at, by Envoy as well': `httpRequestHeadersMatch httpRequestTrailersMatch
        httpResponseTrailersMatch httpRequestGenericBodyMatch httpResponseGenericBodyMatch`,
    },
  },
  [`${PREDICATE}.MatchSet`]: { implemented: 'rules' },
  'envoy.config.common.matcher.v3.HttpHeadersMatch': { implemented: 'headers' },
  [`${HTTP}.ExplicitHttpConfig`]: {
    implemented: 'httpProtocolOptions http2ProtocolOptions',
    refused: { 'there is no HTTP/3': 'http3ProtocolOptions' },
  },
  'envoy.config.core.v3.Http2ProtocolOptions': {
    noEffect: {
      'HTTP/2 is spoken to services of the proxy itself only, with Node’s settings': `hpackTableSize maxConcurrentStreams
        initialStreamWindowSize initialConnectionWindowSize allowConnect allowMetadata maxOutboundFrames
        maxOutboundControlFrames maxConsecutiveInboundFramesWithEmptyPayload maxInboundPriorityFramesPerStream
        maxInboundWindowUpdateFramesPerDataFrameSent streamErrorOnInvalidHttpMessaging
        overrideStreamErrorOnInvalidHttpMessage customSettingsParameters connectionKeepalive useOghttp2Codec
        maxMetadataSize enableHuffmanEncoding maxHeaderFieldSizeKb disallowObsText streamResetBurst streamResetRate`,
    },
  },
  [`${HTTP}.UseDownstreamHttpConfig`]: {
    implemented: 'httpProtocolOptions',
    noEffect: { 'requests arrive over HTTP/1.1, so they go on over it': 'http2ProtocolOptions http3ProtocolOptions' },
  },
  'envoy.extensions.upstreams.tcp.v3.TcpProtocolOptions': {
    noEffect: { 'a connection that no client waits for any more is not kept': 'idleTimeout' },
  },
  [`${HTTP}.AutoHttpConfig`]: {
    implemented: 'httpProtocolOptions',
    noEffect: {
      'HTTP/1.1 is what is agreed on': 'http2ProtocolOptions http3ProtocolOptions alternateProtocolsCacheOptions',
    },
  },
  'envoy.extensions.clusters.dns.v3.DnsCluster': {
    implemented: `dnsRefreshRate dnsFailureRefreshRate respectDnsTtl dnsJitter typedDnsResolverConfig dnsLookupFamily
      allAddressesInSingleEndpoint`,
    refused: { [NOT_SUPPORTED]: 'dnsMinRefreshRate' },
  },
  'envoy.extensions.clusters.dns.v3.DnsCluster.RefreshRate': { implemented: 'baseInterval maxInterval' },
  'envoy.extensions.clusters.aggregate.v3.ClusterConfig': { implemented: 'clusters' },
  [`${DFP}.ClusterConfig`]: {
    implemented: 'dnsCacheConfig allowInsecureClusterOptions',
    noEffect: {
      'connections are made when they are needed': 'allowCoalescedConnections',
    },
    refused: { [NOT_SUPPORTED]: 'subClustersConfig' },
  },
  'envoy.extensions.common.dynamic_forward_proxy.v3.DnsCacheConfig': {
    implemented: `name dnsLookupFamily dnsRefreshRate hostTtl maxHosts dnsFailureRefreshRate typedDnsResolverConfig
      dnsResolutionConfig`,
    noEffect: {
      'names are resolved when somebody asks for them': 'dnsMinRefreshRate dnsQueryTimeout',
      'servers decide over what they are asked again': 'useTcpForDnsLookups',
      'lookups under way are bounded by the hosts there may be': 'dnsCacheCircuitBreaker',
    },
    refused: { [NOT_SUPPORTED]: 'preresolveHostnames keyValueConfig disableDnsRefreshOnFailure resolvedAddressFilter' },
  },

  'envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer': {},
  'envoy.extensions.transport_sockets.internal_upstream.v3.InternalUpstreamTransport': {
    implemented: 'transportSocket',
    noEffect: { 'read by nobody here': 'passthroughMetadata' },
  },
  'envoy.extensions.transport_sockets.proxy_protocol.v3.ProxyProtocolUpstreamTransport': {
    implemented: 'config transportSocket',
    noEffect: {
      'a connection always has addresses': 'allowUnspecifiedAddress',
      'what is added is the same for all connections': 'tlvAsPoolKey',
    },
  },
  'envoy.config.core.v3.ProxyProtocolConfig': {
    implemented: 'version addedTlvs passThroughTlvs',
  },
  'envoy.config.core.v3.TlvEntry': { implemented: 'type value formatString' },
  [`${TLS}.DownstreamTlsContext`]: {
    implemented:
      'commonTlsContext requireClientCertificate disableStatelessSessionResumption sessionTimeout preferClientCiphers fullScanCertsOnSniMismatch disableStatefulSessionResumption ocspStaplePolicy sessionTicketKeys sessionTicketKeysSdsSecretConfig',
    noEffect: { 'Envoy does not look at it either': 'requireSni' },
  },
  [`${TLS}.UpstreamTlsContext`]: {
    implemented: 'commonTlsContext sni autoHostSni autoSniSanValidation maxSessionKeys',
    noEffect: {
      'OpenSSL never renegotiates on request': 'allowRenegotiation',
      'key usage is always checked, as by Envoy': 'enforceRsaKeyUsage',
    },
  },
  [`${TLS}.CommonTlsContext`]: {
    implemented: `tlsParams tlsCertificates tlsCertificateSdsSecretConfigs validationContext
      validationContextSdsSecretConfig combinedValidationContext alpnProtocols keyLog`,
    refused: {
      [CERTIFICATE_PROVIDERS]: `tlsCertificateProviderInstance tlsCertificateCertificateProvider
        tlsCertificateCertificateProviderInstance validationContextCertificateProvider
        validationContextCertificateProviderInstance`,
      [NOT_SUPPORTED]: 'customTlsCertificateSelector customHandshaker',
    },
  },
  [`${TLS}.CommonTlsContext.CombinedCertificateValidationContext`]: {
    implemented: 'defaultValidationContext validationContextSdsSecretConfig',
    refused: {
      [CERTIFICATE_PROVIDERS]: 'validationContextCertificateProvider validationContextCertificateProviderInstance',
    },
  },
  [`${TLS}.TlsParameters`]: {
    implemented:
      'tlsMinimumProtocolVersion tlsMaximumProtocolVersion cipherSuites ecdhCurves signatureAlgorithms compliancePolicies',
    values: { compliancePolicies: { CNSA2_202603: NOT_SUPPORTED, CNSA1_202603: NOT_SUPPORTED } },
  },
  [`${TLS}.TlsCertificate`]: {
    implemented: 'certificateChain privateKey password pkcs12 ocspStaple watchedDirectory',
    refused: { [NOT_SUPPORTED]: 'privateKeyProvider signedCertificateTimestamp tlsParams' },
  },
  [`${TLS}.SdsSecretConfig`]: { implemented: 'name sdsConfig' },
  [`${TLS}.CertificateValidationContext`]: {
    implemented: `trustedCa systemRootCerts verifyCertificateSpki verifyCertificateHash matchTypedSubjectAltNames
      matchSubjectAltNames crl onlyVerifyLeafCertCrl allowExpiredCertificate trustChainVerification maxVerifyDepth customValidatorConfig
      watchedDirectory`,
    refused: {
      [CERTIFICATE_PROVIDERS]: 'caCertificateProviderInstance',
      [NOT_SUPPORTED]: 'requireSignedCertificateTimestamp suppressClientCaList',
    },
  },
  [`${TLS}.CertificateValidationContext.SystemRootCerts`]: {},
  [`${TLS}.SubjectAltNameMatcher`]: {
    implemented: 'sanType matcher oid',
  },
  [`${TLS}.Secret`]: {
    implemented: 'name tlsCertificate validationContext genericSecret sessionTicketKeys',
  },
  [`${TLS}.TlsSessionTicketKeys`]: { implemented: 'keys' },
  [`${TLS}.TlsKeyLog`]: { implemented: 'path localAddressRange remoteAddressRange' },
  [`${TLS}.SPIFFECertValidatorConfig`]: { implemented: 'trustDomains trustBundles' },
  [`${TLS}.SPIFFECertValidatorConfig.TrustDomain`]: {
    implemented: 'name trustBundle',
    refused: { [NOT_SUPPORTED]: 'workloadTrustDomain' },
  },
  [`${TLS}.GenericSecret`]: { implemented: 'secret', refused: { [NOT_SUPPORTED]: 'secrets' } },
};
