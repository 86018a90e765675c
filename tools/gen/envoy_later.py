"""What Envoy 1.40 has and the descriptors of PyPI's xds-protos do not yet; once they do, it can go.

LATER: message → its fields as (JSON name, number, type, `[]` before it for repeated, `{}` for a map from strings, and the oneof if it is in one); NEW: whole
messages, (package, name in it) → fields; ENUMS: whole enums, (package, name in it) → values; VALUES: enum → further values."""

ROUTE = 'envoy.config.route.v3'
HTTP = 'envoy.extensions.filters.http'
JWT = f'{HTTP}.jwt_authn.v3'
COMPOSITE = f'{HTTP}.composite.v3'
MATCHER = 'xds.type.matcher.v3.Matcher'
HCM = 'envoy.extensions.filters.network.http_connection_manager.v3'
CLUSTER = 'envoy.config.cluster.v3'
CORE = 'envoy.config.core.v3'
LISTENER = 'envoy.config.listener.v3'
LB_COMMON = 'envoy.extensions.load_balancing_policies.common.v3'
PROXY_PACKAGE = 'envoy.extensions.filters.listener.proxy_protocol.v3'
PROXY = f'{PROXY_PACKAGE}.ProxyProtocol'
TCP = 'envoy.extensions.filters.network.tcp_proxy.v3'
TLS = 'envoy.extensions.transport_sockets.tls.v3'
BOOL, U32, U64, DURATION = ('google.protobuf.' + t for t in ('BoolValue', 'UInt32Value', 'UInt64Value', 'Duration'))
EXTENSION = f'{CORE}.TypedExtensionConfig'
EXTENSIONS = f'[]{EXTENSION}'
STATS = 'envoy.config.metrics.v3.StatsMatcher'
STATE = '[]envoy.extensions.filters.common.set_filter_state.v3.FilterStateValue'

