import type { JsonObject, types } from '@mizzen/xds';
import type { mesh } from '@mizzen/api';
import type { Build } from '../listener/build.ts';
import { DEFAULT_TEXT_FORMAT, formatters } from './access-log-format.ts';
import { providerService, type ProviderService } from '../provider-service.ts';
import { defined, extension } from './typed.ts';

type AccessLog = types.accesslog.AccessLog;
type Provider = mesh.MeshConfig_ExtensionProvider;

/** Bootstraps of Istio's proxies have it, from ProxyConfig's `envoyAccessLogService`. */
const BOOTSTRAP_CLUSTER = 'envoy_accesslog_service';
/** What metadata exchange learned of the peers; only Istio's proxies have it. */
const PEERS = ['upstream_peer', 'downstream_peer'];
const PEERS_AND_OLD_NAMES = [
  ...PEERS,
  'wasm.upstream_peer',
  'wasm.upstream_peer_id',
  'wasm.downstream_peer',
  'wasm.downstream_peer_id',
];

/** A provider that takes access logs over gRPC; undefined when it is none, or its service is not known. */
export function serviceLog(build: Build, provider: Provider): AccessLog | undefined {
  const { model } = build.context;
  const { envoyHttpAls: http, envoyTcpAls: tcp, envoyOtelAls: otel } = provider;
  const settings = http ?? tcp ?? otel;
  const target = settings && providerService(model, settings.service, settings.port);
  if (target === undefined) return undefined;
  if (otel !== undefined) return openTelemetryLog(build, otel, target);
  if (tcp !== undefined)
    return tcpLog(commonConfig(build, target, tcp.logName || 'tcp_envoy_accesslog', tcp.filterStateObjectsToLog));
  return extension(
    'envoy.access_loggers.http_grpc',
    'envoy.extensions.access_loggers.grpc.v3.HttpGrpcAccessLogConfig',
    defined({
      commonConfig: commonConfig(build, target, http?.logName || 'http_envoy_accesslog', http?.filterStateObjectsToLog),
      additionalRequestHeadersToLog: nonEmpty(http?.additionalRequestHeadersToLog),
      additionalResponseHeadersToLog: nonEmpty(http?.additionalResponseHeadersToLog),
      additionalResponseTrailersToLog: nonEmpty(http?.additionalResponseTrailersToLog),
    }),
  );
}

/** MeshConfig's `enableEnvoyAccessLogService`, for requests, connections, or what only a listener sees. */
export function meshServiceLog(carries: 'http' | 'tcp' | 'listener'): AccessLog {
  const grpcService = { envoyGrpc: { clusterName: BOOTSTRAP_CLUSTER } };
  const config = (logName: string): types.grpcAccessLog.CommonGrpcAccessLogConfig => ({
    logName,
    grpcService,
    transportApiVersion: 'V3',
    filterStateObjectsToLog: PEERS_AND_OLD_NAMES,
  });
  if (carries !== 'http') return tcpLog(config(carries === 'tcp' ? 'tcp_envoy_accesslog' : 'listener_envoy_accesslog'));
  return extension(
    'envoy.access_loggers.http_grpc',
    'envoy.extensions.access_loggers.grpc.v3.HttpGrpcAccessLogConfig',
    { commonConfig: config('http_envoy_accesslog') },
  );
}

function tcpLog(config: types.grpcAccessLog.CommonGrpcAccessLogConfig): AccessLog {
  return extension('envoy.tcp_grpc_access_log', 'envoy.extensions.access_loggers.grpc.v3.TcpGrpcAccessLogConfig', {
    commonConfig: config,
  });
}

function openTelemetryLog(
  build: Build,
  { logName, logFormat }: mesh.MeshConfig_ExtensionProvider_EnvoyOpenTelemetryLogProvider,
  target: ProviderService,
): AccessLog {
  const stringValue = logFormat?.text || DEFAULT_TEXT_FORMAT;
  const labels = Object.entries((logFormat?.labels ?? {}) as JsonObject).toSorted(([a], [b]) => (a < b ? -1 : 1));
  const values = labels.map(([key, value]) => ({
    key,
    value: { stringValue: typeof value === 'string' ? value : '' },
  }));
  return extension(
    'envoy.access_loggers.open_telemetry',
    'envoy.extensions.access_loggers.open_telemetry.v3.OpenTelemetryAccessLogConfig',
    defined({
      commonConfig: {
        ...commonConfig(build, target, logName || 'otel_envoy_accesslog', undefined),
        ...(build.context.profile === 'istio' ? { filterStateObjectsToLog: PEERS_AND_OLD_NAMES } : {}),
      },
      disableBuiltinLabels: true,
      body: { stringValue },
      attributes: values.length > 0 ? { values } : undefined,
      formatters: formatters(`${stringValue} ${JSON.stringify(logFormat?.labels ?? {})}`),
    }),
  );
}

function commonConfig(
  { context }: Build,
  { cluster, hostname }: ProviderService,
  logName: string,
  written: readonly string[] | undefined,
): types.grpcAccessLog.CommonGrpcAccessLogConfig {
  return defined({
    logName,
    grpcService: { envoyGrpc: { clusterName: cluster, authority: hostname } },
    transportApiVersion: 'V3',
    filterStateObjectsToLog: nonEmpty(written) ?? (context.profile === 'istio' ? PEERS : undefined),
  });
}

function nonEmpty<T>(list: readonly T[] | undefined): readonly T[] | undefined {
  return list === undefined || list.length === 0 ? undefined : list;
}
