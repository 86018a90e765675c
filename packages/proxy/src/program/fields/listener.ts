import { HTTP2_PORT, NOT_SUPPORTED, type FieldTable } from './table.ts';

const HCM = 'envoy.extensions.filters.network.http_connection_manager.v3';
const PROXY = 'envoy.extensions.filters.listener.proxy_protocol.v3';
const TCP = 'envoy.extensions.filters.network.tcp_proxy.v3';

/** envoy.config.listener.v3, listener filters and network filters. */
export const listenerFields: FieldTable = {
  'envoy.config.listener.v3.Listener': {
    implemented: `name address additionalAddresses statPrefix perConnectionBufferLimitBytes filterChains defaultFilterChain filterChainMatcher
      listenerFilters listenerFiltersTimeout continueOnListenerFiltersTimeout
      trafficDirection accessLog drainType tcpBacklogSize ignoreGlobalConnLimit bypassOverloadManager bindToPort tcpKeepalive useOriginalDst internalListener deprecatedV1 metadata`,
    noEffect: {
      'one process accepts all connections of a listener':
        'connectionBalanceConfig reusePort enableReusePort maxConnectionsToAcceptPerSocketEvent',
    },
    refused: {
      [NOT_SUPPORTED]: `fcdsConfig transparent freebind socketOptions tcpFastOpenQueueLength
        udpListenerConfig apiListener enableMptcp perConnectionBufferHighWatermarkTimeout statsMatcher`,
    },
  },
  'envoy.config.listener.v3.AdditionalAddress': {
    implemented: 'address tcpKeepalive',
    refused: { [NOT_SUPPORTED]: 'socketOptions' },
  },
  'envoy.config.listener.v3.Listener.DeprecatedV1': { implemented: 'bindToPort' },
  'envoy.config.listener.v3.Listener.InternalListenerConfig': {},
  'envoy.config.listener.v3.FilterChain': {
    implemented: 'filterChainMatch filters useProxyProto transportSocket transportSocketConnectTimeout name metadata',
  },
  'envoy.config.listener.v3.FilterChainMatch': {
    implemented: `destinationPort prefixRanges directSourcePrefixRanges sourceType sourcePrefixRanges sourcePorts
      serverNames transportProtocol applicationProtocols`,
    refused: { [NOT_SUPPORTED]: 'addressSuffix suffixLen' },
  },
  'envoy.config.listener.v3.Filter': { implemented: 'name typedConfig configDiscovery' },
  'envoy.config.listener.v3.ListenerFilter': { implemented: 'name typedConfig filterDisabled configDiscovery' },
  'envoy.config.listener.v3.ListenerFilterChainMatchPredicate': {
    implemented: 'orMatch andMatch notMatch anyMatch destinationPortRange',
  },
  'envoy.config.listener.v3.ListenerFilterChainMatchPredicate.MatchSet': { implemented: 'rules' },

  'envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector': {
    implemented: `maxClientHelloSize enableJa3Fingerprinting enableJa4Fingerprinting
      closeConnectionOnClientHelloParsingErrors`,
    noEffect: { 'the buffer grows as needed': 'initialReadBufferSize' },
  },
  'envoy.extensions.filters.listener.http_inspector.v3.HttpInspector': {},
  'envoy.extensions.filters.listener.original_dst.v3.OriginalDst': {},
  'envoy.extensions.filters.listener.local_ratelimit.v3.LocalRateLimit': {
    implemented: 'statPrefix tokenBucket runtimeEnabled',
  },
  [`${PROXY}.ProxyProtocol`]: {
    implemented: `rules allowRequestsWithoutProxyProtocol passThroughTlvs disallowedVersions statPrefix tlvLocation`,
    values: { tlvLocation: { FILTER_STATE: 'there is no filter state to hold them' } },
  },
  [`${PROXY}.ProxyProtocol.Rule`]: { implemented: 'tlvType onTlvPresent' },
  [`${PROXY}.ProxyProtocol.KeyValuePair`]: {
    implemented: 'metadataNamespace key valueStringEncoding',
  },
  'envoy.config.core.v3.ProxyProtocolPassThroughTLVs': { implemented: 'matchType tlvType' },

  [`${HCM}.HttpConnectionManager`]: {
    implemented: `codecType statPrefix rds routeConfig httpFilters addUserAgent commonHttpProtocolOptions
      httpProtocolOptions serverName serverHeaderTransformation schemeHeaderTransformation maxRequestHeadersKb
      streamIdleTimeout requestTimeout requestHeadersTimeout drainTimeout delayedCloseTimeout accessLog accessLogOptions
      accessLogFlushInterval flushAccessLogOnNewRequest useRemoteAddress xffNumTrustedHops originalIpDetectionExtensions
      internalAddressConfig skipXffAppend via generateRequestId preserveExternalRequestId alwaysSetRequestIdInResponse
      forwardClientCertDetails setCurrentClientCertDetails proxy100Continue representIpv4RemoteAddressAsIpv4MappedIpv6
      upgradeConfigs normalizePath mergeSlashes pathWithEscapedSlashesAction requestIdExtension localReplyConfig
      stripMatchingHostPort stripAnyHostPort streamErrorOnInvalidHttpMessage stripTrailingHostDot appendXForwardedPort tracing
      addProxyProtocolConnectionState earlyHeaderMutationExtensions forwardClientCertMatcher proxyStatusConfig scopedRoutes forwardProtoConfig
      drainTimeoutJitter http1SafeMaxConnectionDuration`,
    noEffect: {
      [HTTP2_PORT]: 'http2ProtocolOptions',
      'there is no overload manager': 'appendLocalOverload',
      'Envoy does not read it either': 'pathNormalizationOptions',
      'HTTP/1.1 has no streams that wait to be flushed': 'streamFlushTimeout',
      'connections are of TCP': 'http3ProtocolOptions',
    },
    refused: {
      [NOT_SUPPORTED]: `typedHeaderValidationConfig recordRouteResolutionStats`,
    },
    values: { codecType: { HTTP2: HTTP2_PORT, HTTP3: 'there is no HTTP/3' } },
  },
  [`${HCM}.ForwardProtoConfig`]: { implemented: 'httpsDestinationPorts httpDestinationPorts' },
  [`${HCM}.ScopedRoutes`]: {
    implemented: 'name scopeKeyBuilder rdsConfigSource scopedRouteConfigurationsList',
    refused: { [NOT_SUPPORTED]: 'scopedRds' },
  },
  [`${HCM}.ScopedRouteConfigurationsList`]: { implemented: 'scopedRouteConfigurations' },
  [`${HCM}.ScopedRoutes.ScopeKeyBuilder`]: { implemented: 'fragments' },
  [`${HCM}.ScopedRoutes.ScopeKeyBuilder.FragmentBuilder`]: { implemented: 'headerValueExtractor' },
  [`${HCM}.ScopedRoutes.ScopeKeyBuilder.FragmentBuilder.HeaderValueExtractor`]: {
    implemented: 'name elementSeparator index element',
  },
  [`${HCM}.ScopedRoutes.ScopeKeyBuilder.FragmentBuilder.HeaderValueExtractor.KvElement`]: {
    implemented: 'separator key',
  },
  'envoy.config.route.v3.ScopedRouteConfiguration': {
    implemented: 'name routeConfigurationName routeConfiguration key',
    noEffect: { 'all configurations are fetched at once': 'onDemand' },
  },
  'envoy.config.route.v3.ScopedRouteConfiguration.Key': { implemented: 'fragments' },
  'envoy.config.route.v3.ScopedRouteConfiguration.Key.Fragment': { implemented: 'stringKey' },
  [`${HCM}.Rds`]: { implemented: 'configSource routeConfigName' },
  [`${HCM}.HttpFilter`]: {
    implemented: 'name typedConfig disabled configDiscovery',
    noEffect: { 'types that are not known are refused all the same': 'isOptional' },
  },
  [`${HCM}.HttpConnectionManager.HcmAccessLogOptions`]: {
    implemented: 'accessLogFlushInterval flushAccessLogOnNewRequest flushLogOnTunnelSuccessfullyEstablished',
  },
  [`${HCM}.HttpConnectionManager.InternalAddressConfig`]: { implemented: 'unixSockets cidrRanges' },
  [`${HCM}.HttpConnectionManager.ForwardClientCertConfig`]: {
    implemented: 'forwardClientCertDetails setCurrentClientCertDetails',
  },
  [`${HCM}.HttpConnectionManager.SetCurrentClientCertDetails`]: {
    implemented: 'subject cert chain dns uri issuer format',
  },
  [`${HCM}.HttpConnectionManager.UpgradeConfig`]: {
    implemented: 'upgradeType enabled filters',
  },
  [`${HCM}.RequestIDExtension`]: { implemented: 'typedConfig' },
  [`${HCM}.LocalReplyConfig`]: { implemented: 'mappers bodyFormat' },
  [`${HCM}.ResponseMapper`]: { implemented: 'filter statusCode body bodyFormatOverride headersToAdd' },
  'envoy.config.core.v3.SchemeHeaderTransformation': { implemented: 'schemeToOverwrite matchUpstream' },
  'envoy.extensions.http.original_ip_detection.xff.v3.XffConfig': {
    implemented: 'xffNumTrustedHops xffTrustedCidrs skipXffAppend',
  },
  [`${HCM}.HttpConnectionManager.ProxyStatusConfig`]: {
    implemented: `removeDetails removeConnectionTerminationDetails removeResponseFlags setRecommendedResponseCode
      useNodeId literalProxyName`,
  },
  'envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation': { implemented: 'mutations' },
  'envoy.extensions.http.original_ip_detection.custom_header.v3.CustomHeaderConfig': {
    implemented: 'headerName allowExtensionToSetAddressAsTrusted rejectWithStatus',
  },
  'envoy.extensions.http.original_ip_detection.xff.v3.XffTrustedCidrs': { implemented: 'cidrs' },

  [`${TCP}.TcpProxy`]: {
    implemented: `statPrefix cluster weightedClusters metadataMatch idleTimeout accessLog maxConnectAttempts hashPolicy
      maxDownstreamConnectionDuration accessLogFlushInterval flushAccessLogOnConnected accessLogOptions upstreamConnectMode
      tunnelingConfig maxDownstreamConnectionDurationJitterPercentage maxEarlyDataBytes backoffOptions
      proxyProtocolTlvs`,
    noEffect: { 'Envoy does not read it either': 'downstreamIdleTimeout upstreamIdleTimeout' },
    refused: { [NOT_SUPPORTED]: 'onDemand proxyProtocolTlvMergePolicy checkDrainClose' },
  },
  [`${TCP}.TcpProxy.WeightedCluster`]: { implemented: 'clusters' },
  [`${TCP}.TcpProxy.WeightedCluster.ClusterWeight`]: {
    implemented: 'name weight metadataMatch',
  },
  [`${TCP}.TcpProxy.TunnelingConfig`]: {
    implemented: 'hostname usePost postPath headersToAdd requestIdExtension requestIdHeader requestIdMetadataKey',
    noEffect: { 'what is kept of them cannot be printed': 'propagateResponseHeaders propagateResponseTrailers' },
    refused: { [NOT_SUPPORTED]: 'formatters' },
  },
  [`${TCP}.TcpProxy.TcpAccessLogOptions`]: {
    implemented: 'accessLogFlushInterval flushAccessLogOnConnected flushAccessLogOnStart',
  },

  'envoy.extensions.filters.network.local_ratelimit.v3.LocalRateLimit': {
    implemented: 'statPrefix tokenBucket runtimeEnabled shareKey',
  },
  'envoy.extensions.filters.network.rbac.v3.RBAC': {
    implemented: `rules shadowRules matcher shadowMatcher statPrefix enforcementType shadowRulesStatPrefix
      delayDeny`,
  },
};
