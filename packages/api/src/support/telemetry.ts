import type {
  AccessLogging,
  AccessLogging_Filter,
  AccessLogging_LogSelector,
  MetricSelector,
  Metrics,
  MetricsOverrides,
  MetricsOverrides_TagOverride,
  ProviderRef,
  Telemetry,
  Tracing,
  Tracing_CustomTag,
  Tracing_Environment,
  Tracing_Formatter,
  Tracing_Literal,
  Tracing_RequestHeader,
  Tracing_TracingSelector,
} from '../gen/istio.telemetry.v1alpha1.ts';
import { TARGETS } from './targets.ts';
import { byEngine, fields, left, yes } from './types.ts';
import type { MessageTable } from './types.ts';

const TEL = 'istio.telemetry.v1alpha1';
const HCM = 'HttpConnectionManager';
const TRACING = `${HCM}.Tracing`;

/** Only of providers that Mizzen's own proxy does not speak to. */
export const NO_SPANS = left('the proxy does not speak to it', 'use a `zipkin` or `opentelemetry` provider');
const NO_METRICS = left('a plain Envoy keeps its own metrics, and they cannot be changed');

export const telemetry: MessageTable = {
  [`${TEL}.Telemetry`]: fields<Telemetry>({
    selector: yes('workloads it is for; all of its namespace when left out'),
    ...TARGETS,
    tracing: yes('which requests leave spans, and where', `${HCM}.tracing`),
    metrics: byEngine(yes('which metrics are kept, and with which labels', 'PluginConfig.metrics'), NO_METRICS),
    accessLogging: yes('which requests are logged, and where', 'HttpConnectionManager.accessLog'),
  }),
  [`${TEL}.AccessLogging`]: fields<AccessLogging>({
    match: yes('as client, as server, or both'),
    providers: yes('`envoy`, or access logs of `extensionProviders`', 'AccessLog.typedConfig'),
    disabled: yes('switches them off'),
    filter: yes('a CEL expression that must hold', 'AccessLog.filter'),
  }),
  [`${TEL}.AccessLogging.LogSelector`]: fields<AccessLogging_LogSelector>({ mode: yes('CLIENT, SERVER or both') }),
  [`${TEL}.AccessLogging.Filter`]: fields<AccessLogging_Filter>({
    expression: yes('for instance `response.code >= 400`', 'ExpressionFilter.expression'),
  }),
  [`${TEL}.ProviderRef`]: fields<ProviderRef>({ name: yes('its name in `extensionProviders`') }),
  [`${TEL}.Metrics`]: fields<Metrics>({
    providers: byEngine(yes('`prometheus`, or one of `extensionProviders`'), NO_METRICS),
    overrides: byEngine(yes('what is changed about some of them', 'PluginConfig.metrics'), NO_METRICS),
    reportingInterval: byEngine(
      yes('how often connections and gRPC calls that go on report', 'PluginConfig.tcpReportingDuration'),
      NO_METRICS,
    ),
  }),
  [`${TEL}.MetricsOverrides`]: fields<MetricsOverrides>({
    match: byEngine(yes('which metrics, as client, as server, or both'), NO_METRICS),
    disabled: byEngine(yes('they are not kept', 'MetricConfig.drop'), NO_METRICS),
    tagOverrides: byEngine(yes('labels that are changed or left out', 'MetricConfig.dimensions'), NO_METRICS),
  }),
  [`${TEL}.MetricSelector`]: fields<MetricSelector>({
    metric: byEngine(yes("one of Istio's metrics, or all of them", 'MetricConfig.name'), NO_METRICS),
    customMetric: byEngine(yes('a metric by its name', 'MetricConfig.name'), NO_METRICS),
    mode: byEngine(yes('CLIENT, SERVER or both'), NO_METRICS),
  }),
  [`${TEL}.MetricsOverrides.TagOverride`]: fields<MetricsOverrides_TagOverride>({
    operation: byEngine(yes('UPSERT or REMOVE', 'MetricConfig.tagsToRemove'), NO_METRICS),
    value: byEngine(yes('a CEL expression', 'MetricConfig.dimensions'), NO_METRICS),
  }),
  [`${TEL}.Tracing`]: fields<Tracing>({
    match: yes('as client, as server, or both'),
    providers: yes('its name in `extensionProviders`', `${TRACING}.provider`),
    randomSamplingPercentage: yes('share of the requests that leave spans', `${TRACING}.randomSampling`),
    disableSpanReporting: yes('no spans leave', `${HCM}.tracing`),
    customTags: yes('tags of the spans', `${TRACING}.customTags`),
    useRequestIdForTraceSampling: yes(
      'whether X-Request-Id decides',
      'UuidRequestIdConfig.useRequestIdForTraceSampling',
    ),
    enableIstioTags: yes("whether spans have Istio's own tags", `${TRACING}.customTags`),
    disableContextPropagation: left('trace headers are passed on'),
  }),
  [`${TEL}.Tracing.TracingSelector`]: fields<Tracing_TracingSelector>({
    mode: yes('CLIENT, SERVER or both'),
  }),
  [`${TEL}.Tracing.CustomTag`]: fields<Tracing_CustomTag>({
    literal: yes('always the same', 'CustomTag.literal'),
    environment: yes("of the proxy's environment", 'CustomTag.environment'),
    header: yes('of a request header', 'CustomTag.requestHeader'),
    formatter: yes('a text with operators, as in access logs', 'CustomTag.value'),
  }),
  [`${TEL}.Tracing.Literal`]: fields<Tracing_Literal>({
    value: yes('the tag', 'CustomTag.Literal.value'),
  }),
  [`${TEL}.Tracing.Environment`]: fields<Tracing_Environment>({
    name: yes('the variable', 'CustomTag.Environment.name'),
    defaultValue: yes('where it is not set', 'CustomTag.Environment.defaultValue'),
  }),
  [`${TEL}.Tracing.RequestHeader`]: fields<Tracing_RequestHeader>({
    name: yes('the header', 'CustomTag.Header.name'),
    defaultValue: yes('where there is none', 'CustomTag.Header.defaultValue'),
  }),
  [`${TEL}.Tracing.Formatter`]: fields<Tracing_Formatter>({ value: yes('the text', 'CustomTag.value') }),
};
