import { NOT_SUPPORTED, type FieldTable } from './table.ts';

const COMPRESSOR = 'envoy.extensions.filters.http.compressor.v3';
const DECOMPRESSOR = 'envoy.extensions.filters.http.decompressor.v3';
const COMPRESSION = 'envoy.extensions.compression';
const CHUNK = 'buffers are as large as they need to be';
const TO_METADATA = 'envoy.extensions.filters.http.header_to_metadata.v3';
const JSON_TO_METADATA = 'envoy.extensions.filters.http.json_to_metadata.v3.JsonToMetadata';
const TAGGING = 'envoy.extensions.filters.http.ip_tagging.v3';
const SESSION = 'envoy.extensions.filters.http.stateful_session.v3';
const SESSION_STATE = 'envoy.extensions.http.stateful_session';
const API_KEY = 'envoy.extensions.filters.http.api_key_auth.v3';

/** Filters of edges: who may come in, how bodies are compressed, and what needs no upstream. */
export const webFilterFields: FieldTable = {
  'envoy.config.route.v3.FilterConfig': {
    implemented: 'config disabled isOptional',
  },
  'envoy.extensions.filters.http.dynamic_forward_proxy.v3.PerRouteConfig': {
    implemented: 'hostRewriteLiteral hostRewriteHeader',
  },
  [`${COMPRESSOR}.Compressor`]: {
    implemented: `compressorLibrary responseDirectionConfig contentLength contentType disableOnEtagHeader
      removeAcceptEncodingHeader runtimeEnabled chooseFirst requestDirectionConfig`,
  },
  [`${COMPRESSOR}.Compressor.ResponseDirectionConfig`]: {
    implemented: `commonConfig disableOnEtagHeader removeAcceptEncodingHeader uncompressibleResponseCodes
      statusHeaderEnabled weakenEtagOnCompress`,
  },
  [`${COMPRESSOR}.Compressor.RequestDirectionConfig`]: { implemented: 'commonConfig' },
  [`${COMPRESSOR}.Compressor.CommonDirectionConfig`]: {
    implemented: 'enabled minContentLength contentType contentTypeMatcher',
  },
  [`${COMPRESSOR}.CompressorPerRoute`]: { implemented: 'disabled overrides' },
  [`${COMPRESSOR}.CompressorOverrides`]: {
    implemented: 'responseDirectionConfig compressorLibrary',
  },
  [`${COMPRESSOR}.ResponseDirectionOverrides`]: { implemented: 'removeAcceptEncodingHeader' },
  [`${COMPRESSION}.gzip.compressor.v3.Gzip`]: {
    implemented: 'memoryLevel compressionLevel compressionStrategy windowBits',
    noEffect: { [CHUNK]: 'chunkSize' },
  },
  [`${COMPRESSION}.brotli.compressor.v3.Brotli`]: {
    implemented: 'quality encoderMode windowBits inputBlockBits disableLiteralContextModeling',
    noEffect: { [CHUNK]: 'chunkSize' },
  },
  [`${COMPRESSION}.zstd.compressor.v3.Zstd`]: {
    implemented: 'compressionLevel enableChecksum strategy',
    noEffect: { [CHUNK]: 'chunkSize' },
    refused: { [NOT_SUPPORTED]: 'dictionary' },
  },
  [`${DECOMPRESSOR}.Decompressor`]: {
    implemented: 'decompressorLibrary requestDirectionConfig responseDirectionConfig',
  },
  [`${DECOMPRESSOR}.Decompressor.RequestDirectionConfig`]: { implemented: 'commonConfig advertiseAcceptEncoding' },
  [`${DECOMPRESSOR}.Decompressor.ResponseDirectionConfig`]: { implemented: 'commonConfig' },
  [`${DECOMPRESSOR}.Decompressor.CommonDirectionConfig`]: { implemented: 'enabled ignoreNoTransformHeader' },
  [`${COMPRESSION}.gzip.decompressor.v3.Gzip`]: {
    implemented: 'windowBits maxInflateRatio chunkSize',
  },
  [`${COMPRESSION}.brotli.decompressor.v3.Brotli`]: {
    implemented: 'chunkSize',
    noEffect: { [CHUNK]: 'disableRingBufferReallocation' },
  },
  [`${COMPRESSION}.zstd.decompressor.v3.Zstd`]: {
    implemented: 'chunkSize',
    refused: { [NOT_SUPPORTED]: 'dictionaries' },
  },
  [`${JSON_TO_METADATA}`]: {
    implemented: 'requestRules',
    refused: { 'bodies of responses are not held': 'responseRules' },
  },
  [`${JSON_TO_METADATA}.MatchRules`]: {
    implemented: 'rules allowContentTypes allowEmptyContentType allowContentTypesRegex',
  },
  [`${JSON_TO_METADATA}.Rule`]: { implemented: 'selectors onPresent onMissing onError' },
  [`${JSON_TO_METADATA}.Selector`]: { implemented: 'key' },
  [`${JSON_TO_METADATA}.KeyValuePair`]: {
    implemented: 'metadataNamespace key value type preserveExistingMetadataValue',
  },
  'envoy.extensions.filters.http.csrf.v3.CsrfPolicy': {
    implemented: 'filterEnabled shadowEnabled additionalOrigins',
  },
  'envoy.extensions.filters.http.basic_auth.v3.BasicAuth': {
    implemented: 'users forwardUsernameHeader authenticationHeader allowMissing emitDynamicMetadata realm',
  },
  'envoy.extensions.filters.http.basic_auth.v3.BasicAuthPerRoute': { implemented: 'users realm' },
  [`${API_KEY}.ApiKeyAuth`]: { implemented: 'credentials keySources forwarding' },
  [`${API_KEY}.ApiKeyAuthPerRoute`]: { implemented: 'credentials keySources allowedClients forwarding' },
  [`${API_KEY}.Credential`]: { implemented: 'key client' },
  [`${API_KEY}.KeySource`]: { implemented: 'header query cookie' },
  [`${API_KEY}.Forwarding`]: { implemented: 'header hideCredentials' },

  'envoy.extensions.filters.network.connection_limit.v3.ConnectionLimit': {
    implemented: 'statPrefix maxConnections delay runtimeEnabled',
  },
  'envoy.extensions.filters.network.sni_cluster.v3.SniCluster': {},
  'envoy.extensions.filters.network.sni_dynamic_forward_proxy.v3.FilterConfig': {
    implemented: 'dnsCacheConfig portValue',
    refused: { [NOT_SUPPORTED]: 'saveUpstreamAddress' },
  },
  'envoy.extensions.filters.network.echo.v3.Echo': {},
  'envoy.extensions.filters.network.direct_response.v3.Config': { implemented: 'response' },
  'envoy.extensions.filters.http.bandwidth_limit.v3.BandwidthLimit': {
    implemented: 'statPrefix enableMode limitKbps fillInterval runtimeEnabled',
    refused: { 'nothing is added to the trailers of responses': 'enableResponseTrailers responseTrailerPrefix' },
  },
  [`${TO_METADATA}.Config`]: { implemented: 'requestRules responseRules statPrefix' },
  [`${TO_METADATA}.Config.Rule`]: { implemented: 'header cookie onHeaderPresent onHeaderMissing remove' },
  [`${TO_METADATA}.Config.KeyValuePair`]: {
    implemented: 'metadataNamespace key value regexValueRewrite type encode',
  },
  [`${TAGGING}.IPTagging`]: {
    implemented: 'requestType ipTags ipTagHeader',
    refused: { [NOT_SUPPORTED]: 'ipTagsDatasource' },
  },
  [`${TAGGING}.IPTagging.IPTag`]: { implemented: 'ipTagName ipList' },
  [`${TAGGING}.IPTagging.IpTagHeader`]: { implemented: 'header action' },
  [`${SESSION}.StatefulSession`]: {
    implemented: 'sessionState strict statPrefix statusOnStrictDestinationNotFound',
  },
  [`${SESSION}.StatefulSessionPerRoute`]: { implemented: 'disabled statefulSession' },
  [`${SESSION_STATE}.cookie.v3.CookieBasedSessionState`]: { implemented: 'cookie' },
  [`${SESSION_STATE}.header.v3.HeaderBasedSessionState`]: { implemented: 'name' },
  [`${SESSION_STATE}.envelope.v3.EnvelopeSessionState`]: { implemented: 'header' },
  [`${SESSION_STATE}.envelope.v3.EnvelopeSessionState.Header`]: { implemented: 'name' },
  'envoy.type.http.v3.Cookie': { implemented: 'name ttl path attributes' },
  'envoy.type.http.v3.CookieAttribute': { implemented: 'name value' },
};
