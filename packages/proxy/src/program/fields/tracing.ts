import { NOT_SUPPORTED, type FieldTable } from './table.ts';

const HCM = 'envoy.extensions.filters.network.http_connection_manager.v3';
const TRACE = 'envoy.config.trace.v3';
const OTEL = 'envoy.extensions.tracers.opentelemetry';

/** Traces: which requests leave spans, what is in them, and who collects them. */
export const tracingFields: FieldTable = {
  [`${HCM}.HttpConnectionManager.Tracing`]: {
    implemented: `clientSampling randomSampling overallSampling verbose maxPathTagLength customTags provider
      spawnUpstreamSpan operation upstreamOperation noContextPropagation`,
  },
  'envoy.config.route.v3.Tracing': {
    implemented: 'clientSampling randomSampling overallSampling customTags operation upstreamOperation',
  },
  'envoy.config.route.v3.Decorator': { implemented: 'operation propagate' },
  'envoy.config.core.v3.HttpService': {
    implemented: 'httpUri requestHeadersToAdd',
    refused: { [NOT_SUPPORTED]: 'formatters' },
  },
  [`${TRACE}.Tracing`]: { implemented: 'http' },
  [`${TRACE}.Tracing.Http`]: { implemented: 'name typedConfig' },
  [`${TRACE}.ZipkinConfig`]: {
    implemented: `collectorCluster collectorEndpoint traceId128bit sharedSpanContext collectorEndpointVersion
      collectorHostname splitSpansForRequest traceContextOption collectorService`,
    refused: { [NOT_SUPPORTED]: 'timestampTraceIds' },
    values: {
      collectorEndpointVersion: { HTTP_PROTO: 'spans go as JSON', GRPC: 'Envoy does not take it either' },
    },
  },
  [`${TRACE}.DatadogConfig`]: {
    implemented: 'collectorCluster serviceName collectorHostname',
    refused: { [NOT_SUPPORTED]: 'remoteConfig' },
  },
  [`${TRACE}.OpenTelemetryConfig`]: {
    implemented: 'grpcService httpService serviceName resourceDetectors sampler',
    noEffect: { 'spans wait in one queue, which is bounded': 'maxCacheSize' },
    refused: {
      [NOT_SUPPORTED]: `exporter setTelemetrySdkResourceAttributes setServiceNameResourceAttribute
        setInstrumentationScope`,
    },
  },
  [`${OTEL}.samplers.v3.AlwaysOnSamplerConfig`]: {},
  [`${OTEL}.samplers.v3.ParentBasedSamplerConfig`]: { implemented: 'wrappedSampler' },
  [`${OTEL}.samplers.v3.TraceIdRatioBasedSamplerConfig`]: { implemented: 'samplingPercentage' },
  [`${OTEL}.samplers.v3.CELSamplerConfig`]: { implemented: 'expression' },
  [`${OTEL}.samplers.v3.DynatraceSamplerConfig`]: {
    refused: { [NOT_SUPPORTED]: 'tenant clusterId httpService rootSpansPerMinute' },
  },
  [`${OTEL}.resource_detectors.v3.StaticConfigResourceDetectorConfig`]: { implemented: 'attributes' },
  [`${OTEL}.resource_detectors.v3.EnvironmentResourceDetectorConfig`]: {},
  [`${OTEL}.resource_detectors.v3.DynatraceResourceDetectorConfig`]: {},
};