LATER = {
    'envoy.config.cluster.v3.CircuitBreakers.Thresholds.RetryBudget': [('budgetInterval', 3, 'google.protobuf.Duration')],
    'envoy.extensions.filters.http.set_filter_state.v3.Config': [('clearRouteCache', 2, 'bool')],
    'envoy.extensions.filters.network.set_filter_state.v3.Config': [('onDownstreamTlsHandshake', 2, STATE), ('onDownstreamData', 3, STATE)],
    'envoy.extensions.filters.http.fault.v3.FaultAbort': [('responseBody', 6, 'string')],
    'envoy.extensions.filters.http.header_mutation.v3.Mutations': [('formatters', 6, '[]envoy.config.core.v3.TypedExtensionConfig')],
    'envoy.extensions.formatter.cel.v3.Cel': [('celConfig', 1, 'envoy.config.core.v3.CelExpressionConfig')],
    'envoy.type.matcher.v3.AddressMatcher': [('invertMatch', 2, 'bool')],
    'envoy.config.cluster.v3.OutlierDetection': [('detectDegradedHosts', 26, 'google.protobuf.BoolValue')],
    'envoy.extensions.filters.http.stateful_session.v3.StatefulSession': [('statusOnStrictDestinationNotFound', 4, 'uint32')],
    'envoy.extensions.access_loggers.open_telemetry.v3.OpenTelemetryAccessLogConfig': [('httpService', 8, 'envoy.config.core.v3.HttpService'),
        ('grpcService', 9, 'envoy.config.core.v3.GrpcService'), ('logName', 10, 'string'), ('bufferFlushInterval', 11, 'google.protobuf.Duration'),
        ('bufferSizeBytes', 12, 'google.protobuf.UInt32Value'), ('filterStateObjectsToLog', 13, '[]string'),
        ('customTags', 14, '[]envoy.type.tracing.v3.CustomTag'), ('resourceDetectors', 15, '[]envoy.config.core.v3.TypedExtensionConfig')],
    'envoy.config.core.v3.HealthCheck': [('name', 27, 'string')],
    'envoy.config.core.v3.HealthCheck.HttpHealthCheck': [('useAlpnProtocol', 15, 'bool')],
    f'{ROUTE}.RouteMatch': [('cookies', 17, f'[]{ROUTE}.CookieMatcher')],
    f'{ROUTE}.RedirectAction': [('pathRewrite', 10, 'string', 'path_rewrite_specifier')],
    f'{ROUTE}.RateLimit.Action': [('remoteAddressMatch', 13, f'{ROUTE}.RateLimit.Action.RemoteAddressMatch', 'action_specifier')],
    f'{ROUTE}.RateLimit.Action.GenericKey': [('defaultValue', 3, 'string')],
    f'{ROUTE}.RateLimit.Action.HeaderValueMatch': [('defaultValue', 5, 'string')],
    f'{ROUTE}.RateLimit.Action.QueryParameterValueMatch': [('defaultValue', 5, 'string')],
    f'{HTTP}.local_ratelimit.v3.LocalRateLimit': [('enableRetryAfterHeader', 19, 'bool')],
    'envoy.extensions.common.ratelimit.v3.LocalRateLimitDescriptor': [('shadowMode', 3, 'bool')],
    f'{HTTP}.ratelimit.v3.RateLimit': [('metadataNamespace', 18, 'string'), ('enableRetryAfterHeader', 19, 'bool')],
    f'{HTTP}.basic_auth.v3.BasicAuth': [('allowMissing', 4, 'bool'), ('emitDynamicMetadata', 5, 'bool'), ('realm', 6, 'string')],
    f'{HTTP}.basic_auth.v3.BasicAuthPerRoute': [('realm', 2, 'string')],
    f'{JWT}.JwtRequirement': [('extractOnlyWithoutValidation', 7, f'{JWT}.ExtractOnlyWithoutValidation', 'requires_type')],
    f'{JWT}.JwtClaimToHeader': [('claimPath', 3, f'[]{JWT}.JwtClaimToHeader.PathSegment')],
    f'{HTTP}.ext_authz.v3.ExtAuthz': [('shadowMode', 32, 'bool'), ('emitClientSpan', 33, BOOL), ('clearRouteCacheHeaders', 34, '[]string')],
    f'{HTTP}.ext_authz.v3.HttpService': [('pathOverride', 10, 'string')],
    f'{HTTP}.router.v3.Router': [('rejectConnectRequestEarlyData', 10, 'google.protobuf.BoolValue')],
    f'{HTTP}.compressor.v3.Compressor.ResponseDirectionConfig': [('weakenEtagOnCompress', 6, 'bool')],
    f'{HCM}.HttpConnectionManager': [('forwardProtoConfig', 61, f'{HCM}.ForwardProtoConfig'), ('drainTimeoutJitter', 62, 'envoy.type.v3.Percent'),
        ('recordRouteResolutionStats', 63, 'bool')],
    f'{HCM}.HttpConnectionManager.SetCurrentClientCertDetails': [('format', 7, f'{HCM}.HttpConnectionManager.ForwardClientCertFormat'), ('issuer', 8, 'bool')],
    'envoy.config.core.v3.HttpProtocolOptions': [('maxConnectionDurationJitter', 8, 'envoy.type.v3.Percent')],
    'envoy.config.bootstrap.v3.Bootstrap': [('enableWorkerCpuAffinity', 43, 'bool')],
    'envoy.config.bootstrap.v3.MemoryAllocatorManager': [('softMemoryLimitBytes', 3, U64), ('maxPerCpuCacheSizeBytes', 4, U32),
        ('maxUnfreedMemoryBytes', 5, 'uint64')],
    f'{CLUSTER}.Cluster': [('perConnectionBufferHighWatermarkTimeout', 60, DURATION), ('statsMatcher', 61, STATS), ('queuingPolicies', 62, f'{CLUSTER}.Cluster.QueuingPolicies')],
    f'{CLUSTER}.Cluster.PreconnectPolicy': [('preconnectEnabledMetadata', 3, 'envoy.type.matcher.v3.MetadataMatcher')],
    f'{CORE}.BindConfig': [('validateNetworkNamespaces', 7, 'bool')],
    f'{CORE}.Http2ProtocolOptions': [('enableHuffmanEncoding', 18, BOOL), ('maxHeaderFieldSizeKb', 19, U32), ('disallowObsText', 20, BOOL),
        ('streamResetBurst', 21, U64), ('streamResetRate', 22, U64)],
    f'{CORE}.Http3ProtocolOptions': [('disallowObsText', 9, BOOL)],
    f'{CORE}.HttpService': [('formatters', 3, EXTENSIONS)],
    f'{CORE}.PathConfigSource': [('pollInterval', 3, DURATION)],
    f'{CORE}.QuicProtocolOptions': [('clientPacketWriter', 10, EXTENSION), ('connectionMigration', 11, f'{CORE}.QuicProtocolOptions.ConnectionMigrationSettings'),
        ('memoryReductionTimeout', 12, DURATION), ('enableScone', 13, BOOL)],
    f'{CORE}.SocketOption': [('ipVersion', 8, f'{CORE}.SocketOption.SocketIpVersion')],
    f'{CORE}.WatchedDirectory': [('watchModify', 2, 'bool')],
    'envoy.config.endpoint.v3.Endpoint': [('observabilityName', 5, 'string')],
    f'{LISTENER}.AdditionalAddress': [('tcpKeepalive', 3, f'{CORE}.TcpKeepalive')],
    f'{LISTENER}.Listener': [('tcpKeepalive', 37, f'{CORE}.TcpKeepalive'), ('perConnectionBufferHighWatermarkTimeout', 38, DURATION), ('statsMatcher', 39, STATS)],
    f'{LISTENER}.Listener.ConnectionBalanceConfig': [('cpuLocalityBalance', 3, f'{LISTENER}.Listener.ConnectionBalanceConfig.CpuLocalityBalance', 'balance_type')],
    'envoy.config.metrics.v3.StatsConfig': [('allowDefaultTagOverrides', 5, BOOL)],
    'envoy.config.metrics.v3.StatsdSink': [('scaleHistogramUnitsToMilliseconds', 4, 'bool')],
    'envoy.config.metrics.v3.DogStatsdSink': [('scaleHistogramUnitsToMilliseconds', 5, 'bool')],
    f'{ROUTE}.RateLimit': [('xRatelimitOption', 7, f'{ROUTE}.RateLimit.XRateLimitOption')],
    f'{ROUTE}.RateLimit.HitsAddend': [('isNegativeHits', 3, 'bool')],
    f'{ROUTE}.RateLimit.Override': [('rateLimit', 2, f'{ROUTE}.RateLimit.Override.RateLimitOverride', 'override_specifier')],
    f'{ROUTE}.RetryPolicy': [('refreshClusterOnRetry', 14, 'bool')],
    f'{ROUTE}.Route': [('routeSpecifiers', 21, EXTENSIONS)],
    f'{ROUTE}.RouteConfiguration': [('routeSpecifiers', 19, EXTENSIONS)],
    f'{ROUTE}.VirtualHost': [('routeSpecifiers', 26, EXTENSIONS)],
    'envoy.config.trace.v3.OpenTelemetryConfig': [('setTelemetrySdkResourceAttributes', 7, BOOL), ('setServiceNameResourceAttribute', 8, BOOL),
        ('setInstrumentationScope', 9, BOOL), ('exporter', 10, EXTENSION)],
    'envoy.config.trace.v3.ZipkinConfig': [('timestampTraceIds', 10, 'bool')],
    'envoy.extensions.clusters.dns.v3.DnsCluster': [('dnsMinRefreshRate', 10, DURATION)],
    'envoy.extensions.clusters.dynamic_forward_proxy.v3.SubClustersConfig': [('dnsClusterConfig', 5, 'envoy.extensions.clusters.dns.v3.DnsCluster')],
    'envoy.extensions.common.dynamic_forward_proxy.v3.DnsCacheConfig': [('resolvedAddressFilter', 16, 'envoy.type.matcher.v3.AddressMatcher')],
    'envoy.extensions.common.ratelimit.v3.RateLimitDescriptor': [('isNegativeHits', 4, 'bool')],
    'envoy.extensions.common.ratelimit.v3.RateLimitDescriptor.RateLimitOverride': [('unitMultiplier', 3, U32)],
    f'{COMPOSITE}.Composite': [('namedFilterChains', 1, f'{{}}{COMPOSITE}.FilterChainConfiguration'), ('matcher', 2, MATCHER)],
    f'{COMPOSITE}.ExecuteFilterAction': [('filterChainName', 5, 'string')],
    f'{HTTP}.compressor.v3.Compressor.CommonDirectionConfig': [('contentTypeMatcher', 4, '[]envoy.type.matcher.v3.StringMatcher')],
    f'{HTTP}.ext_authz.v3.CheckSettings': [('emitClientSpan', 6, BOOL)],
    f'{HTTP}.ip_tagging.v3.IPTagging': [('ipTagsDatasource', 6, f'{CORE}.DataSource')],
    f'{HTTP}.lua.v3.Lua': [('filterContext', 6, 'google.protobuf.Struct'), ('packagePaths', 7, '[]string'), ('packageCpaths', 8, '[]string'), ('sharedVmId', 9, 'string')],
    f'{PROXY}.KeyValuePair': [('valueStringEncoding', 3, f'{PROXY}.KeyValuePair.ValueStringEncoding')],
    'envoy.extensions.filters.network.ext_authz.v3.ExtAuthz': [('shadowMode', 12, 'bool')],
    f'{HCM}.HttpConnectionManager.Tracing': [('noContextPropagation', 13, 'bool')],
    'envoy.extensions.filters.network.mongo_proxy.v3.MongoProxy': [('maxBsonDepth', 6, U32)],
    f'{TCP}.TcpProxy': [('proxyProtocolTlvMergePolicy', 23, f'{TCP}.ProxyProtocolTlvMergePolicy'), ('checkDrainClose', 24, BOOL)],
    f'{TCP}.TcpProxy.TcpAccessLogOptions': [('flushAccessLogOnStart', 3, 'bool')],
    f'{TCP}.TcpProxy.TunnelingConfig': [('formatters', 10, EXTENSIONS)],
    'envoy.extensions.load_balancing_policies.client_side_weighted_round_robin.v3.ClientSideWeightedRoundRobin': [('oobReportingConfig', 9, f'{LB_COMMON}.OrcaOobReportingConfig')],
    'envoy.extensions.load_balancing_policies.override_host.v3.OverrideHost': [('selectedHostKey', 2, 'envoy.type.metadata.v3.MetadataKey')],
    'envoy.extensions.matching.common_inputs.network.v3.FilterStateInput': [('field', 2, 'string')],
    'envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig': [('qcacheMaxTtl', 12, U32)],
    f'{TLS}.CertificateValidationContext': [('suppressClientCaList', 18, 'bool')],
    f'{TLS}.SPIFFECertValidatorConfig.TrustDomain': [('workloadTrustDomain', 3, 'string')],
    f'{TLS}.TlsCertificate': [('tlsParams', 9, f'{TLS}.TlsParameters')],
    'envoy.extensions.wasm.v3.VmConfig': [('capabilityRestrictionConfig', 8, 'envoy.extensions.wasm.v3.CapabilityRestrictionConfig')],
    'envoy.type.metadata.v3.MetadataKey.PathSegment': [('index', 2, 'uint32', 'segment')],
    'envoy.type.tracing.v3.CustomTag': [('valueType', 7, 'envoy.type.tracing.v3.CustomTag.ValueType')],
}

