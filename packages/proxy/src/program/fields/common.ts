import { NOT_SUPPORTED, type FieldTable } from './table.ts';

/** envoy.config.core.v3, envoy.type.* and what else many resources share. */
export const commonFields: FieldTable = {
  'envoy.config.core.v3.Address': { implemented: 'socketAddress pipe envoyInternalAddress' },
  'envoy.config.core.v3.SocketAddress': {
    implemented: 'address portValue ipv4Compat protocol',
    refused: { [NOT_SUPPORTED]: 'namedPort resolverName networkNamespaceFilepath' },
  },
  'envoy.config.core.v3.Pipe': { implemented: 'path mode' },
  'envoy.config.core.v3.EnvoyInternalAddress': { implemented: 'serverListenerName endpointId' },
  'envoy.config.core.v3.CidrRange': { implemented: 'addressPrefix prefixLen' },
  'envoy.config.core.v3.Metadata': {
    implemented: 'filterMetadata',
    noEffect: { 'read by nobody here': 'typedFilterMetadata' },
  },
  'envoy.config.core.v3.Locality': { implemented: 'region zone subZone' },
  'envoy.config.core.v3.DataSource': {
    implemented: 'filename inlineBytes inlineString environmentVariable',
    noEffect: { 'files are read when the resource is compiled': 'watchedDirectory' },
  },
  'envoy.config.core.v3.HeaderValue': { implemented: 'key value rawValue' },
  'envoy.config.core.v3.HeaderValueOption': { implemented: 'header append appendAction keepEmptyValue' },
  'envoy.config.core.v3.TransportSocket': { implemented: 'name typedConfig' },
  'envoy.config.core.v3.TypedExtensionConfig': { implemented: 'name typedConfig' },
  'envoy.config.core.v3.RuntimeFractionalPercent': {
    implemented: 'defaultValue runtimeKey',
  },
  'envoy.config.core.v3.RuntimeDouble': { implemented: 'defaultValue runtimeKey' },
  'envoy.config.core.v3.RuntimePercent': { implemented: 'defaultValue runtimeKey' },
  'envoy.config.core.v3.RuntimeUInt32': { implemented: 'defaultValue runtimeKey' },
  'envoy.config.core.v3.RuntimeFeatureFlag': { implemented: 'defaultValue runtimeKey' },
  'envoy.config.core.v3.SubstitutionFormatString': {
    implemented: 'textFormat jsonFormat textFormatSource omitEmptyValues contentType formatters',
    noEffect: { 'keys are always sorted, as Envoy does by default': 'jsonFormatOptions' },
  },
  'envoy.config.core.v3.HttpProtocolOptions': {
    implemented: `idleTimeout maxConnectionDuration maxHeadersCount maxResponseHeadersKb maxStreamDuration
      headersWithUnderscoresAction maxRequestsPerConnection maxConnectionDurationJitter`,
  },
  'envoy.config.core.v3.Http1ProtocolOptions': {
    implemented: `allowAbsoluteUrl acceptHttp10 defaultHostForHttp10 headerKeyFormat enableTrailers allowChunkedLength
      overrideStreamErrorOnInvalidHttpMessage sendFullyQualifiedUrl ignoreHttp11Upgrade allowCustomMethods`,
    noEffect: {
      'there is one parser here': 'useBalsaParser',
    },
  },
  'envoy.config.core.v3.Http1ProtocolOptions.HeaderKeyFormat': { implemented: 'properCaseWords statefulFormatter' },
  'envoy.config.core.v3.Http1ProtocolOptions.HeaderKeyFormat.ProperCaseWords': {},
  'envoy.config.core.v3.TcpKeepalive': { implemented: 'keepaliveProbes keepaliveTime keepaliveInterval' },
  'envoy.config.core.v3.ExtraSourceAddress': {
    implemented: 'address',
    refused: { [NOT_SUPPORTED]: 'socketOptions' },
  },
  'envoy.config.core.v3.BindConfig': {
    implemented: 'sourceAddress extraSourceAddresses additionalSourceAddresses',
    noEffect: { 'there are no network namespaces': 'validateNetworkNamespaces' },
    refused: { [NOT_SUPPORTED]: 'freebind socketOptions localAddressSelector' },
  },
  'envoy.config.core.v3.HealthCheck': {
    implemented: `name timeout interval initialJitter intervalJitter intervalJitterPercent unhealthyThreshold
      healthyThreshold reuseConnection httpHealthCheck tcpHealthCheck grpcHealthCheck customHealthCheck noTrafficInterval
      noTrafficHealthyInterval unhealthyInterval unhealthyEdgeInterval healthyEdgeInterval eventLogPath eventLogger
      alwaysLogHealthCheckFailures alwaysLogHealthCheckSuccess tlsOptions transportSocketMatchCriteria`,
    noEffect: { 'Envoy does not read it either': 'altPort eventService' },
  },
  'envoy.config.core.v3.HealthCheck.HttpHealthCheck': {
    implemented: `host path send receive responseBufferSize requestHeadersToAdd requestHeadersToRemove expectedStatuses
      retriableStatuses method codecClientType serviceNameMatcher`,
    refused: { [NOT_SUPPORTED]: 'useAlpnProtocol' },
    values: { codecClientType: { HTTP3: 'there is no HTTP/3' } },
  },
  'envoy.config.core.v3.HealthCheck.TcpHealthCheck': { implemented: 'send receive proxyProtocolConfig' },
  'envoy.config.core.v3.HealthCheck.GrpcHealthCheck': { implemented: 'serviceName authority initialMetadata' },
  'envoy.config.core.v3.HealthCheck.CustomHealthCheck': { implemented: 'name typedConfig' },
  'envoy.config.core.v3.HealthCheck.TlsOptions': { implemented: 'alpnProtocols' },
  'envoy.extensions.health_check.event_sinks.file.v3.HealthCheckEventFileSink': { implemented: 'eventLogPath' },
  'envoy.extensions.health_checkers.redis.v3.Redis': {
    implemented: 'key',
    refused: { [NOT_SUPPORTED]: 'awsIam' },
  },
  'envoy.config.core.v3.HealthCheck.Payload': { implemented: 'text binary' },
  'envoy.config.core.v3.UpstreamHttpProtocolOptions': {
    implemented: 'autoSni autoSanValidation overrideAutoSniHeader',
  },
  'envoy.config.core.v3.HttpUri': { implemented: 'uri cluster timeout' },
  'envoy.config.core.v3.RetryPolicy': {
    implemented: 'retryBackOff numRetries retryOn',
    noEffect: {
      'there are no predicates that reject hosts': 'hostSelectionRetryMaxAttempts',
    },
    refused: { [NOT_SUPPORTED]: 'retryPriority retryHostPredicate' },
  },
  'envoy.type.v3.FractionalPercent': { implemented: 'numerator denominator' },
  'envoy.type.v3.Percent': { implemented: 'value' },
  'envoy.type.v3.Int32Range': { implemented: 'start end' },
  'envoy.type.v3.Int64Range': { implemented: 'start end' },
  'envoy.type.v3.DoubleRange': { implemented: 'start end' },
  'envoy.type.v3.HashPolicy': { implemented: 'sourceIp filterState' },
  'envoy.type.v3.HashPolicy.FilterState': { implemented: 'key' },
  'envoy.type.v3.HashPolicy.SourceIp': {},
  'envoy.type.v3.TokenBucket': { implemented: 'maxTokens tokensPerFill fillInterval' },
  'envoy.type.v3.HttpStatus': { implemented: 'code' },
  'envoy.type.matcher.v3.StringMatcher': {
    implemented: 'exact prefix suffix safeRegex contains ignoreCase',
    refused: { [NOT_SUPPORTED]: 'custom' },
  },
  'envoy.type.matcher.v3.ListStringMatcher': { implemented: 'patterns' },
  'envoy.type.matcher.v3.RegexMatcher': {
    implemented: 'regex googleRe2',
  },
  'envoy.type.matcher.v3.RegexMatcher.GoogleRE2': { implemented: 'maxProgramSize' },
  'envoy.type.matcher.v3.RegexMatchAndSubstitute': { implemented: 'pattern substitution' },
  'envoy.type.matcher.v3.PathMatcher': { implemented: 'path' },
  'envoy.type.matcher.v3.MetadataMatcher': { implemented: 'filter path value invert' },
  'envoy.type.matcher.v3.MetadataMatcher.PathSegment': { implemented: 'key' },
  'envoy.type.matcher.v3.ValueMatcher': {
    implemented: 'nullMatch doubleMatch stringMatch boolMatch presentMatch listMatch orMatch',
  },
  'envoy.type.matcher.v3.ValueMatcher.NullMatch': {},
  'envoy.type.matcher.v3.DoubleMatcher': { implemented: 'range exact' },
  'envoy.type.matcher.v3.ListMatcher': { implemented: 'oneOf' },
  'envoy.type.matcher.v3.OrMatcher': { implemented: 'valueMatchers' },
  'envoy.type.matcher.v3.FilterStateMatcher': {
    implemented: 'key stringMatch addressMatch',
  },
  'envoy.type.matcher.v3.AddressMatcher': { implemented: 'ranges invertMatch' },
  'envoy.type.metadata.v3.MetadataKey': { implemented: 'key path' },
  'envoy.type.metadata.v3.MetadataKey.PathSegment': { implemented: 'key', refused: { [NOT_SUPPORTED]: 'index' } },
  'envoy.config.common.mutation_rules.v3.HeaderMutation': {
    implemented: 'remove append removeOnMatch',
  },
  'envoy.config.common.mutation_rules.v3.HeaderMutation.RemoveOnMatch': { implemented: 'keyMatcher' },
  'envoy.config.core.v3.KeyValueMutation': { implemented: 'append remove' },
  'envoy.config.core.v3.KeyValueAppend': {
    implemented: 'record action',
    noEffect: { 'Envoy wants a `record`, and reads that': 'entry' },
  },
  'envoy.config.core.v3.KeyValuePair': { implemented: 'key value' },
  'envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig': { implemented: 'pathTemplate' },
  'envoy.extensions.path.rewrite.uri_template.v3.UriTemplateRewriteConfig': { implemented: 'pathTemplateRewrite' },
  'envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate': {},
  'envoy.extensions.retry.host.omit_canary_hosts.v3.OmitCanaryHostsPredicate': {},
  'envoy.extensions.request_id.uuid.v3.UuidRequestIdConfig': {
    implemented: 'packTraceReason useRequestIdForTraceSampling',
  },
  'envoy.extensions.http.header_formatters.preserve_case.v3.PreserveCaseFormatterConfig': {
    implemented: 'forwardReasonPhrase formatterTypeOnEnvoyHeaders',
  },
  'envoy.extensions.network.dns_resolver.cares.v3.CaresDnsResolverConfig': {
    implemented: 'resolvers useResolversAsFallback queryTimeoutSeconds queryTries',
    noEffect: {
      'how servers are asked is Node’s':
        'dnsResolverOptions udpMaxQueries rotateNameservers filterUnroutableFamilies maxUdpChannelDuration reinitChannelOnTimeout edns0MaxPayloadSize qcacheMaxTtl',
    },
  },
  'envoy.config.core.v3.DnsResolutionConfig': {
    implemented: 'resolvers',
    noEffect: { 'how servers are asked is Node’s': 'dnsResolverOptions' },
  },
  'envoy.extensions.network.dns_resolver.getaddrinfo.v3.GetAddrInfoDnsResolverConfig': {
    noEffect: { 'names are resolved by the system': 'numRetries numResolverThreads' },
  },
};
