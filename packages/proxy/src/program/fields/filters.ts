import { NOT_SUPPORTED, type FieldTable } from './table.ts';

const JWT = 'envoy.extensions.filters.http.jwt_authn.v3';
const FAULT = 'envoy.extensions.filters.http.fault.v3';
const ACCESS = 'envoy.config.accesslog.v3';
const GRPC_LOG = 'envoy.extensions.access_loggers.grpc.v3';
const OTLP = 'opentelemetry.proto.common.v1';
const TRACING = 'envoy.type.tracing.v3';

/** HTTP filters, authorization rules and access logs. */
export const filterFields: FieldTable = {
  'envoy.extensions.filters.http.router.v3.Router': {
    implemented: `suppressEnvoyHeaders respectExpectedRqTimeout strictCheckHeaders upstreamLog upstreamLogOptions
      startChildSpan dynamicStats suppressGrpcRequestFailureCodeStats`,
    refused: { [NOT_SUPPORTED]: 'upstreamHttpFilters rejectConnectRequestEarlyData' },
  },
  'envoy.extensions.filters.http.router.v3.Router.UpstreamAccessLogOptions': {
    implemented: 'flushUpstreamLogOnUpstreamStream upstreamLogFlushInterval',
  },

  'envoy.extensions.filters.http.rbac.v3.RBAC': {
    implemented: 'rules rulesStatPrefix shadowRules shadowRulesStatPrefix trackPerRuleStats matcher shadowMatcher',
  },
  'envoy.extensions.filters.http.rbac.v3.RBACPerRoute': { implemented: 'rbac' },
  'envoy.config.rbac.v3.RBAC': {
    implemented: 'action policies',
    noEffect: { 'decisions are in metrics and metadata': 'auditLoggingOptions' },
  },
  'envoy.config.rbac.v3.Action': { implemented: 'name action' },
  'envoy.config.rbac.v3.Policy': {
    implemented: 'permissions principals condition celConfig',
    noEffect: { 'Envoy looks at `condition` only': 'checkedCondition' },
  },
  'envoy.config.rbac.v3.Permission': {
    implemented: `andRules orRules any header urlPath destinationIp destinationPort destinationPortRange metadata notRule
      requestedServerName uriTemplate sourcedMetadata`,
    refused: { [NOT_SUPPORTED]: 'matcher' },
  },
  'envoy.config.rbac.v3.Permission.Set': { implemented: 'rules' },
  'envoy.config.rbac.v3.Principal': {
    implemented: `andIds orIds any authenticated sourceIp directRemoteIp remoteIp header urlPath metadata filterState
      notId sourcedMetadata custom`,
  },
  'envoy.extensions.rbac.principals.mtls_authenticated.v3.Config': {
    implemented: 'sanMatcher anyValidatedClientCertificate',
  },
  'envoy.config.rbac.v3.Principal.Set': { implemented: 'ids' },
  'envoy.config.rbac.v3.Principal.Authenticated': { implemented: 'principalName' },
  'envoy.config.rbac.v3.SourcedMetadata': { implemented: 'metadataMatcher metadataSource' },

  [`${JWT}.JwtAuthentication`]: {
    implemented: 'providers rules bypassCorsPreflight requirementMap stripFailureResponse statPrefix filterStateRules',
  },
  [`${JWT}.JwtProvider`]: {
    implemented: `issuer audiences subjects requireExpiration maxLifetime remoteJwks localJwks forward fromHeaders
      fromParams fromCookies forwardPayloadHeader padForwardPayloadHeader payloadInMetadata headerInMetadata
      normalizePayloadInMetadata failedStatusInMetadata clockSkewSeconds claimToHeaders clearRouteCache
      jwtCacheConfig`,
  },
  [`${JWT}.JwtProvider.NormalizePayload`]: { implemented: 'spaceDelimitedClaims' },
  [`${JWT}.JwtHeader`]: { implemented: 'name valuePrefix' },
  [`${JWT}.JwtClaimToHeader`]: { implemented: 'headerName claimName claimPath' },
  [`${JWT}.JwtClaimToHeader.PathSegment`]: { implemented: 'key' },
  [`${JWT}.JwtCacheConfig`]: { implemented: 'jwtCacheSize jwtMaxTokenSize' },
  [`${JWT}.ExtractOnlyWithoutValidation`]: { implemented: 'verificationStatusHeader' },
  [`${JWT}.RemoteJwks`]: { implemented: 'httpUri cacheDuration asyncFetch retryPolicy' },
  [`${JWT}.JwksAsyncFetch`]: {
    implemented: 'failedRefetchDuration',
    noEffect: { 'listeners never wait for keys': 'fastListener' },
  },
  [`${JWT}.RequirementRule`]: { implemented: 'match requires requirementName' },
  [`${JWT}.JwtRequirement`]: {
    implemented: `providerName providerAndAudiences requiresAny requiresAll allowMissingOrFailed allowMissing
      extractOnlyWithoutValidation`,
  },
  [`${JWT}.JwtRequirementOrList`]: { implemented: 'requirements' },
  [`${JWT}.JwtRequirementAndList`]: { implemented: 'requirements' },
  [`${JWT}.ProviderWithAudiences`]: { implemented: 'providerName audiences' },
  [`${JWT}.FilterStateRule`]: { implemented: 'name requires' },
  [`${JWT}.PerRouteConfig`]: { implemented: 'disabled requirementName' },

  [`${FAULT}.HTTPFault`]: {
    implemented: `responseRateLimit responseRateLimitPercentRuntime filterMetadata delay abort upstreamCluster headers maxActiveFaults downstreamNodes delayPercentRuntime
      abortPercentRuntime delayDurationRuntime abortHttpStatusRuntime maxActiveFaultsRuntime abortGrpcStatusRuntime
      disableDownstreamClusterStats`,
  },
  [`${FAULT}.FaultAbort`]: { implemented: 'httpStatus grpcStatus headerAbort percentage responseBody' },
  [`${FAULT}.FaultAbort.HeaderAbort`]: {},
  'envoy.extensions.filters.common.fault.v3.FaultDelay': { implemented: 'fixedDelay headerDelay percentage' },
  'envoy.extensions.filters.common.fault.v3.FaultDelay.HeaderDelay': {},
  'envoy.extensions.filters.common.fault.v3.FaultRateLimit': { implemented: 'fixedLimit headerLimit percentage' },
  'envoy.extensions.filters.common.fault.v3.FaultRateLimit.FixedLimit': { implemented: 'limitKbps' },
  'envoy.extensions.filters.common.fault.v3.FaultRateLimit.HeaderLimit': {},
  'envoy.extensions.filters.http.health_check.v3.HealthCheck': {
    implemented: 'passThroughMode cacheTime clusterMinHealthyPercentages headers',
  },

  'istio.envoy.config.filter.http.alpn.v2alpha1.FilterConfig': { implemented: 'alpnOverride' },
  'istio.envoy.config.filter.http.alpn.v2alpha1.FilterConfig.AlpnOverride': {
    implemented: 'upstreamProtocol alpnOverride',
  },
  'envoy.extensions.filters.http.buffer.v3.Buffer': { implemented: 'maxRequestBytes' },
  'envoy.extensions.filters.http.buffer.v3.BufferPerRoute': { implemented: 'disabled buffer' },
  'envoy.extensions.filters.http.cors.v3.Cors': {},
  'envoy.extensions.filters.http.cors.v3.CorsPolicy': {
    implemented: `allowOriginStringMatch allowMethods allowHeaders exposeHeaders maxAge allowCredentials filterEnabled
      shadowEnabled allowPrivateNetworkAccess forwardNotMatchingPreflights`,
  },
  'envoy.extensions.filters.http.grpc_stats.v3.FilterConfig': {
    implemented: `emitFilterState enableUpstreamStats individualMethodStatsAllowlist replaceDotsInGrpcServiceName
      statsForAllMethods`,
  },
  'envoy.config.core.v3.GrpcMethodList': { implemented: 'services' },
  'envoy.config.core.v3.GrpcMethodList.Service': { implemented: 'name methodNames' },
  'envoy.extensions.filters.http.header_mutation.v3.HeaderMutation': {
    implemented: 'mutations mostSpecificHeaderMutationsWins',
  },
  'envoy.extensions.filters.http.header_mutation.v3.HeaderMutationPerRoute': { implemented: 'mutations' },
  'envoy.extensions.filters.http.header_mutation.v3.Mutations': {
    implemented: `requestMutations responseMutations queryParameterMutations requestTrailersMutations
      responseTrailersMutations formatters`,
  },
  'envoy.extensions.filters.http.admission_control.v3.AdmissionControl': {
    implemented: 'enabled successCriteria samplingWindow aggression srThreshold rpsThreshold maxRejectionProbability',
  },
  'envoy.extensions.filters.http.admission_control.v3.AdmissionControl.SuccessCriteria': {
    implemented: 'httpCriteria grpcCriteria',
  },
  'envoy.extensions.filters.http.admission_control.v3.AdmissionControl.SuccessCriteria.HttpCriteria': {
    implemented: 'httpSuccessStatus',
  },
  'envoy.extensions.filters.http.admission_control.v3.AdmissionControl.SuccessCriteria.GrpcCriteria': {
    implemented: 'grpcSuccessStatus',
  },
  'envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit': {
    implemented: `statPrefix status tokenBucket filterEnabled filterEnforced requestHeadersToAddWhenNotEnforced
      responseHeadersToAdd enableXRatelimitHeaders localRateLimitPerDownstreamConnection descriptors
      alwaysConsumeDefaultTokenBucket rateLimitedAsResourceExhausted rateLimits maxDynamicDescriptors stage vhRateLimits enableRetryAfterHeader`,
    refused: { 'the proxies of a cluster do not know of each other': 'localClusterRateLimit' },
  },
  'envoy.extensions.common.ratelimit.v3.LocalRateLimitDescriptor': { implemented: 'entries tokenBucket shadowMode' },
  'envoy.extensions.common.ratelimit.v3.RateLimitDescriptor.Entry': { implemented: 'key value' },
  'envoy.extensions.filters.http.dynamic_forward_proxy.v3.FilterConfig': {
    implemented: 'dnsCacheConfig allowDynamicHostFromFilterState',
    refused: { [NOT_SUPPORTED]: 'subClusterConfig saveUpstreamAddress' },
  },

  [`${ACCESS}.AccessLog`]: { implemented: 'name filter typedConfig' },
  [`${ACCESS}.AccessLogFilter`]: {
    implemented: `statusCodeFilter durationFilter notHealthCheckFilter traceableFilter runtimeFilter andFilter orFilter
      headerFilter responseFlagFilter grpcStatusFilter metadataFilter logTypeFilter extensionFilter`,
  },
  [`${ACCESS}.AndFilter`]: { implemented: 'filters' },
  [`${ACCESS}.OrFilter`]: { implemented: 'filters' },
  [`${ACCESS}.StatusCodeFilter`]: { implemented: 'comparison' },
  [`${ACCESS}.DurationFilter`]: { implemented: 'comparison' },
  [`${ACCESS}.ComparisonFilter`]: { implemented: 'op value' },
  [`${ACCESS}.NotHealthCheckFilter`]: {},
  [`${ACCESS}.TraceableFilter`]: {},
  [`${ACCESS}.RuntimeFilter`]: {
    implemented: 'percentSampled runtimeKey useIndependentRandomness',
  },
  [`${ACCESS}.HeaderFilter`]: { implemented: 'header' },
  [`${ACCESS}.ResponseFlagFilter`]: { implemented: 'flags' },
  [`${ACCESS}.GrpcStatusFilter`]: { implemented: 'statuses exclude' },
  [`${ACCESS}.MetadataFilter`]: { implemented: 'matcher matchIfKeyNotFound' },
  [`${ACCESS}.LogTypeFilter`]: { implemented: 'types exclude' },
  'envoy.extensions.access_loggers.file.v3.FileAccessLog': {
    implemented: 'path format jsonFormat typedJsonFormat logFormat',
  },
  [`${GRPC_LOG}.HttpGrpcAccessLogConfig`]: {
    implemented:
      'commonConfig additionalRequestHeadersToLog additionalResponseHeadersToLog additionalResponseTrailersToLog',
  },
  [`${GRPC_LOG}.TcpGrpcAccessLogConfig`]: { implemented: 'commonConfig' },
  'envoy.extensions.access_loggers.open_telemetry.v3.OpenTelemetryAccessLogConfig': {
    implemented: `commonConfig grpcService httpService logName bufferFlushInterval bufferSizeBytes body attributes
      resourceAttributes resourceDetectors disableBuiltinLabels statPrefix formatters filterStateObjectsToLog customTags`,
  },
  [`${OTLP}.KeyValueList`]: { implemented: 'values' },
  [`${OTLP}.KeyValue`]: { implemented: 'key value' },
  [`${OTLP}.AnyValue`]: {
    implemented: 'stringValue kvlistValue arrayValue intValue boolValue doubleValue bytesValue',
  },
  [`${OTLP}.ArrayValue`]: { implemented: 'values' },
  [`${GRPC_LOG}.CommonGrpcAccessLogConfig`]: {
    implemented:
      'logName grpcService transportApiVersion bufferFlushInterval bufferSizeBytes filterStateObjectsToLog customTags',
    values: { transportApiVersion: { V2: 'services speak version 3' } },
    refused: { 'streams of log entries are not tried again': 'grpcStreamRetryPolicy' },
  },
  [`${TRACING}.CustomTag`]: {
    implemented: 'tag literal environment requestHeader metadata value',
    refused: { [NOT_SUPPORTED]: 'valueType' },
  },
  [`${TRACING}.CustomTag.Literal`]: { implemented: 'value' },
  [`${TRACING}.CustomTag.Environment`]: { implemented: 'name defaultValue' },
  [`${TRACING}.CustomTag.Header`]: { implemented: 'name defaultValue' },
  [`${TRACING}.CustomTag.Metadata`]: { implemented: 'kind metadataKey defaultValue' },
  'envoy.type.metadata.v3.MetadataKind': { implemented: 'request route cluster host' },
  'envoy.type.metadata.v3.MetadataKind.Request': {},
  'envoy.type.metadata.v3.MetadataKind.Route': {},
  'envoy.type.metadata.v3.MetadataKind.Cluster': {},
  'envoy.type.metadata.v3.MetadataKind.Host': {},
  'envoy.extensions.access_loggers.stream.v3.StdoutAccessLog': { implemented: 'logFormat' },
  'envoy.extensions.access_loggers.stream.v3.StderrAccessLog': { implemented: 'logFormat' },
};
