import type { mesh } from '@mizzen/api';
import type { types } from '@mizzen/xds';
import type { Build } from '../listener/build.ts';
import { duration } from '../duration.ts';
import { providerService, type ProviderService } from '../provider-service.ts';
import { TRACES } from '../names.ts';
import { serviceCluster } from '../service-cluster.ts';
import { defined, extension, typed } from './typed.ts';

type Tracing = types.hcm.HttpConnectionManager_Tracing;
type Provider = mesh.MeshConfig_ExtensionProvider;
type Otel = mesh.MeshConfig_ExtensionProvider_OpenTelemetryTracingProvider;
type HttpService = mesh.MeshConfig_ExtensionProvider_HttpService;
type Header = mesh.MeshConfig_ExtensionProvider_HttpHeader;

/** What a provider makes of a connection manager's tracing. */
export interface TracingProvider {
  readonly tracing: Pick<Tracing, 'provider' | 'spawnUpstreamSpan' | 'maxPathTagLength'>;
  /** It decides itself what is sampled, so that everything has to reach it. */
  readonly samples: boolean;
}

/** Where spans go. Undefined when the provider does no tracing or its service is unknown. */
export function tracingProvider(build: Build, provider: Provider): TracingProvider | undefined {
  const { zipkin, datadog, skywalking, opentelemetry } = provider;
  const own = build.context.proxy.engine === 'mizzen';
  // Mizzen's own proxy speaks to no others.
  const settings = zipkin ?? datadog ?? (own ? undefined : skywalking) ?? opentelemetry;
  const target = settings && providerService(build.context.model, settings.service, settings.port);
  if (target === undefined) return undefined;
  const length = positive((zipkin ?? datadog ?? opentelemetry)?.maxTagLength);
  const made = (tracer: NonNullable<Tracing['provider']>): TracingProvider => ({
    tracing: defined({ provider: tracer, maxPathTagLength: length }),
    samples: opentelemetry?.dynatraceSampler !== undefined && !own,
  });
  if (zipkin !== undefined) return made(zipkinTracer(zipkin, target));
  if (datadog !== undefined) {
    return made(
      extension('envoy.tracers.datadog', 'envoy.config.trace.v3.DatadogConfig', {
        collectorCluster: target.cluster,
        collectorHostname: target.hostname,
        serviceName: serviceCluster(build.context.node.metadata),
      }),
    );
  }
  if (skywalking !== undefined) {
    const tracer = extension('envoy.tracers.skywalking', 'envoy.config.trace.v3.SkyWalkingConfig', {
      grpcService: grpcService(target),
    });
    return { tracing: { spawnUpstreamSpan: true, provider: tracer }, samples: false };
  }
  return made(openTelemetryTracer(build, opentelemetry ?? {}, target));
}

/**
 * Where a proxy of `mizzen up` sends spans when nobody names a provider. Applications pass B3 or W3C headers on, so
 * that requests carry both.
 */
export function builtInTracing({ context }: Build): TracingProvider | undefined {
  const { proxy, model } = context;
  const traces = proxy.local?.traces;
  if (traces === undefined || model.mesh.enableTracing === false) return undefined;
  const hostname = `${traces.address}:${traces.port}`;
  const settings = { traceContextOption: 'USE_B3_WITH_W3C_PROPAGATION' } as const;
  return { tracing: { provider: zipkinTracer(settings, { hostname, cluster: TRACES }) }, samples: false };
}

function zipkinTracer(
  settings: mesh.MeshConfig_ExtensionProvider_ZipkinTracingProvider,
  { hostname, cluster }: ProviderService,
): NonNullable<Tracing['provider']> {
  const path = settings.path || '/api/v2/spans';
  return extension(
    'envoy.tracers.zipkin',
    'envoy.config.trace.v3.ZipkinConfig',
    defined({
      collectorEndpointVersion: 'HTTP_JSON',
      collectorService: defined({
        httpUri: { uri: `http://${hostname}${path}`, cluster, timeout: duration(settings.timeout) ?? '5s' },
        requestHeadersToAdd: headers(settings.headers),
      }),
      traceId128bit: settings.enable64bitTraceId === true ? undefined : true,
      sharedSpanContext: false,
      traceContextOption:
        settings.traceContextOption === 'USE_B3_WITH_W3C_PROPAGATION' ? settings.traceContextOption : undefined,
    } as const),
  );
}

