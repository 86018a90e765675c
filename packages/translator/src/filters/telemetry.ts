import type { Resource, mesh, telemetry } from '@mizzen/api';
import { concerns, targetsOf } from '@mizzen/model';
import type { TranslationContext } from '../context.ts';
import type { ListenerClass } from '../listener/build.ts';

type TelemetryResource = Resource<telemetry.Telemetry>;

/** One access log to write. */
export interface AccessLogChoice {
  readonly provider: mesh.MeshConfig_ExtensionProvider;
  /** CEL expression that a request must meet to be logged. */
  readonly expression: string | undefined;
  readonly origin: { readonly resource: Resource; readonly index: number } | undefined;
}

/** What is changed about one of Istio's metrics. */
export interface MetricOverride {
  readonly name: string;
  readonly disabled: boolean;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly tagsToRemove: readonly string[];
}

/** Which metrics a proxy keeps. */
export interface MetricsChoice {
  readonly overrides: readonly MetricOverride[];
  /** How often connections and calls that go on report; undefined: as often as the filter does by itself. */
  readonly reportingInterval: string | undefined;
}

export interface TracingChoice {
  readonly provider: mesh.MeshConfig_ExtensionProvider | undefined;
  /** No provider is named, known or not. */
  readonly unnamed: boolean;
  readonly disabled: boolean;
  readonly randomSamplingPercentage: number | undefined;
  readonly customTags: Readonly<Record<string, telemetry.Tracing_CustomTag>> | undefined;
  readonly enableIstioTags: boolean;
  readonly useRequestIdForTraceSampling: boolean;
}

/** Telemetry resources and MeshConfig's defaults, merged for one proxy. */
export interface TelemetrySettings {
  /** Undefined: nobody asked through the Telemetry API, MeshConfig's own settings apply. Empty: switched off. */
  accessLogs(listener: ListenerClass): readonly AccessLogChoice[] | undefined;
  /** Undefined: no metrics filter. */
  metrics(listener: ListenerClass): MetricsChoice | undefined;
  /** Undefined: nobody asked through the Telemetry API, MeshConfig's own settings apply. */
  tracing(listener: ListenerClass): TracingChoice | undefined;
}

/** Providers that exist without being declared. */
const BUILT_IN: readonly mesh.MeshConfig_ExtensionProvider[] = [
  { name: 'prometheus', prometheus: {} },
  { name: 'stackdriver', stackdriver: {} },
  { name: 'envoy', envoyFileAccessLog: { path: '/dev/stdout' } },
];

export function telemetrySettings(context: TranslationContext): TelemetrySettings {
  const { model } = context;
  const chosen = applicable(context);
  const providers = [...(model.mesh.extensionProviders ?? []), ...BUILT_IN];
  const find = (name: string): mesh.MeshConfig_ExtensionProvider | undefined =>
    providers.find((provider) => provider.name?.toLowerCase() === name.toLowerCase());
  const defaults = model.mesh.defaultProviders ?? {};
  return {
    accessLogs: (listener) => accessLogs(chosen, defaults.accessLogging ?? [], modeOf(listener), find),
    metrics: (listener) => metrics(chosen, defaults.metrics ?? [], modeOf(listener), find),
    tracing: (listener) => tracing(chosen, defaults.tracing ?? [], modeOf(listener), find),
  };
}

/** In order of growing precedence: the root namespace's, the namespace's, the one that selects or names the workload. */
function applicable(context: TranslationContext): readonly TelemetryResource[] {
  const { model, proxy } = context;
  const all = model.snapshot.list('Telemetry');
  const labelsOf = (t: TelemetryResource): readonly [string, string][] =>
    Object.entries(t.spec.selector?.matchLabels ?? {});
  const attached = (t: TelemetryResource): boolean => targetsOf(t.spec).length > 0;
  const wide = (namespace: string): TelemetryResource | undefined =>
    all.find((t) => t.metadata.namespace === namespace && labelsOf(t).length === 0 && !attached(t));
  const own = all.find(
    (t) =>
      t.metadata.namespace === proxy.namespace &&
      (labelsOf(t).length > 0 || attached(t)) &&
      concerns(t.spec, t.metadata.namespace, proxy.namespace, proxy.labels),
  );
  const root = wide(model.rootNamespace);
  const namespace = proxy.namespace === model.rootNamespace ? undefined : wide(proxy.namespace);
  return [root, namespace, own].filter((t) => t !== undefined);
}

