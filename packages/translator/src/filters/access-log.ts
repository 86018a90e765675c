import type { JsonObject, types } from '@mizzen/xds';
import type { Build, ListenerClass } from '../listener/build.ts';
import { DEFAULT_JSON_FORMAT, DEFAULT_TEXT_FORMAT, formatters } from './access-log-format.ts';
import { meshServiceLog, serviceLog } from './access-log-services.ts';
import { metricsLog } from './metrics-log.ts';
import { defined, typed } from './typed.ts';
import type { AccessLogChoice } from './telemetry.ts';

type AccessLog = types.accesslog.AccessLog;
type AccessLogFilter = types.accesslog.AccessLogFilter;

/** No filter chain was found for a connection: nothing but the listener can log that. */
const NOT_ROUTED: AccessLogFilter = { responseFlagFilter: { flags: ['NR'] } };

const ENDED: Readonly<Record<'http' | 'tcp', AccessLogFilter>> = {
  http: { logTypeFilter: { types: ['DownstreamPeriodic'], exclude: true } },
  tcp: { logTypeFilter: { types: ['TcpConnectionEnd'] } },
};

/** Access logs of an HTTP connection manager or a TCP proxy, of `only` these; undefined when there are none. */
export function accessLogs(
  build: Build,
  listener: ListenerClass,
  carries: 'http' | 'tcp',
  only?: AccessLogFilter,
): readonly AccessLog[] | undefined {
  const metrics = metricsLog(build, listener, carries);
  if (metrics === undefined) return nonEmpty(logs(build, listener, carries, only));
  // Connections and calls that go on report to the metrics, and to nobody else.
  return [...logs(build, listener, carries, both(only, ENDED[carries])), filtered(metrics, both(only, metrics.filter))];
}

/** Access logs of a listener. */
export function listenerAccessLogs(build: Build, listener: ListenerClass): readonly AccessLog[] | undefined {
  if (build.context.model.mesh.disableEnvoyListenerLog === true) return undefined;
  return nonEmpty(logs(build, listener, 'listener', NOT_ROUTED));
}

function logs(
  build: Build,
  listener: ListenerClass,
  carries: 'http' | 'tcp' | 'listener',
  filter: AccessLogFilter | undefined,
): readonly AccessLog[] {
  const choices = build.telemetry.accessLogs(listener);
  if (choices === undefined) return meshLogs(build, carries, filter);
  return choices.flatMap((choice) => {
    const log = choiceLog(build, choice);
    if (log === undefined) return [];
    const { expression } = choice;
    const made = filtered(log, both(filter, expression === undefined ? undefined : expressionFilter(expression)));
    const { origin } = choice;
    return [
      origin === undefined ? made : build.marks.mark(made, origin.resource, ['spec', 'accessLogging', origin.index]),
    ];
  });
}

/** Where nobody asked through the Telemetry API. */
function meshLogs(
  build: Build,
  carries: 'http' | 'tcp' | 'listener',
  filter: AccessLogFilter | undefined,
): readonly AccessLog[] {
  const { context, marks } = build;
  const { mesh: config, snapshot } = context.model;
  const path = config.accessLogFile ?? '';
  const found = path === '' ? [] : [fileLog(build, path, meshFormat(build))];
  if (config.enableEnvoyAccessLogService === true && context.profile === 'istio') found.push(meshServiceLog(carries));
  return found.map((log) => {
    const made = filtered(log, filter);
    return snapshot.meshSource === undefined ? made : marks.mark(made, snapshot.meshSource, []);
  });
}

function choiceLog(build: Build, choice: AccessLogChoice): AccessLog | undefined {
  const { provider } = choice;
  const format = choiceFormat(build, choice);
  if (format !== undefined) return fileLog(build, provider.envoyFileAccessLog?.path || '/dev/stdout', format);
  return serviceLog(build, provider);
}

function filtered(log: AccessLog, filter: AccessLogFilter | undefined): AccessLog {
  return filter === undefined ? log : { ...log, filter };
}

/** What Envoy would write to its standard output goes to the file of its workload, where the runtime names one. */
function fileLog(build: Build, written: string, logFormat: types.core.SubstitutionFormatString): AccessLog {
  const path = written === '/dev/stdout' ? (build.context.proxy.local?.accessLog ?? written) : written;
  return {
    name: 'envoy.access_loggers.file',
    typedConfig: typed('envoy.extensions.access_loggers.file.v3.FileAccessLog', { path, logFormat }),
  };
}

function meshFormat(build: Build): types.core.SubstitutionFormatString {
  const { mesh: config } = build.context.model;
  const format = config.accessLogFormat ?? '';
  if (config.accessLogEncoding !== 'JSON') return textFormat(build, format, undefined);
  return jsonFormat(
    build,
    format === '' ? DEFAULT_JSON_FORMAT : (parseObject(format) ?? DEFAULT_JSON_FORMAT),
    undefined,
  );
}

function choiceFormat(build: Build, { provider }: AccessLogChoice): types.core.SubstitutionFormatString | undefined {
  const log = provider.envoyFileAccessLog;
  if (log === undefined) return undefined;
  const omitEmpty = log.omitEmptyValues === true ? true : undefined;
  if (provider.name === 'envoy' && log.logFormat === undefined && omitEmpty === undefined) return meshFormat(build);
  const labels = log.logFormat?.labels as JsonObject | undefined;
  if (labels !== undefined)
    return jsonFormat(build, Object.keys(labels).length > 0 ? labels : DEFAULT_JSON_FORMAT, omitEmpty);
  return textFormat(build, log.logFormat?.text ?? '', omitEmpty);
}

function textFormat(
  build: Build,
  format: string,
  omitEmptyValues: true | undefined,
): types.core.SubstitutionFormatString {
  const inlineString = format === '' ? DEFAULT_TEXT_FORMAT : format.endsWith('\n') ? format : `${format}\n`;
  return defined({ textFormatSource: { inlineString }, omitEmptyValues, formatters: formatters(inlineString) });
}

function jsonFormat(
  build: Build,
  format: JsonObject,
  omitEmptyValues: true | undefined,
): types.core.SubstitutionFormatString {
  return defined({
    jsonFormat: format,
    jsonFormatOptions: {},
    omitEmptyValues,
    formatters: formatters(JSON.stringify(format)),
  });
}

/** Of an expression in CEL. */
export function expressionFilter(expression: string): AccessLogFilter {
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
