import type { JsonObject, types } from '@mizzen/xds';
import type { FormatOptions } from './operators/operator.ts';
import type { CompileContext } from '../program/context.ts';
import type { Path } from '../program/path.ts';
import { messageOf } from '../program/read-resource.ts';
import type { AccessLogProgram, LogSource } from '../program/types.ts';
import { checkLogFile, dataSource } from '../program/values.ts';
import { compileAccessLogFilter } from './access-log-filter.ts';
import { jsonFormatter } from './access-log-format.ts';
import { compileFormatters, operatorDeps, text } from './access-log-text.ts';
import { marking, mayBeBroken, withoutMarks } from './json-bytes.ts';
import { otlpLog } from './otlp-log/compile.ts';
import { httpGrpcLog, tcpGrpcLog } from './grpc-log/compile.ts';
import { sortedJson } from './value-text.ts';

/** Envoy's own format, for access logs that name none. */
export const DEFAULT_FORMAT =
  '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" ' +
  '%RESPONSE_CODE% %RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% %DURATION% ' +
  '%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" ' +
  '"%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%"\n';

/** Compiles access loggers. Those that only Istio's build of Envoy has are left out. */
export function compileAccessLogs(
  context: CompileContext,
  logs: readonly types.accesslog.AccessLog[] | undefined,
  path: Path,
): AccessLogProgram[] {
  return (logs ?? []).flatMap((log, i) => compileAccessLog(context, log, [...path, i]) ?? []);
}

function compileAccessLog(
  context: CompileContext,
  log: types.accesslog.AccessLog,
  path: Path,
): AccessLogProgram | undefined {
  const config = log.typedConfig;
  if (config === undefined) {
    context.refuse([...path, 'typedConfig'], 'must say where to log to');
    return undefined;
  }
  const target = targetOf(context, config, [...path, 'typedConfig']);
  if (target === undefined) return undefined;
  const shouldLog =
    log.filter === undefined ? undefined : compileAccessLogFilter(context, log.filter, [...path, 'filter']);
  return { shouldLog, target };
}

function targetOf(
  context: CompileContext,
  config: { readonly '@type': string },
  path: Path,
): AccessLogProgram['target'] | undefined {
  switch (messageOf(config['@type'])) {
    case 'envoy.extensions.access_loggers.stream.v3.StdoutAccessLog':
    case 'envoy.extensions.access_loggers.stream.v3.StderrAccessLog': {
      const { logFormat } = config as types.fileAccessLog.FileAccessLog;
      const file = config['@type'].includes('Stdout') ? '/dev/stdout' : '/dev/stderr';
      return { path: file, format: formatOf(context, logFormat, [...path, 'logFormat']) };
    }
    case 'envoy.extensions.access_loggers.file.v3.FileAccessLog': {
      const file = config as types.fileAccessLog.FileAccessLog;
      if (file.path === undefined || file.path === '') context.refuse([...path, 'path'], 'must not be empty');
      checkLogFile(context, file.path, [...path, 'path']);
      return { path: file.path ?? '', format: fileFormat(context, file, path) };
    }
    case 'envoy.extensions.access_loggers.grpc.v3.HttpGrpcAccessLogConfig':
      return httpGrpcLog(context, config as types.grpcAccessLog.HttpGrpcAccessLogConfig, path);
    case 'envoy.extensions.access_loggers.grpc.v3.TcpGrpcAccessLogConfig':
      return tcpGrpcLog(context, config as types.grpcAccessLog.TcpGrpcAccessLogConfig, path);
    case 'envoy.extensions.access_loggers.open_telemetry.v3.OpenTelemetryAccessLogConfig':
      return otlpLog(context, config as types.otlpAccessLog.OpenTelemetryAccessLogConfig, path);
    default:
      context.refuse(path, `\`${config['@type']}\` is not an access logger that is supported`);
      return undefined;
  }
}

function fileFormat(
  context: CompileContext,
  file: types.fileAccessLog.FileAccessLog,
  path: Path,
): (source: LogSource) => string {
  if (file.format !== undefined && file.format !== '') return text(context, file.format, '-', [...path, 'format']);
  if (file.jsonFormat !== undefined)
    return json(context, file.jsonFormat, { typed: false, omitEmpty: false }, [...path, 'jsonFormat']);
  if (file.typedJsonFormat !== undefined)
    return json(context, file.typedJsonFormat, { typed: true, omitEmpty: false }, [...path, 'typedJsonFormat']);
  return formatOf(context, file.logFormat, [...path, 'logFormat']);
}

/** The text that a format string gives, newline of JSON included. Without one: Envoy's own format. */
export function formatOf(
  context: CompileContext,
  format: types.core.SubstitutionFormatString | undefined,
  path: Path,
): (source: LogSource) => string {
  const absent = format?.omitEmptyValues === true ? '' : '-';
  const formatOptions = compileFormatters(context, format?.formatters, [...path, 'formatters']);
  if (format?.textFormat !== undefined)
    return text(context, format.textFormat, absent, [...path, 'textFormat'], formatOptions);
  if (format?.textFormatSource !== undefined) {
    const source = dataSource(context, format.textFormatSource, [...path, 'textFormatSource']);
    return source === undefined
      ? () => ''
      : text(context, source.toString('utf8'), absent, [...path, 'textFormatSource'], formatOptions);
  }
  if (format?.jsonFormat !== undefined) {
    const options = { typed: true, omitEmpty: format.omitEmptyValues === true };
    return json(context, format.jsonFormat, options, [...path, 'jsonFormat'], formatOptions);
  }
  return text(context, DEFAULT_FORMAT, '-', path);
}

function json(
  context: CompileContext,
  format: JsonObject,
  options: { readonly typed: boolean; readonly omitEmpty: boolean },
  path: Path,
  formatOptions?: FormatOptions,
): (source: LogSource) => string {
  const deps = operatorDeps(context, formatOptions);
  const formatter = jsonFormatter(format, deps, options);
  const careful = jsonFormatter(format, deps, { ...options, each: marking });
  if (typeof formatter === 'function' && typeof careful === 'function') {
    return (source) => {
      const line = sortedJson(formatter(source) ?? {});
      return `${mayBeBroken(line) ? withoutMarks(sortedJson(careful(source) ?? {})) : line}\n`;
    };
  }
  if ('problem' in formatter) context.refuse(path, formatter.problem);
  return () => '\n';
}