type Mode = 'CLIENT' | 'SERVER';
type Find = (name: string) => mesh.MeshConfig_ExtensionProvider | undefined;

function modeOf(listener: ListenerClass): Mode {
  return listener === 'inbound' ? 'SERVER' : 'CLIENT';
}

function fits(mode: telemetry.WorkloadMode | undefined, wanted: Mode): boolean {
  return mode === undefined || mode === 'CLIENT_AND_SERVER' || mode === wanted;
}

function namesOf(refs: readonly telemetry.ProviderRef[] | undefined): readonly string[] {
  return (refs ?? []).map((ref) => ref.name ?? '');
}

function accessLogs(
  chosen: readonly TelemetryResource[],
  defaults: readonly string[],
  mode: Mode,
  find: Find,
): readonly AccessLogChoice[] | undefined {
  const levels = chosen.filter((t) => (t.spec.accessLogging ?? []).length > 0);
  if (levels.length === 0 && defaults.length === 0) return undefined;
  const result = new Map<string, Omit<AccessLogChoice, 'provider'>>();
  if (levels.length === 0) for (const name of defaults) result.set(name, { expression: undefined, origin: undefined });
  let inScope: readonly string[] = defaults;
  const expressions = new Map<string, string | undefined>();
  for (const level of levels) {
    const names = new Set<string>();
    for (const entry of level.spec.accessLogging ?? []) {
      for (const name of namesOf(entry.providers)) {
        names.add(name);
        expressions.set(name, entry.filter?.expression);
      }
    }
    if (names.size > 0) inScope = [...names];
  }
  let parent: readonly string[] = defaults;
  for (const level of levels) {
    for (const [index, entry] of (level.spec.accessLogging ?? []).entries()) {
      const own = namesOf(entry.providers);
      const names = own.length > 0 ? own : parent;
      parent = names;
      for (const name of names) {
        if (!inScope.includes(name) || !fits(entry.match?.mode, mode)) continue;
        if (entry.disabled === true) result.delete(name);
        else {
          const expression = expressions.has(name) ? expressions.get(name) : entry.filter?.expression;
          result.set(name, { expression, origin: { resource: level, index } });
        }
      }
    }
  }
  return [...result]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, choice]) => {
      const provider = find(name);
      return provider === undefined ? [] : [{ provider, ...choice }];
    });
}

/** Istio's names for its metrics, and Prometheus's. */
const METRICS: Readonly<Record<string, string>> = {
  REQUEST_COUNT: 'requests_total',
  REQUEST_DURATION: 'request_duration_milliseconds',
  REQUEST_SIZE: 'request_bytes',
  RESPONSE_SIZE: 'response_bytes',
  TCP_OPENED_CONNECTIONS: 'tcp_connections_opened_total',
  TCP_CLOSED_CONNECTIONS: 'tcp_connections_closed_total',
  TCP_SENT_BYTES: 'tcp_sent_bytes_total',
  TCP_RECEIVED_BYTES: 'tcp_received_bytes_total',
  GRPC_REQUEST_MESSAGES: 'request_messages_total',
  GRPC_RESPONSE_MESSAGES: 'response_messages_total',
};

