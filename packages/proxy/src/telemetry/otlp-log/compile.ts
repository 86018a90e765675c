import type { types } from '@mizzen/xds';
import type * as binaryModule from '@mizzen/xds/binary/index.ts';
import { compileGrpcMethod } from '../../filter/grpc-service.ts';
import { filterStateOf } from '../../filter-state/state.ts';
import type { CompileContext } from '../../program/context.ts';
import type { Path } from '../../program/path.ts';
import type { AccessLogService, LogSource } from '../../program/types.ts';
import { milliseconds } from '../../program/values.ts';
import { httpServiceCall } from '../../tracing/collector.ts';
import { detectResource, SDK } from '../../tracing/resource.ts';
import { compileFormatters } from '../access-log-text.ts';
import { compileTags } from '../grpc-log/custom-tags.ts';
import { utf8 } from '../grpc-log/text.ts';
import { RecordBatch, type BatchSettings } from './batch.ts';
import { compileAttributes, compileValue } from './values.ts';

type Config = types.otlpAccessLog.OpenTelemetryAccessLogConfig;
type KeyValue = types.otlpCommon.KeyValue;

const SERVICE = 'opentelemetry.proto.collector.logs.v1';
const REQUEST = `${SERVICE}.ExportLogsServiceRequest`;
const FLUSH_INTERVAL = 1000;
const BUFFER_BYTES = 16_384;

/** Records for a collector of OpenTelemetry, about requests or connections. */
export function otlpLog(context: CompileContext, config: Config, path: Path): AccessLogService {
  const { clock, counter } = context.deps;
  const formatOptions = compileFormatters(context, config.formatters, [...path, 'formatters']);
  const body =
    config.body === undefined || Object.keys(config.body).length === 0
      ? undefined
      : compileValue(context, config.body, [...path, 'body'], formatOptions);
  const attributes = compileAttributes(context, config.attributes, [...path, 'attributes'], formatOptions);
  const tags = compileTags(context, config.customTags, [...path, 'customTags']).toSorted((a, b) =>
    a.name < b.name ? -1 : 1,
  );
  const states = config.filterStateObjectsToLog ?? [];
  const prefix = `access_logs.open_telemetry_access_log.${config.statPrefix ? `${config.statPrefix}.` : ''}`;
  const batch = new RecordBatch(clock, {
    ...sizes(config),
    written: counter(`${prefix}logs_written`),
    dropped: counter(`${prefix}logs_dropped`),
    send: compileSend(context, config, path),
  });
  return {
    log: (source) => {
      const all = attributes(source);
      for (const key of states) {
        const value = filterStateOf(source.info, key)?.text;
        if (value !== undefined) all.push(pair(key, JSON.stringify(utf8(value))));
      }
      for (const { name, value } of tags) {
        const found = value(source);
        if (found !== undefined && found !== '') all.push(pair(name, utf8(found)));
      }
      batch.add({
        timeUnixNano: `${Math.round(source.info.startWall * 1000)}000`,
        ...(body === undefined ? {} : { body: body(source) }),
        ...(all.length === 0 ? {} : { attributes: all }),
        ...traceOf(source),
      });
    },
  };
}

function pair(key: string, stringValue: string): KeyValue {
  return { key, value: { stringValue } };
}

/** The span of the request, where it is traced. */
function traceOf(source: LogSource): { readonly traceId: string; readonly spanId: string } | undefined {
  const span = source.tracing?.ids;
  return span === undefined
    ? undefined
    : { traceId: bytes(span.traceId.padStart(32, '0')), spanId: bytes(span.spanId) };
}

function bytes(hexadecimal: string): string {
  return Buffer.from(hexadecimal, 'hex').toString('base64');
}

/** As in Envoy, what a gRPC service is told by itself does not say when. */
function sizes({ commonConfig, grpcService, ...own }: Config): Pick<BatchSettings, 'interval' | 'bytes'> {
  const from = commonConfig ?? (grpcService === undefined ? own : {});
  return {
    interval: milliseconds(from.bufferFlushInterval, FLUSH_INTERVAL),
    bytes: from.bufferSizeBytes ?? BUFFER_BYTES,
  };
}

function compileSend(context: CompileContext, config: Config, path: Path): BatchSettings['send'] {
  const { commonConfig, httpService, grpcService } = config;
  const services = [commonConfig?.grpcService, httpService, grpcService].filter((one) => one !== undefined);
  if (services.length !== 1) {
    context.refuse(path, 'must have exactly one of `grpcService`, `httpService` and `commonConfig.grpcService`');
    return () => Promise.reject(new Error('nobody takes records'));
  }
  const resource = { attributes: resourceOf(context, config, path) };
  const request = (logs: readonly types.otlpLogs.LogRecord[]): object => ({
    resourceLogs: [{ resource, instrumentationLibraryLogs: [{ logs }] }],
  });
  if (httpService !== undefined) {
    const { calls } = context.deps;
    const own = [
      'content-type',
      'application/x-protobuf',
      'user-agent',
      `OTel-OTLP-Exporter-${SDK.name}/${SDK.version}`,
    ];
    const call = httpServiceCall(context, httpService, own, [...path, 'httpService']);
    // Protobuf is loaded by the first records that leave, once.
    let binary: Promise<typeof binaryModule> | undefined;
    return async (records) => {
      const { encode } = await (binary ??= import('@mizzen/xds/binary/index.ts'));
      const { status } = await calls.http({ ...call(), body: Buffer.from(encode(REQUEST, request(records))) }).answer;
      if (status < 200 || status > 299) throw new Error(`the collector answered ${status}`);
    };
  }
  const method = compileGrpcMethod(
    context,
    grpcService ?? commonConfig?.grpcService,
    {
      name: `${SERVICE}.LogsService/Export`,
      requestType: REQUEST,
      answerType: `${SERVICE}.ExportLogsServiceResponse`,
    },
    0,
    grpcService === undefined ? [...path, 'commonConfig', 'grpcService'] : [...path, 'grpcService'],
  );
  return (records) => method.call(request(records)).answer;
}

/** What is said of the proxy with all of its records. */
function resourceOf(context: CompileContext, config: Config, path: Path): KeyValue[] {
  const { zone = '', serviceCluster = '', nodeId = '' } = context.deps;
  const logName = config.logName || config.commonConfig?.logName || '';
  const own = config.disableBuiltinLabels
    ? []
    : [
        pair('log_name', logName),
        pair('zone_name', zone),
        pair('cluster_name', serviceCluster),
        pair('node_name', nodeId),
      ];
  const detected = detectResource(context, config.resourceDetectors, [...path, 'resourceDetectors']);
  return [
    ...own,
    ...[...detected].map(([key, value]) => pair(key, value)),
    ...(config.resourceAttributes?.values ?? []),
  ];
}
