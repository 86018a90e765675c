import type { types } from '@mizzen/xds';
import type { CompileContext } from '../../program/context.ts';
import type { Path } from '../../program/path.ts';
import type { AccessLogService, LogService, LogSource } from '../../program/types.ts';
import { asciiLower, milliseconds } from '../../program/values.ts';
import { operators } from '../access-log-operators.ts';
import { commonProperties, type CommonOptions } from './common.ts';
import { compileTags } from './custom-tags.ts';
import { HeaderBytes, httpEntry } from './http-entry.ts';
import { compileMetadata } from '../../program/grpc-metadata.ts';

const FLUSH_INTERVAL = 1000;
const BUFFER_BYTES = 16_384;

/** Entries about requests, for `envoy.service.accesslog.v3.AccessLogService`. */
export function httpGrpcLog(
  context: CompileContext,
  config: types.grpcAccessLog.HttpGrpcAccessLogConfig,
  path: Path,
): AccessLogService {
  const common = commonOptions(context, config.commonConfig, [...path, 'commonConfig']);
  const send = context.deps.calls.logs(service(context, 'http', config.commonConfig, [...path, 'commonConfig']));
  const fields = {
    request: (config.additionalRequestHeadersToLog ?? []).map(asciiLower),
    response: (config.additionalResponseHeadersToLog ?? []).map(asciiLower),
    trailers: (config.additionalResponseTrailersToLog ?? []).map(asciiLower),
    bytes: new HeaderBytes(operatorDeps(context)),
  };
  return {
    log: (source) => send({ commonProperties: commonProperties(source, common), ...httpEntry(source, fields) }),
  };
}

/** Entries about connections. */
export function tcpGrpcLog(
  context: CompileContext,
  config: types.grpcAccessLog.TcpGrpcAccessLogConfig,
  path: Path,
): AccessLogService {
  const common = commonOptions(context, config.commonConfig, [...path, 'commonConfig']);
  const send = context.deps.calls.logs(service(context, 'tcp', config.commonConfig, [...path, 'commonConfig']));
  return {
    log: (source) => {
      const { bytesReceived, bytesSent } = source.info;
      send({
        commonProperties: commonProperties(source, common),
        connectionProperties: { receivedBytes: String(bytesReceived), sentBytes: String(bytesSent) },
      });
    },
  };
}

function operatorDeps({ deps: { clock, random, env } }: CompileContext): Parameters<(typeof operators)[string]>[1] {
  return { env, wall: () => clock.wall(), uuid: () => random.uuid() };
}

function commonOptions(
  context: CompileContext,
  config: types.grpcAccessLog.CommonGrpcAccessLogConfig | undefined,
  path: Path,
): CommonOptions {
  const streamId = operators['STREAM_ID']!(undefined, operatorDeps(context)) as (source: LogSource) => string;
  return {
    clock: context.deps.clock,
    streamId,
    filterState: config?.filterStateObjectsToLog ?? [],
    tags: compileTags(context, config?.customTags, [...path, 'customTags']),
  };
}

function service(
  context: CompileContext,
  kind: LogService['kind'],
  config: types.grpcAccessLog.CommonGrpcAccessLogConfig | undefined,
  path: Path,
): LogService {
  if (config?.logName === undefined || config.logName === '') context.refuse([...path, 'logName'], 'must not be empty');
  const { envoyGrpc, initialMetadata, retryPolicy } = config?.grpcService ?? {};
  const at = [...path, 'grpcService'];
  if (envoyGrpc?.clusterName === undefined || envoyGrpc.clusterName === '')
    context.refuse([...at, 'envoyGrpc', 'clusterName'], 'must not be empty');
  if (retryPolicy !== undefined) context.refuse([...at, 'retryPolicy'], 'streams of log entries are not tried again');
  if (envoyGrpc?.retryPolicy !== undefined)
    context.refuse([...at, 'envoyGrpc', 'retryPolicy'], 'streams of log entries are not tried again');
  return {
    kind,
    cluster: envoyGrpc?.clusterName ?? '',
    authority: envoyGrpc?.authority ?? '',
    metadata: compileMetadata(context, initialMetadata, at)(),
    skipEnvoyHeaders: envoyGrpc?.skipEnvoyHeaders === true,
    logName: config?.logName ?? '',
    interval: milliseconds(config?.bufferFlushInterval, FLUSH_INTERVAL),
    bytes: config?.bufferSizeBytes ?? BUFFER_BYTES,
  };
}
