import type { mesh, telemetry } from '@mizzen/api';
import type { types } from '@mizzen/xds';
import type { Build, ListenerClass } from '../listener/build.ts';
import { duration } from '../duration.ts';
import { outboundCluster } from '../names.ts';
import { proxyConfig } from './proxy-config.ts';
import { defined, typed } from './typed.ts';

type Tracing = types.hcm.HttpConnectionManager_Tracing;
type CustomTag = types.tracing.CustomTag;
type Provider = Pick<Tracing, 'provider' | 'spawnUpstreamSpan' | 'maxPathTagLength'>;

/** Istio samples this many percent of traces when nobody says otherwise. */
const DEFAULT_SAMPLING = 1;

export interface TracingConfig {
  readonly tracing: Tracing | undefined;
  readonly useRequestIdForTraceSampling: boolean;
}

/**
 * Tracing of an HTTP connection manager. Without a provider from the Telemetry API, Istio's own proxies get the legacy
 * settings of MeshConfig (their bootstrap names the provider); others get none.
 */
export function tracingConfig(build: Build, listener: ListenerClass): TracingConfig {
  const choice = build.telemetry.tracing(listener);
  const config = proxyConfig(build.context);
  const maxPathTagLength = config.tracing?.maxPathTagLength;
  if (choice === undefined) {
    const enabled = build.context.model.mesh.enableTracing !== false && build.context.profile === 'istio';
    const istioTags = config.tracing?.enableIstioTags !== false;
    const tracing = enabled
      ? defined({
          ...sampling(configuredSampling(config)),
          customTags: sorted([...(istioTags ? istioTagsOf(build) : []), ...tags(config.tracing?.customTags ?? {})]),
          maxPathTagLength,
        })
      : undefined;
    return { tracing, useRequestIdForTraceSampling: true };
  }
  const provider = choice.disabled || choice.provider === undefined ? undefined : providerOf(build, choice.provider);
  if (provider === undefined) {
    return { tracing: undefined, useRequestIdForTraceSampling: choice.disabled || choice.useRequestIdForTraceSampling };
  }
  const own = choice.customTags === undefined ? tags(config.tracing?.customTags ?? {}) : tags(choice.customTags);
  return {
    tracing: defined({
      maxPathTagLength,
      ...provider,
      ...sampling(choice.randomSamplingPercentage ?? configuredSampling(config)),
      customTags: sorted([...(choice.enableIstioTags ? istioTagsOf(build) : []), ...own]),
    }),
    useRequestIdForTraceSampling: choice.useRequestIdForTraceSampling,
  };
}

function sampling(percent: number): Pick<Tracing, 'clientSampling' | 'randomSampling' | 'overallSampling'> {
  return { clientSampling: { value: 100 }, randomSampling: { value: percent }, overallSampling: { value: 100 } };
}

function configuredSampling(config: mesh.ProxyConfig): number {
  const percent = config.tracing?.sampling ?? 0;
  return percent === 0 ? DEFAULT_SAMPLING : percent > 100 ? 1 : percent;
}

/** Where spans go. Undefined when the provider does no tracing or its service is unknown. */
function providerOf(build: Build, provider: mesh.MeshConfig_ExtensionProvider): Provider | undefined {
  const { zipkin, datadog, skywalking, opentelemetry } = provider;
  const settings = zipkin ?? datadog ?? skywalking ?? opentelemetry;
  const target = settings === undefined ? undefined : serviceOf(build, settings.service, settings.port);
  if (target === undefined) return undefined;
  const grpcService = { envoyGrpc: { clusterName: target.cluster, authority: target.hostname } };
  if (zipkin !== undefined) {
    return withTagLength(zipkin.maxTagLength, {
      name: 'envoy.tracers.zipkin',
      typedConfig: typed('envoy.config.trace.v3.ZipkinConfig', {
        collectorEndpointVersion: 'HTTP_JSON',
        collectorService: {
          httpUri: {
            uri: `http://${target.hostname}${zipkin.path === undefined || zipkin.path === '' ? '/api/v2/spans' : zipkin.path}`,
            cluster: target.cluster,
            timeout: duration(zipkin.timeout) ?? '5s',
          },
        },
        traceId128bit: zipkin.enable64bitTraceId === true ? undefined : true,
        sharedSpanContext: false,
      }),
    });
  }
  if (datadog !== undefined) {
    return withTagLength(datadog.maxTagLength, {
      name: 'envoy.tracers.datadog',
      typedConfig: typed('envoy.config.trace.v3.DatadogConfig', {
        collectorCluster: target.cluster,
        collectorHostname: target.hostname,
        serviceName: serviceCluster(build),
      }),
    });
  }
  if (skywalking !== undefined) {
    return {
      spawnUpstreamSpan: true,
      provider: {
        name: 'envoy.tracers.skywalking',
        typedConfig: typed('envoy.config.trace.v3.SkyWalkingConfig', { grpcService }),
      },
    };
  }
  const http = opentelemetry?.http;
  const timeout = duration(http?.timeout ?? opentelemetry?.grpc?.timeout);
  return withTagLength(opentelemetry?.maxTagLength, {
    name: 'envoy.tracers.opentelemetry',
    typedConfig: typed('envoy.config.trace.v3.OpenTelemetryConfig', {
      serviceName: serviceCluster(build),
      grpcService: http === undefined ? defined({ ...grpcService, timeout }) : undefined,
      httpService:
        http === undefined
          ? undefined
          : {
              httpUri: defined({
                uri: `${target.hostname}/${(http.path ?? '').replace(/^\/+/, '')}`,
                cluster: target.cluster,
                timeout,
              }),
            },
    }),
  });
}

