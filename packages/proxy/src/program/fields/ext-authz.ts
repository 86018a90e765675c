import { NOT_SUPPORTED, type FieldTable } from './table.ts';

const HTTP = 'envoy.extensions.filters.http.ext_authz.v3';

/** External authorization. */
export const extAuthzFields: FieldTable = {
  [`${HTTP}.ExtAuthz`]: {
    implemented: `grpcService httpService transportApiVersion failureModeAllow failureModeAllowHeaderAdd withRequestBody
      clearRouteCache statusOnError validateMutations metadataContextNamespaces routeMetadataContextNamespaces
      filterEnabled filterEnabledMetadata denyAtDisable includePeerCertificate statPrefix allowedHeaders
      disallowedHeaders includeTlsSession chargeClusterResponseStats encodeRawHeaders decoderHeaderMutationRules
      enableDynamicMetadataIngestion maxDeniedResponseBodyBytes shadowMode clearRouteCacheHeaders`,
    refused: {
      'there is no typed metadata': 'typedMetadataContextNamespaces routeTypedMetadataContextNamespaces',
      [NOT_SUPPORTED]: `bootstrapMetadataLabelsKey filterMetadata emitFilterStateStats enforceResponseHeaderLimits
        emitClientSpan`,
    },
  },
  [`${HTTP}.BufferSettings`]: { implemented: 'maxRequestBytes allowPartialMessage packAsBytes' },
  [`${HTTP}.HttpService`]: {
    implemented: 'serverUri pathPrefix pathOverride authorizationRequest authorizationResponse retryPolicy',
  },
  [`${HTTP}.AuthorizationRequest`]: { implemented: 'allowedHeaders headersToAdd' },
  [`${HTTP}.AuthorizationResponse`]: {
    implemented: `allowedUpstreamHeaders allowedUpstreamHeadersToAppend allowedClientHeaders
      allowedClientHeadersOnSuccess dynamicMetadataFromHeaders`,
  },
  [`${HTTP}.ExtAuthzPerRoute`]: { implemented: 'disabled checkSettings' },
  [`${HTTP}.CheckSettings`]: {
    implemented: 'contextExtensions disableRequestBodyBuffering withRequestBody grpcService httpService',
    refused: { [NOT_SUPPORTED]: 'emitClientSpan' },
  },
  'envoy.extensions.filters.network.ext_authz.v3.ExtAuthz': {
    implemented: `statPrefix grpcService failureModeAllow includePeerCertificate transportApiVersion
      filterEnabledMetadata includeTlsSession metadataContextNamespaces`,
    refused: {
      'there is no typed metadata': 'typedMetadataContextNamespaces',
      [NOT_SUPPORTED]: 'bootstrapMetadataLabelsKey sendTlsAlertOnDenial shadowMode',
    },
    values: { transportApiVersion: { V2: 'services speak version 3' } },
  },
  'envoy.config.common.mutation_rules.v3.HeaderMutationRules': {
    implemented: `allowAllRouting allowEnvoy disallowSystem disallowAll allowExpression disallowExpression
      disallowIsError`,
  },
};