NEW = {
    (ROUTE, 'CookieMatcher'): [('name', 1, 'string'), ('stringMatch', 2, 'envoy.type.matcher.v3.StringMatcher'), ('invertMatch', 3, 'bool')],
    (ROUTE, 'RateLimit.Action.RemoteAddressMatch'): [('descriptorValue', 1, 'string'), ('descriptorKey', 2, 'string'),
        ('defaultValue', 3, 'string'), ('addressMatcher', 4, 'envoy.type.matcher.v3.AddressMatcher')],
    (COMPOSITE, 'CompositePerRoute'): [('matcher', 1, MATCHER)],
    (JWT, 'ExtractOnlyWithoutValidation'): [('verificationStatusHeader', 1, 'string')],
    (JWT, 'JwtClaimToHeader.PathSegment'): [('key', 1, 'string')],
    (HCM, 'ForwardProtoConfig'): [('httpsDestinationPorts', 1, '[]uint32'), ('httpDestinationPorts', 2, '[]uint32')],
    (CLUSTER, 'Cluster.QueuingPolicies'): [('pendingRqPolicy', 1, EXTENSION)],
    (CORE, 'QuicProtocolOptions.ConnectionMigrationSettings'): [
        ('migrateIdleConnections', 1, f'{CORE}.QuicProtocolOptions.ConnectionMigrationSettings.MigrateIdleConnectionSettings'),
        ('maxTimeOnNonDefaultNetwork', 2, DURATION)],
    (CORE, 'QuicProtocolOptions.ConnectionMigrationSettings.MigrateIdleConnectionSettings'): [('maxIdleTimeBeforeMigration', 1, DURATION)],
    (LISTENER, 'Listener.ConnectionBalanceConfig.CpuLocalityBalance'): [],
    (ROUTE, 'RateLimit.Override.RateLimitOverride'): [('requestsPerUnit', 1, 'uint32'), ('unit', 2, 'envoy.type.v3.RateLimitUnit')],
    (LB_COMMON, 'OrcaOobReportingConfig'): [('portValue', 1, 'uint32'), ('authority', 2, 'string'), ('transportSocketMatchCriteria', 3, 'google.protobuf.Struct')],
}

