import type { JsonObject, types } from '@mizzen/xds';
import type { mesh } from '@mizzen/api';
import type { Build, ListenerClass } from '../listener/build.ts';
import { defined, typed } from './typed.ts';
import type { AccessLogChoice } from './telemetry.ts';

type AccessLog = types.accesslog.AccessLog;
type AccessLogFilter = types.accesslog.AccessLogFilter;

/** Istio's own line, when nothing else is configured. */
export const DEFAULT_TEXT_FORMAT =
  '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% %RESPONSE_FLAGS% ' +
  '%RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% "%UPSTREAM_TRANSPORT_FAILURE_REASON%" %BYTES_RECEIVED% ' +
  '%BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" ' +
  '"%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%" %UPSTREAM_CLUSTER_RAW% %UPSTREAM_LOCAL_ADDRESS% ' +
  '%DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_REMOTE_ADDRESS% %REQUESTED_SERVER_NAME% %ROUTE_NAME%\n';

/** Istio's own JSON object. */
export const DEFAULT_JSON_FORMAT: JsonObject = {
  start_time: '%START_TIME%',
  route_name: '%ROUTE_NAME%',
  method: '%REQ(:METHOD)%',
  path: '%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%',
  protocol: '%PROTOCOL%',
  response_code: '%RESPONSE_CODE%',
  response_flags: '%RESPONSE_FLAGS%',
  response_code_details: '%RESPONSE_CODE_DETAILS%',
  connection_termination_details: '%CONNECTION_TERMINATION_DETAILS%',
  bytes_received: '%BYTES_RECEIVED%',
  bytes_sent: '%BYTES_SENT%',
  duration: '%DURATION%',
  upstream_service_time: '%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%',
  x_forwarded_for: '%REQ(X-FORWARDED-FOR)%',
  user_agent: '%REQ(USER-AGENT)%',
  request_id: '%REQ(X-REQUEST-ID)%',
  authority: '%REQ(:AUTHORITY)%',
  upstream_host: '%UPSTREAM_HOST%',
  upstream_cluster: '%UPSTREAM_CLUSTER_RAW%',
  upstream_local_address: '%UPSTREAM_LOCAL_ADDRESS%',
  downstream_local_address: '%DOWNSTREAM_LOCAL_ADDRESS%',
  downstream_remote_address: '%DOWNSTREAM_REMOTE_ADDRESS%',
  requested_server_name: '%REQUESTED_SERVER_NAME%',
  upstream_transport_failure_reason: '%UPSTREAM_TRANSPORT_FAILURE_REASON%',
};

/** Formatters that a format needs beyond the operators Envoy always has: operator, extension, message. */
const FORMATTERS = [
  [
    '%REQ_WITHOUT_QUERY',
    'envoy.formatter.req_without_query',
    'envoy.extensions.formatter.req_without_query.v3.ReqWithoutQuery',
  ],
  ['%METADATA', 'envoy.formatter.metadata', 'envoy.extensions.formatter.metadata.v3.Metadata'],
  ['%CEL', 'envoy.formatter.cel', 'envoy.extensions.formatter.cel.v3.Cel'],
] as const;

/** No filter chain was found for a connection: nothing but the listener can log that. */
const NOT_ROUTED: AccessLogFilter = { responseFlagFilter: { flags: ['NR'] } };

/** Access logs of an HTTP connection manager or a TCP proxy; undefined when there are none. */
export function accessLogs(build: Build, listener: ListenerClass): readonly AccessLog[] | undefined {
  return nonEmpty(logs(build, listener, undefined));
}

/** Access logs of a listener. */
export function listenerAccessLogs(build: Build, listener: ListenerClass): readonly AccessLog[] | undefined {
  if (build.context.model.mesh.disableEnvoyListenerLog === true) return undefined;
  return nonEmpty(logs(build, listener, NOT_ROUTED));
}