function openTelemetryTracer(build: Build, settings: Otel, target: ProviderService): NonNullable<Tracing['provider']> {
  const { http, grpc, resourceDetectors } = settings;
  const own = build.context.proxy.engine === 'mizzen';
  const dynatraceSampler = own ? undefined : settings.dynatraceSampler;
  const detectors = [
    ...(resourceDetectors?.environment === undefined
      ? []
      : [detector('environment', 'EnvironmentResourceDetectorConfig')]),
    ...(resourceDetectors?.dynatrace === undefined || own
      ? []
      : [detector('dynatrace', 'DynatraceResourceDetectorConfig')]),
  ];
  return extension(
    'envoy.tracers.opentelemetry',
    'envoy.config.trace.v3.OpenTelemetryConfig',
    defined({
      serviceName: serviceCluster(build.context.node.metadata),
      grpcService:
        http !== undefined
          ? undefined
          : defined({
              ...grpcService(target),
              timeout: duration(grpc?.timeout),
              initialMetadata: nonEmpty(grpc?.initialMetadata?.map(({ name: key, value = '' }) => ({ key, value }))),
            }),
      httpService: http === undefined ? undefined : httpService(target, http.path ?? '', http),
      resourceDetectors: nonEmpty(detectors),
      sampler: dynatraceSampler === undefined ? undefined : dynatrace(build, settings, target),
    }),
  );
}

/** Dynatrace's sampler asks Dynatrace: at an address of its own, or where spans go. */
function dynatrace(build: Build, settings: Otel, target: ProviderService): types.core.TypedExtensionConfig | undefined {
  const { tenant, clusterId, rootSpansPerMinute, httpService: own } = settings.dynatraceSampler ?? {};
  const at = own === undefined ? target : providerService(build.context.model, own.service, own.port);
  const http = own === undefined ? settings.http : own.http;
  if (at === undefined || http === undefined) return undefined;
  const path = own === undefined ? 'api/v2/samplingConfiguration' : (http.path ?? '');
  return extension(
    'envoy.tracers.opentelemetry.samplers.dynatrace',
    'envoy.extensions.tracers.opentelemetry.samplers.v3.DynatraceSamplerConfig',
    defined({ tenant, clusterId, httpService: httpService(at, path, http), rootSpansPerMinute }),
  );
}

function detector(name: string, message: string): types.core.TypedExtensionConfig {
  return {
    name: `envoy.tracers.opentelemetry.resource_detectors.${name}`,
    typedConfig: typed(`envoy.extensions.tracers.opentelemetry.resource_detectors.v3.${message}`, {}),
  };
}

function httpService({ hostname, cluster }: ProviderService, path: string, http: HttpService): types.core.HttpService {
  return defined({
    httpUri: defined({
      uri: `${hostname}/${path.replace(/^\/+/, '')}`,
      cluster,
      // Envoy takes none without; this is what Istio documents.
      timeout: duration(http.timeout) ?? '3s',
    }),
    requestHeadersToAdd: headers(http.headers),
  });
}

function grpcService({ hostname, cluster }: ProviderService): types.core.GrpcService {
  return { envoyGrpc: { clusterName: cluster, authority: hostname } };
}

function headers(list: readonly Header[] | undefined): readonly types.core.HeaderValueOption[] | undefined {
  return nonEmpty(
    list?.map(({ name: key, value = '' }) => ({
      header: { key, value },
      appendAction: 'OVERWRITE_IF_EXISTS_OR_ADD' as const,
    })),
  );
}

function positive(length: number | undefined): number | undefined {
  return length === undefined || length === 0 ? undefined : length;
}

function nonEmpty<T>(list: readonly T[] | undefined): readonly T[] | undefined {
  return list === undefined || list.length === 0 ? undefined : list;
}
