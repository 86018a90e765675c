import type { mesh, telemetry } from '@mizzen/api';
import type { types } from '@mizzen/xds';
import type { Build, ListenerClass } from '../listener/build.ts';
import { proxyConfig } from './proxy-config.ts';
import { builtInTracing, tracingProvider, type TracingProvider } from './tracing-providers.ts';
import { defined } from './typed.ts';

type Tracing = types.hcm.HttpConnectionManager_Tracing;
type CustomTag = types.tracing.CustomTag;

/** Istio samples this many percent of traces when nobody says otherwise. */
const DEFAULT_SAMPLING = 1;
/** Where they stay on this machine and whoever looks for a request wants to find it: all, as Istio's demo profile has it. */
const BUILT_IN_SAMPLING = 100;

export interface TracingConfig {
  readonly tracing: Tracing | undefined;
  readonly useRequestIdForTraceSampling: boolean;
}

/**
 * Tracing of an HTTP connection manager. Without a provider from the Telemetry API, Istio's own proxies get the legacy
 * settings of MeshConfig (their bootstrap names the provider), those of `mizzen up` what keeps traces there, and others
 * none.
 */
export function tracingConfig(build: Build, listener: ListenerClass): TracingConfig {
  const choice = build.telemetry.tracing(listener);
  const config = proxyConfig(build.context);
  const maxPathTagLength = config.tracing?.maxPathTagLength;
  if (choice === undefined) {
    const enabled = build.context.model.mesh.enableTracing !== false && build.context.profile === 'istio';
    const istioTags = config.tracing?.enableIstioTags !== false;
    const builtIn = builtInTracing(build);
    const tracing =
      enabled || builtIn !== undefined
        ? defined({
            ...builtIn?.tracing,
            ...sampling(configuredSampling(config, builtIn)),
            customTags: sorted([...(istioTags ? istioTagsOf(build) : []), ...tags(config.tracing?.customTags ?? {})]),
            maxPathTagLength,
          })
        : undefined;
    return { tracing, useRequestIdForTraceSampling: true };
  }
  const builtIn = choice.unnamed ? builtInTracing(build) : undefined;
  const named = choice.provider === undefined ? undefined : tracingProvider(build, choice.provider);
  const provider = choice.disabled ? undefined : (named ?? builtIn);
  if (provider === undefined) {
    const disabled = choice.disabled || choice.provider === undefined;
    return { tracing: undefined, useRequestIdForTraceSampling: disabled || choice.useRequestIdForTraceSampling };
  }
  const own = choice.customTags === undefined ? tags(config.tracing?.customTags ?? {}) : tags(choice.customTags);
  return {
    tracing: defined({
      maxPathTagLength,
      ...provider.tracing,
      ...sampling(provider.samples ? 100 : (choice.randomSamplingPercentage ?? configuredSampling(config, builtIn))),
      customTags: sorted([...(choice.enableIstioTags ? istioTagsOf(build) : []), ...own]),
    }),
    useRequestIdForTraceSampling: choice.useRequestIdForTraceSampling,
  };
}

function sampling(percent: number): Pick<Tracing, 'clientSampling' | 'randomSampling' | 'overallSampling'> {
  return { clientSampling: { value: 100 }, randomSampling: { value: percent }, overallSampling: { value: 100 } };
}

function configuredSampling(config: mesh.ProxyConfig, builtIn: TracingProvider | undefined): number {
  const percent = config.tracing?.sampling ?? 0;
  return percent === 0 ? (builtIn === undefined ? DEFAULT_SAMPLING : BUILT_IN_SAMPLING) : percent > 100 ? 1 : percent;
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
