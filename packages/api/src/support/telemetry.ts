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
import type { MessageTable, Support } from './types.ts';

const TEL = 'istio.telemetry.v1alpha1';
const HCM = 'HttpConnectionManager';
const TRACING = `${HCM}.Tracing`;

/** Only of providers that Mizzen's own proxy does not speak to. */
export const NO_SPANS = left('the proxy does not speak to it', 'use a `zipkin`, `datadog` or `opentelemetry` provider');
/** Those of an Envoy are made of what it logs. */
const metric = (does: string, ...xds: readonly string[]): Support =>
  byEngine(yes(does, ...xds), yes(does, 'HttpGrpcAccessLogConfig.commonConfig'));

export const telemetry: MessageTable = {
  [`${TEL}.Telemetry`]: fields<Telemetry>({
    selector: yes('workloads it is for; all of its namespace when left out'),
    ...TARGETS,
    tracing: yes('which requests leave spans, and where', `${HCM}.tracing`),
    metrics: metric('which metrics are kept, and with which labels', 'PluginConfig.metrics'),
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
    providers: metric('`prometheus`, or one of `extensionProviders`'),
    overrides: metric('what is changed about some of them', 'PluginConfig.metrics'),
    reportingInterval: metric(
      'how often connections and gRPC calls that go on report',
      'PluginConfig.tcpReportingDuration',
    ),
  }),
  [`${TEL}.MetricsOverrides`]: fields<MetricsOverrides>({
    match: metric('which metrics, as client, as server, or both'),
    disabled: metric('they are not kept', 'MetricConfig.drop'),
    tagOverrides: metric('labels that are changed or left out', 'MetricConfig.dimensions'),
  }),
  [`${TEL}.MetricSelector`]: fields<MetricSelector>({
    metric: metric("one of Istio's metrics, or all of them", 'MetricConfig.name'),
    customMetric: metric('a metric by its name', 'MetricConfig.name'),
    mode: metric('CLIENT, SERVER or both'),
  }),
  [`${TEL}.MetricsOverrides.TagOverride`]: fields<MetricsOverrides_TagOverride>({
    operation: metric('UPSERT or REMOVE', 'MetricConfig.tagsToRemove'),
    value: metric('a CEL expression', 'MetricConfig.dimensions'),
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