ENUMS = {
    ('envoy.type.v3', 'RateLimitUnit'): {'UNKNOWN': 0, 'SECOND': 1, 'MINUTE': 2, 'HOUR': 3, 'DAY': 4, 'MONTH': 5, 'YEAR': 6},
    (CORE, 'SocketOption.SocketIpVersion'): {'SOCKET_IP_VERSION_UNSPECIFIED': 0, 'SOCKET_IP_VERSION_IPV4': 1, 'SOCKET_IP_VERSION_IPV6': 2},
    (ROUTE, 'RateLimit.XRateLimitOption'): {'UNSPECIFIED': 0, 'OFF': 1, 'DRAFT_VERSION_03': 2},
    (TCP, 'ProxyProtocolTlvMergePolicy'): {'ADD_IF_ABSENT': 0, 'OVERWRITE_BY_TYPE_IF_EXISTS_OR_ADD': 1, 'APPEND_IF_EXISTS_OR_ADD': 2},
    ('envoy.type.tracing.v3', 'CustomTag.ValueType'): {'UNSPECIFIED': 0, 'STRING': 1, 'INT': 2, 'DOUBLE': 3, 'BOOL': 4},
    (PROXY_PACKAGE, 'ProxyProtocol.KeyValuePair.ValueStringEncoding'): {'UNSPECIFIED': 0, 'SANITIZED_UTF8': 1, 'BASE64': 2},
    (HCM, 'HttpConnectionManager.ForwardClientCertFormat'): {'TEXT': 0, 'JSON': 1},
}

VALUES = {
    f'{CLUSTER}.UpstreamConnectionOptions.FirstAddressFamilyVersion': {'PIPE': 3, 'INTERNAL': 4},
    f'{ROUTE}.RateLimit.Action.MetaData.Source': {'CLUSTER_ENTRY': 2, 'CLUSTER_LOCALITY_ENTRY': 3},
    'envoy.data.accesslog.v3.AccessLogType': {'TcpConnectionStart': 14},
    f'{TLS}.TlsParameters.CompliancePolicy': {'CNSA2_202603': 1, 'CNSA1_202603': 2},
}
