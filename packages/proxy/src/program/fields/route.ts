import { NOT_SUPPORTED, type FieldTable } from './table.ts';

const SPECIFIER = 'envoy.extensions.router.cluster_specifiers.matcher.v3';
const REDIRECT = 'envoy.extensions.internal_redirect';

/** envoy.config.route.v3 */
export const routeFields: FieldTable = {
  'envoy.config.route.v3.RouteConfiguration': {
    implemented: `name virtualHosts internalOnlyHeaders responseHeadersToAdd responseHeadersToRemove requestHeadersToAdd
      requestHeadersToRemove mostSpecificHeaderMutationsWins requestMirrorPolicies ignorePortInHostMatching
      ignorePathParametersInPathMatching typedPerFilterConfig vhostHeader maxDirectResponseBodySizeBytes
      validateClusters clusterSpecifierPlugins`,
    noEffect: {
      'read by nobody here': 'metadata',
    },
    refused: { [NOT_SUPPORTED]: 'vhds routeSpecifiers' },
  },
  'envoy.config.route.v3.VirtualHost': {
    implemented: `name domains routes requireTls requestHeadersToAdd requestHeadersToRemove responseHeadersToAdd
      responseHeadersToRemove cors typedPerFilterConfig includeRequestAttemptCount includeAttemptCountInResponse
      retryPolicy requestMirrorPolicies includeIsTimeoutRetryHeader rateLimits
      perRequestBufferLimitBytes requestBodyBufferLimit metadata virtualClusters hedgePolicy
      matcher`,
    refused: {
      'Envoy has no such policy either': 'retryPolicyTypedConfig',
      [NOT_SUPPORTED]: 'routeSpecifiers',
    },
  },
  'envoy.config.route.v3.HedgePolicy': {
    implemented: 'hedgeOnPerTryTimeout initialRequests',
    noEffect: { 'Envoy does not read it either': 'additionalRequestChance' },
  },
  'envoy.config.route.v3.RouteList': { implemented: 'routes' },
  'envoy.config.route.v3.VirtualCluster': { implemented: 'headers name' },
  'envoy.config.route.v3.Route': {
    implemented: `name decorator tracing statPrefix match route redirect directResponse metadata typedPerFilterConfig requestHeadersToAdd
      requestHeadersToRemove responseHeadersToAdd responseHeadersToRemove perRequestBufferLimitBytes requestBodyBufferLimit
      filterAction nonForwardingAction`,
    refused: { [NOT_SUPPORTED]: 'routeSpecifiers' },
  },
  'envoy.config.route.v3.ClusterSpecifierPlugin': {
    implemented: 'extension',
    noEffect: { 'types that are not known are refused all the same': 'isOptional' },
  },
  [`${SPECIFIER}.MatcherClusterSpecifier`]: { implemented: 'clusterMatcher' },
  [`${SPECIFIER}.ClusterAction`]: { implemented: 'cluster' },
  'envoy.config.route.v3.NonForwardingAction': {},
  'envoy.config.route.v3.FilterAction': { noEffect: { 'Envoy does not read it either': 'action' } },
  'envoy.config.route.v3.RouteMatch': {
    implemented: `prefix path safeRegex connectMatcher pathSeparatedPrefix pathMatchPolicy caseSensitive runtimeFraction
      headers queryParameters grpc tlsContext dynamicMetadata filterState cookies`,
  },
  'envoy.config.route.v3.RouteMatch.ConnectMatcher': {},
  'envoy.config.route.v3.RouteMatch.GrpcRouteMatchOptions': {},
  'envoy.config.route.v3.RouteMatch.TlsContextMatchOptions': { implemented: 'presented validated' },
  'envoy.config.route.v3.HeaderMatcher': {
    implemented: `name exactMatch safeRegexMatch rangeMatch presentMatch prefixMatch suffixMatch containsMatch
      stringMatch invertMatch treatMissingHeaderAsEmpty`,
  },
  'envoy.config.route.v3.CookieMatcher': { implemented: 'name stringMatch invertMatch' },
  'envoy.config.route.v3.QueryParameterMatcher': { implemented: 'name stringMatch presentMatch' },
  'envoy.config.route.v3.RouteAction': {
    implemented: `cluster clusterHeader weightedClusters clusterNotFoundResponseCode metadataMatch prefixRewrite
      regexRewrite pathRewritePolicy hostRewriteLiteral autoHostRewrite hostRewriteHeader hostRewritePathRegex
      appendXForwardedHost timeout idleTimeout retryPolicy requestMirrorPolicies priority cors hashPolicy maxGrpcTimeout
      grpcTimeoutOffset upgradeConfigs internalRedirectPolicy maxStreamDuration rateLimits includeVhRateLimits pathRewrite hostRewrite
      hedgePolicy clusterSpecifierPlugin inlineClusterSpecifierPlugin internalRedirectAction maxInternalRedirects`,
    noEffect: {
      'early data is never accepted': 'earlyDataPolicy',
      'HTTP/1.1 has no streams that wait to be flushed': 'flushTimeout',
    },
    refused: { 'Envoy has no such policy either': 'retryPolicyTypedConfig' },
  },
  'envoy.config.route.v3.InternalRedirectPolicy': {
    implemented: `maxInternalRedirects redirectResponseCodes predicates allowCrossSchemeRedirect responseHeadersToCopy`,
  },
  [`${REDIRECT}.allow_listed_routes.v3.AllowListedRoutesConfig`]: { implemented: 'allowedRouteNames' },
  [`${REDIRECT}.previous_routes.v3.PreviousRoutesConfig`]: {},
  [`${REDIRECT}.safe_cross_scheme.v3.SafeCrossSchemeConfig`]: {},
  'envoy.config.route.v3.RouteAction.MaxStreamDuration': {
    implemented: 'maxStreamDuration grpcTimeoutHeaderMax grpcTimeoutHeaderOffset',
  },
  'envoy.config.route.v3.RouteAction.RequestMirrorPolicy': {
    implemented: `cluster clusterHeader runtimeFraction disableShadowHostSuffixAppend requestHeadersMutations
      hostRewriteLiteral traceSampled`,
  },
  'envoy.config.route.v3.RouteAction.UpgradeConfig': { implemented: 'upgradeType enabled connectConfig' },
  'envoy.config.route.v3.RouteAction.UpgradeConfig.ConnectConfig': {
    implemented: 'proxyProtocolConfig allowPost',
  },
  'envoy.config.route.v3.RouteAction.HashPolicy': {
    implemented: 'header cookie connectionProperties queryParameter filterState terminal',
  },
  'envoy.config.route.v3.RouteAction.HashPolicy.Header': { implemented: 'headerName regexRewrite' },
  'envoy.config.route.v3.RouteAction.HashPolicy.Cookie': { implemented: 'name ttl path attributes' },
  'envoy.config.route.v3.RouteAction.HashPolicy.CookieAttribute': { implemented: 'name value' },
  'envoy.config.route.v3.RouteAction.HashPolicy.ConnectionProperties': { implemented: 'sourceIp' },
  'envoy.config.route.v3.RouteAction.HashPolicy.QueryParameter': { implemented: 'name' },
  'envoy.config.route.v3.RouteAction.HashPolicy.FilterState': { implemented: 'key' },
  'envoy.config.route.v3.WeightedCluster': {
    implemented: 'clusters headerName runtimeKeyPrefix useHashPolicy',
    noEffect: { 'the weights add up to what they add up to': 'totalWeight' },
  },
  'envoy.config.route.v3.WeightedCluster.ClusterWeight': {
    implemented: `name clusterHeader weight metadataMatch requestHeadersToAdd requestHeadersToRemove responseHeadersToAdd
      responseHeadersToRemove typedPerFilterConfig hostRewriteLiteral`,
  },
  'envoy.config.route.v3.RedirectAction': {
    implemented: `httpsRedirect schemeRedirect hostRedirect portRedirect pathRedirect prefixRewrite regexRewrite
      responseCode stripQuery pathRewrite`,
  },
  'envoy.config.route.v3.DirectResponseAction': {
    implemented: 'status body bodyFormat',
  },
  'envoy.config.route.v3.RetryPolicy': {
    implemented: `retryOn numRetries perTryTimeout perTryIdleTimeout retryHostPredicate hostSelectionRetryMaxAttempts
      retriableStatusCodes retryBackOff retriableHeaders retriableRequestHeaders rateLimitedRetryBackOff
      retryPriority`,
    refused: {
      'Envoy has no such predicate either': 'retryOptionsPredicates',
      [NOT_SUPPORTED]: 'refreshClusterOnRetry',
    },
  },
  'envoy.config.route.v3.RetryPolicy.RetryPriority': { implemented: 'name typedConfig' },
  'envoy.extensions.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig': { implemented: 'updateFrequency' },
  'envoy.extensions.retry.host.omit_host_metadata.v3.OmitHostMetadataConfig': { implemented: 'metadataMatch' },
  'envoy.config.route.v3.RetryPolicy.RateLimitedRetryBackOff': { implemented: 'resetHeaders maxInterval' },
  'envoy.config.route.v3.RetryPolicy.ResetHeader': { implemented: 'name format' },
  'envoy.config.route.v3.RetryPolicy.RetryHostPredicate': { implemented: 'name typedConfig' },
  'envoy.config.route.v3.RetryPolicy.RetryBackOff': { implemented: 'baseInterval maxInterval' },
  'envoy.config.route.v3.CorsPolicy': {
    implemented: `allowOriginStringMatch allowMethods allowHeaders exposeHeaders maxAge allowCredentials filterEnabled
      shadowEnabled allowPrivateNetworkAccess forwardNotMatchingPreflights`,
  },
};
