import { NOT_SUPPORTED, type FieldTable } from './table.ts';

const HTTP = 'envoy.extensions.filters.http.ratelimit.v3';
const ROUTE = 'envoy.config.route.v3.RateLimit';

/** Values are no formats in Envoy either, unless a runtime feature says so: what they would be instead is not asked for. */
const UNREAD_DEFAULT = { 'values are taken as they are written, as in Envoy': 'defaultValue' };

/** Global rate limits: the filter, and what routes are counted as. */
export const rateLimitFields: FieldTable = {
  [`${HTTP}.RateLimit`]: {
    implemented: `domain stage requestType timeout failureModeDeny failureModeDenyPercent rateLimitedAsResourceExhausted
      rateLimitService enableXRatelimitHeaders disableXEnvoyRatelimitedHeader rateLimitedStatus responseHeadersToAdd
      statusOnError statPrefix filterEnabled filterEnforced rateLimits metadataNamespace enableRetryAfterHeader`,
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
    refused: { [NOT_SUPPORTED]: 'isNegativeHits' },
  },
  'envoy.config.ratelimit.v3.RateLimitServiceConfig': {
    implemented: 'grpcService transportApiVersion',
    values: { transportApiVersion: { V2: 'services speak version 3' } },
  },
  [ROUTE]: {
    implemented: 'stage actions limit hitsAddend disableKey applyOnStreamDone xRatelimitOption',
  },
  [`${ROUTE}.Action`]: {
    implemented: `sourceCluster destinationCluster requestHeaders queryParameters remoteAddress genericKey
      headerValueMatch metadata maskedRemoteAddress queryParameterValueMatch
      extension remoteAddressMatch`,
    refused: { 'Envoy takes it no more: `metadata` does the same': 'dynamicMetadata' },
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
  [`${ROUTE}.Action.RemoteAddressMatch`]: {
    implemented: 'descriptorValue descriptorKey defaultValue addressMatcher',
  },
  [`${ROUTE}.Action.GenericKey`]: {
    implemented: 'descriptorValue descriptorKey',
    noEffect: UNREAD_DEFAULT,
  },
  [`${ROUTE}.Action.HeaderValueMatch`]: {
    implemented: 'descriptorKey descriptorValue expectMatch headers',
    noEffect: UNREAD_DEFAULT,
  },
  [`${ROUTE}.Action.QueryParameterValueMatch`]: {
    implemented: 'descriptorKey descriptorValue expectMatch queryParameters',
    noEffect: UNREAD_DEFAULT,
  },
  [`${ROUTE}.Action.DynamicMetaData`]: { implemented: 'descriptorKey metadataKey defaultValue' },
  [`${ROUTE}.Action.MetaData`]: {
    implemented: 'descriptorKey metadataKey defaultValue source skipIfAbsent',
    values: { source: { CLUSTER_ENTRY: NOT_SUPPORTED, CLUSTER_LOCALITY_ENTRY: NOT_SUPPORTED } },
  },
  [`${ROUTE}.Override`]: { implemented: 'dynamicMetadata rateLimit' },
  [`${ROUTE}.Override.RateLimitOverride`]: { implemented: 'requestsPerUnit unit' },
  [`${ROUTE}.Override.DynamicMetadata`]: { implemented: 'metadataKey' },
  [`${ROUTE}.HitsAddend`]: { implemented: 'number format isNegativeHits' },
};
