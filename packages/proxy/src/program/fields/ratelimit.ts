import type { FieldTable } from './table.ts';

const HTTP = 'envoy.extensions.filters.http.ratelimit.v3';
const ROUTE = 'envoy.config.route.v3.RateLimit';

/** Global rate limits: the filter, and what routes are counted as. */
export const rateLimitFields: FieldTable = {
  [`${HTTP}.RateLimit`]: {
    implemented: `domain stage requestType timeout failureModeDeny failureModeDenyPercent rateLimitedAsResourceExhausted
      rateLimitService enableXRatelimitHeaders disableXEnvoyRatelimitedHeader rateLimitedStatus responseHeadersToAdd
      statusOnError statPrefix filterEnabled filterEnforced rateLimits`,
  },
  [`${HTTP}.RateLimitPerRoute`]: {
    implemented: 'vhRateLimits rateLimits domain',
    noEffect: { 'Envoy does not read it either': 'overrideOption' },
  },
  'envoy.extensions.filters.network.ratelimit.v3.RateLimit': {
    implemented: 'statPrefix domain descriptors timeout failureModeDeny rateLimitService',
  },
  'envoy.extensions.common.ratelimit.v3.RateLimitDescriptor': {
    implemented: 'entries',
    noEffect: { 'Envoy does not send them for connections either': 'limit hitsAddend' },
  },
  'envoy.config.ratelimit.v3.RateLimitServiceConfig': {
    implemented: 'grpcService transportApiVersion',
    values: { transportApiVersion: { V2: 'services speak version 3' } },
  },
  [ROUTE]: {
    implemented: 'stage actions limit hitsAddend disableKey applyOnStreamDone',
  },
  [`${ROUTE}.Action`]: {
    implemented: `sourceCluster destinationCluster requestHeaders queryParameters remoteAddress genericKey
      headerValueMatch dynamicMetadata metadata maskedRemoteAddress queryParameterValueMatch
      extension`,
  },
  'envoy.extensions.rate_limit_descriptors.expr.v3.Descriptor': {
    implemented: 'descriptorKey skipIfError text parsed',
  },
  [`${ROUTE}.Action.SourceCluster`]: {},
  [`${ROUTE}.Action.DestinationCluster`]: {},
  [`${ROUTE}.Action.RemoteAddress`]: {},
  [`${ROUTE}.Action.RequestHeaders`]: { implemented: 'headerName descriptorKey skipIfAbsent' },
  [`${ROUTE}.Action.QueryParameters`]: { implemented: 'queryParameterName descriptorKey skipIfAbsent' },
  [`${ROUTE}.Action.MaskedRemoteAddress`]: { implemented: 'v4PrefixMaskLen v6PrefixMaskLen' },
  [`${ROUTE}.Action.GenericKey`]: { implemented: 'descriptorValue descriptorKey' },
  [`${ROUTE}.Action.HeaderValueMatch`]: { implemented: 'descriptorKey descriptorValue expectMatch headers' },
  [`${ROUTE}.Action.QueryParameterValueMatch`]: {
    implemented: 'descriptorKey descriptorValue expectMatch queryParameters',
  },
  [`${ROUTE}.Action.DynamicMetaData`]: { implemented: 'descriptorKey metadataKey defaultValue' },
  [`${ROUTE}.Action.MetaData`]: { implemented: 'descriptorKey metadataKey defaultValue source skipIfAbsent' },
  [`${ROUTE}.Override`]: { implemented: 'dynamicMetadata' },
  [`${ROUTE}.Override.DynamicMetadata`]: { implemented: 'metadataKey' },
  [`${ROUTE}.HitsAddend`]: { implemented: 'number format' },
};