function withTagLength(length: number | undefined, provider: NonNullable<Tracing['provider']>): Provider {
  return length === undefined || length === 0 ? { provider } : { provider, maxPathTagLength: length };
}

/** Envoy's `--service-cluster`, as Istio's agent sets it: workload and namespace. */
function serviceCluster(build: Build): string {
  const { proxy } = build.context;
  const app = proxy.labels['app'];
  return `${app ?? proxy.workload?.workloadName ?? proxy.name}.${proxy.namespace}`;
}

function serviceOf(
  build: Build,
  name: string | undefined,
  port: number | undefined,
): { hostname: string; cluster: string } | undefined {
  if (name === undefined || port === undefined) return undefined;
  const { model, proxy } = build.context;
  const slash = name.indexOf('/');
  const namespace = slash < 0 ? proxy.namespace : name.slice(0, slash);
  const service = model.serviceFor(model.resolveHost(name.slice(slash + 1), namespace), namespace);
  return service && { hostname: service.hostname, cluster: outboundCluster(port, '', service.hostname) };
}

function istioTagsOf(build: Build): CustomTag[] {
  const { proxy } = build.context;
  const meshId = proxy.metadata['MESH_ID'];
  const literal = (tag: string, value: string): CustomTag => ({ tag, literal: { value } });
  return [
    literal('istio.canonical_revision', proxy.labels['service.istio.io/canonical-revision'] ?? 'latest'),
    literal('istio.canonical_service', proxy.labels['service.istio.io/canonical-name'] ?? 'unknown'),
    literal('istio.mesh_id', typeof meshId === 'string' && meshId !== '' ? meshId : 'unknown'),
    literal('istio.namespace', proxy.namespace),
    literal('istio.cluster_id', proxy.cluster === '' ? 'unknown' : proxy.cluster),
    dryRunTag('allow_policy.name', 'allow_shadow_effective_policy_id'),
    dryRunTag('allow_policy.result', 'allow_shadow_engine_result'),
    dryRunTag('deny_policy.name', 'deny_shadow_effective_policy_id'),
    dryRunTag('deny_policy.result', 'deny_shadow_engine_result'),
  ];
}

function dryRunTag(tag: string, key: string): CustomTag {
  return {
    tag: `istio.authorization.dry_run.${tag}`,
    metadata: {
      kind: { request: {} },
      metadataKey: { key: 'envoy.filters.http.rbac', path: [{ key: `istio_dry_run_${key}` }] },
    },
  };
}

function tags(custom: Readonly<Record<string, telemetry.Tracing_CustomTag>>): CustomTag[] {
  return Object.entries(custom).map(([tag, { literal, environment, header, formatter }]) =>
    defined({
      tag,
      literal: literal && { value: literal.value },
      environment: environment && defined({ name: environment.name, defaultValue: environment.defaultValue }),
      requestHeader: header && defined({ name: header.name, defaultValue: header.defaultValue }),
      value: formatter?.value,
    }),
  );
}

function sorted(list: readonly CustomTag[]): readonly CustomTag[] | undefined {
  return list.length === 0 ? undefined : list.toSorted((a, b) => ((a.tag ?? '') < (b.tag ?? '') ? -1 : 1));
}
