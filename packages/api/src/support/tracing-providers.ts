import type {
  MeshConfig_ExtensionProvider_DatadogTracingProvider,
  MeshConfig_ExtensionProvider_GrpcService,
  MeshConfig_ExtensionProvider_HttpHeader,
  MeshConfig_ExtensionProvider_HttpService,
  MeshConfig_ExtensionProvider_OpenTelemetryTracingProvider,
  MeshConfig_ExtensionProvider_OpenTelemetryTracingProvider_DynatraceSampler,
  MeshConfig_ExtensionProvider_OpenTelemetryTracingProvider_DynatraceSampler_DynatraceApi,
  MeshConfig_ExtensionProvider_ResourceDetectors,
  MeshConfig_ExtensionProvider_SkyWalkingTracingProvider,
  MeshConfig_ExtensionProvider_ZipkinTracingProvider,
} from '../gen/istio.mesh.v1alpha1.ts';
import { NO_SPANS } from './telemetry.ts';
import { byEngine, envoyFields, fields, left, yes } from './types.ts';
import type { MessageTable, Outcome } from './types.ts';

const PROVIDER = 'istio.mesh.v1alpha1.MeshConfig.ExtensionProvider';
const OTEL = `${PROVIDER}.OpenTelemetryTracingProvider`;
const SAMPLER = 'DynatraceSamplerConfig';

const SERVICE: Outcome = yes('the service, as `host` or `namespace/host`', 'EnvoyGrpc.clusterName');
const HTTP_SERVICE: Outcome = yes('the service, as `host` or `namespace/host`', 'HttpUri.cluster');
const MAX_LENGTH: Outcome = yes('paths that are longer are cut', 'HttpConnectionManager.Tracing.maxPathTagLength');
const port = (place: string): Outcome => yes('its port', place);

/** Services that take spans. Mizzen's own proxy speaks to Zipkin, Datadog and OpenTelemetry. */
export const tracingProviders: MessageTable = {
  [`${PROVIDER}.ZipkinTracingProvider`]: fields<MeshConfig_ExtensionProvider_ZipkinTracingProvider>({
    service: HTTP_SERVICE,
    port: port('HttpUri.cluster'),
    maxTagLength: MAX_LENGTH,
    enable64bitTraceId: yes('ids of 64 bits, rather than 128', 'ZipkinConfig.traceId128bit'),
    path: yes('`/api/v2/spans` when left out', 'HttpUri.uri'),
    traceContextOption: yes('B3 headers, or those of W3C besides', 'ZipkinConfig.traceContextOption'),
    timeout: yes('5s when left out', 'HttpUri.timeout'),
    headers: yes('headers it gets', 'envoy.config.core.v3.HttpService.requestHeadersToAdd'),
  }),
  [`${PROVIDER}.DatadogTracingProvider`]: fields<MeshConfig_ExtensionProvider_DatadogTracingProvider>({
    service: yes('the service, as `host` or `namespace/host`', 'DatadogConfig.collectorCluster'),
    port: port('DatadogConfig.collectorCluster'),
    maxTagLength: MAX_LENGTH,
  }),
  [`${PROVIDER}.SkyWalkingTracingProvider`]: envoyFields<MeshConfig_ExtensionProvider_SkyWalkingTracingProvider>(
    NO_SPANS,
    {
      service: SERVICE,
      port: port('EnvoyGrpc.clusterName'),
      accessToken: left('Istio does not send it either'),
    },
  ),
  [OTEL]: fields<MeshConfig_ExtensionProvider_OpenTelemetryTracingProvider>({
    service: SERVICE,
    port: port('EnvoyGrpc.clusterName'),
    maxTagLength: MAX_LENGTH,
    http: yes('spans go over HTTP', 'OpenTelemetryConfig.httpService'),
    grpc: yes('spans go over gRPC; the default', 'OpenTelemetryConfig.grpcService'),
    resourceDetectors: yes('what is told of the proxy', 'OpenTelemetryConfig.resourceDetectors'),
    serviceAttributeEnrichment: left('services are named as Istio names them'),
    dynatraceSampler: byEngine(NO_SPANS, yes('Dynatrace says what is sampled', 'OpenTelemetryConfig.sampler')),
  }),
  [`${PROVIDER}.HttpService`]: fields<MeshConfig_ExtensionProvider_HttpService>({
    path: yes('where at the service', 'HttpUri.uri'),
    timeout: yes('time for the answer', 'HttpUri.timeout'),
    headers: yes('headers it gets', 'envoy.config.core.v3.HttpService.requestHeadersToAdd'),
  }),
  [`${PROVIDER}.HttpHeader`]: fields<MeshConfig_ExtensionProvider_HttpHeader>({
    name: yes('the header', 'HeaderValue.key'),
    value: yes('its value', 'HeaderValue.value'),
    envName: left('the environment is not looked at', 'give the `value`'),
  }),
  [`${PROVIDER}.GrpcService`]: fields<MeshConfig_ExtensionProvider_GrpcService>({
    timeout: yes('time for the answer', 'GrpcService.timeout'),
    initialMetadata: yes('headers it gets', 'GrpcService.initialMetadata'),
  }),
  [`${PROVIDER}.ResourceDetectors`]: fields<MeshConfig_ExtensionProvider_ResourceDetectors>({
    environment: yes('of `OTEL_RESOURCE_ATTRIBUTES`', 'OpenTelemetryConfig.resourceDetectors'),
    dynatrace: byEngine(NO_SPANS, yes('of files that Dynatrace leaves', 'OpenTelemetryConfig.resourceDetectors')),
  }),
  [`${PROVIDER}.ResourceDetectors.EnvironmentResourceDetector`]: {},
  [`${PROVIDER}.ResourceDetectors.DynatraceResourceDetector`]: {},
  [`${OTEL}.DynatraceSampler`]: envoyFields<MeshConfig_ExtensionProvider_OpenTelemetryTracingProvider_DynatraceSampler>(
    NO_SPANS,
    {
      tenant: yes('the tenant', `${SAMPLER}.tenant`),
      clusterId: yes('its cluster', `${SAMPLER}.clusterId`),
      rootSpansPerMinute: yes('where Dynatrace cannot be asked', `${SAMPLER}.rootSpansPerMinute`),
      httpService: yes('where it is asked; where spans go when left out', `${SAMPLER}.httpService`),
    },
  ),
  [`${OTEL}.DynatraceSampler.DynatraceApi`]:
    envoyFields<MeshConfig_ExtensionProvider_OpenTelemetryTracingProvider_DynatraceSampler_DynatraceApi>(NO_SPANS, {
      service: HTTP_SERVICE,
      port: port('HttpUri.cluster'),
      http: yes('path and headers', `${SAMPLER}.httpService`),
    }),
};