function metrics(
  chosen: readonly TelemetryResource[],
  defaults: readonly string[],
  mode: Mode,
  find: Find,
): MetricsChoice | undefined {
  const levels = chosen.flatMap((t) => t.spec.metrics ?? []);
  let reportingInterval: string | undefined;
  const isPrometheus = (name: string): boolean => find(name)?.prometheus !== undefined;
  if (levels.length === 0) return defaults.some(isPrometheus) ? { overrides: [], reportingInterval } : undefined;
  let inScope: readonly string[] = defaults;
  for (const level of levels) if (namesOf(level.providers).length > 0) inScope = namesOf(level.providers);
  let parent: readonly string[] = defaults;
  let enabled = false;
  let dropped = false;
  const overrides = new Map<string, { disabled: boolean; tags: Map<string, telemetry.MetricsOverrides_TagOverride> }>();
  for (const level of levels) {
    const own = namesOf(level.providers);
    const names = own.length > 0 ? own : parent;
    parent = names;
    if (!names.some((name) => inScope.includes(name) && isPrometheus(name))) continue;
    enabled = true;
    reportingInterval = level.reportingInterval ?? reportingInterval;
    for (const override of level.overrides ?? []) {
      if (!fits(override.match?.mode, mode)) continue;
      if (override.match?.metric === 'ALL_METRICS' && override.disabled === true) {
        dropped = true;
        continue;
      }
      dropped = false;
      for (const name of metricNames(override.match)) {
        let entry = overrides.get(name);
        if (entry === undefined) overrides.set(name, (entry = { disabled: false, tags: new Map() }));
        if (override.disabled !== undefined) entry.disabled = override.disabled;
        for (const [tag, value] of Object.entries(override.tagOverrides ?? {})) entry.tags.set(tag, value);
      }
    }
  }
  if (!enabled || dropped) return undefined;
  const changed = [...overrides]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { disabled, tags }]) => {
      const sorted = [...tags].toSorted(([a], [b]) => (a < b ? -1 : 1));
      const kept = sorted.filter(([, tag]) => tag.operation !== 'REMOVE');
      return {
        name: METRICS[name] ?? name,
        disabled,
        dimensions: Object.fromEntries(kept.map(([tag, { value }]) => [tag, value ?? ''])),
        tagsToRemove: sorted.filter(([, tag]) => tag.operation === 'REMOVE').map(([tag]) => tag),
      };
    });
  return { overrides: changed, reportingInterval };
}

function metricNames(match: telemetry.MetricSelector | undefined): readonly string[] {
  if (match?.customMetric !== undefined) return [match.customMetric];
  if (match?.metric === undefined || match.metric === 'ALL_METRICS') return Object.keys(METRICS);
  return [match.metric];
}

function tracing(
  chosen: readonly TelemetryResource[],
  defaults: readonly string[],
  mode: Mode,
  find: Find,
): TracingChoice | undefined {
  const levels = chosen.flatMap((t) => t.spec.tracing ?? []);
  if (levels.length === 0 && defaults.length === 0) return undefined;
  const result: { -readonly [K in keyof TracingChoice]: TracingChoice[K] } = {
    provider: defaults[0] === undefined ? undefined : find(defaults[0]),
    unnamed: defaults[0] === undefined,
    disabled: false,
    randomSamplingPercentage: undefined,
    customTags: undefined,
    enableIstioTags: true,
    useRequestIdForTraceSampling: true,
  };
  for (const level of levels) {
    if (!fits(level.match?.mode, mode)) continue;
    const [name] = namesOf(level.providers);
    if (name !== undefined) {
      result.provider = find(name);
      result.unnamed = false;
    }
    result.disabled = level.disableSpanReporting ?? result.disabled;
    result.customTags = level.customTags ?? result.customTags;
    result.randomSamplingPercentage = level.randomSamplingPercentage ?? result.randomSamplingPercentage;
    result.enableIstioTags = level.enableIstioTags ?? result.enableIstioTags;
    result.useRequestIdForTraceSampling = level.useRequestIdForTraceSampling ?? result.useRequestIdForTraceSampling;
  }
  return result;
}