function logs(build: Build, listener: ListenerClass, filter: AccessLogFilter | undefined): readonly AccessLog[] {
  const { mesh: config, snapshot } = build.context.model;
  const choices = build.telemetry.accessLogs(listener);
  if (choices === undefined) {
    const path = config.accessLogFile ?? '';
    if (path === '') return [];
    const log = fileLog(path, meshFormat(config), filter);
    return [snapshot.meshSource === undefined ? log : build.marks.mark(log, snapshot.meshSource, [])];
  }
  return choices.flatMap((choice) => {
    const format = choiceFormat(choice, config);
    if (format === undefined) return [];
    const log = fileLog(
      choice.provider.envoyFileAccessLog?.path ?? '/dev/stdout',
      format,
      both(filter, build.context.proxy.local === undefined ? expressionFilter(choice) : undefined),
    );
    const { origin } = choice;
    return [
      origin === undefined ? log : build.marks.mark(log, origin.resource, ['spec', 'accessLogging', origin.index]),
    ];
  });
}

function fileLog(
  path: string,
  logFormat: types.core.SubstitutionFormatString,
  filter: AccessLogFilter | undefined,
): AccessLog {
  return defined({
    name: 'envoy.access_loggers.file',
    filter,
    typedConfig: typed('envoy.extensions.access_loggers.file.v3.FileAccessLog', { path, logFormat }),
  });
}

function meshFormat(config: mesh.MeshConfig): types.core.SubstitutionFormatString {
  const format = config.accessLogFormat ?? '';
  if (config.accessLogEncoding !== 'JSON') return textFormat(format, undefined);
  return jsonFormat(format === '' ? DEFAULT_JSON_FORMAT : (parseObject(format) ?? DEFAULT_JSON_FORMAT), undefined);
}

function choiceFormat(
  { provider }: AccessLogChoice,
  config: mesh.MeshConfig,
): types.core.SubstitutionFormatString | undefined {
  const log = provider.envoyFileAccessLog;
  if (log === undefined) return undefined;
  const omitEmpty = log.omitEmptyValues === true ? true : undefined;
  if (provider.name === 'envoy' && log.logFormat === undefined && omitEmpty === undefined) return meshFormat(config);
  const labels = log.logFormat?.labels as JsonObject | undefined;
  if (labels !== undefined) return jsonFormat(Object.keys(labels).length > 0 ? labels : DEFAULT_JSON_FORMAT, omitEmpty);
  return textFormat(log.logFormat?.text ?? '', omitEmpty);
}

function textFormat(format: string, omitEmptyValues: true | undefined): types.core.SubstitutionFormatString {
  const inlineString = format === '' ? DEFAULT_TEXT_FORMAT : format.endsWith('\n') ? format : `${format}\n`;
  return defined({ textFormatSource: { inlineString }, omitEmptyValues, formatters: formatters(inlineString) });
}

function jsonFormat(format: JsonObject, omitEmptyValues: true | undefined): types.core.SubstitutionFormatString {
  return defined({
    jsonFormat: format,
    jsonFormatOptions: {},
    omitEmptyValues,
    formatters: formatters(JSON.stringify(format)),
  });
}

function formatters(format: string): readonly types.core.TypedExtensionConfig[] | undefined {
  return nonEmpty(
    FORMATTERS.filter(([operator]) => format.includes(operator)).map(([, name, message]) => ({
      name,
      typedConfig: typed(message, {}),
    })),
  );
}

function expressionFilter({ expression }: AccessLogChoice): AccessLogFilter | undefined {
  if (expression === undefined) return undefined;
  return {
    extensionFilter: {
      name: 'envoy.access_loggers.extension_filters.cel',
      typedConfig: typed('envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter', { expression }),
    },
  };
}

function both(a: AccessLogFilter | undefined, b: AccessLogFilter | undefined): AccessLogFilter | undefined {
  return a !== undefined && b !== undefined ? { andFilter: { filters: [a, b] } } : (a ?? b);
}

function parseObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
  } catch {
    return undefined;
  }
}

function nonEmpty<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length > 0 ? list : undefined;
}
