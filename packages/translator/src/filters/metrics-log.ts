import type { types } from '@mizzen/xds';
import { logsMetrics, metricsCluster } from '../context.ts';
import { LOCAL_ENDPOINT } from '../endpoint/endpoint.ts';
import type { Build, ListenerClass } from '../listener/build.ts';
import { statsConfig } from './istio.ts';
import { defined, extension } from './typed.ts';

type AccessLog = types.accesslog.AccessLog;
type AccessLogFilter = types.accesslog.AccessLogFilter;
type CustomTag = NonNullable<types.grpcAccessLog.CommonGrpcAccessLogConfig['customTags']>[number];

/** What the name of a log says about how its entries are to be counted: a `stats.PluginConfig`, and for whom. */
export interface MetricsLogName extends types.istioStats.PluginConfig {
  readonly direction: 'INBOUND' | 'OUTBOUND';
}

/** What an entry has no field for. */
const TAGS: readonly CustomTag[] = [
  { tag: 'flags', value: '%RESPONSE_FLAGS%' },
  { tag: 'peer', value: '%UPSTREAM_PEER_URI_SAN%' },
  { tag: 'local', value: '%UPSTREAM_LOCAL_URI_SAN%' },
  ofEndpoint('workload', 'istio'),
  ofEndpoint('app', LOCAL_ENDPOINT),
  ofEndpoint('version', LOCAL_ENDPOINT),
  // Also of requests that got no endpoint.
  { tag: 'services', value: '%CLUSTER_METADATA(istio:services)%' },
  // Of gRPC, as two numbers.
  { tag: 'messages', value: '%FILTER_STATE(envoy.filters.http.grpc_stats:PLAIN)%' },
];

/** How often connections that go on report, as Istio's metrics have it; nothing where nobody wants to know. */
export function connectionReports(build: Build, listener: ListenerClass): types.tcpProxy.TcpProxy {
  const accessLogFlushInterval = interval(build, listener);
  if (accessLogFlushInterval === undefined) return {};
  return { accessLogOptions: { accessLogFlushInterval, flushAccessLogOnConnected: true } };
}

/** The same of gRPC calls, whose messages are counted as they go on. */
export function callReports(
  build: Build,
  listener: ListenerClass,
): types.hcm.HttpConnectionManager_HcmAccessLogOptions | undefined {
  const accessLogFlushInterval = interval(build, listener);
  return accessLogFlushInterval === undefined ? undefined : { accessLogFlushInterval };
}

function interval(build: Build, listener: ListenerClass): string | undefined {
  const stats = logsMetrics(build.context.proxy) ? statsConfig(build, listener) : undefined;
  return stats === undefined ? undefined : (stats.tcpReportingDuration ?? '5s');
}

/** Requests that end, and calls of gRPC that go on. */
const REPORTED: AccessLogFilter = {
  orFilter: {
    filters: [
      { logTypeFilter: { types: ['DownstreamPeriodic'], exclude: true } },
      { headerFilter: { header: { name: 'content-type', stringMatch: { prefix: 'application/grpc' } } } },
    ],
  },
};

/**
 * Entries of everything that Istio's metrics count, for whoever makes them of it: a plain Envoy has none. Undefined for all
 * other proxies, and where no provider wants metrics.
 */
export function metricsLog(build: Build, listener: ListenerClass, carries: 'http' | 'tcp'): AccessLog | undefined {
  const clusterName = metricsCluster(build.context.proxy);
  const stats = clusterName === undefined ? undefined : statsConfig(build, listener);
  if (stats === undefined) return undefined;
  const name: MetricsLogName = { direction: listener === 'inbound' ? 'INBOUND' : 'OUTBOUND', ...stats };
  const commonConfig: types.grpcAccessLog.CommonGrpcAccessLogConfig = {
    logName: JSON.stringify(name),
    grpcService: { envoyGrpc: { clusterName } },
    transportApiVersion: 'V3',
    bufferFlushInterval: '0.1s',
    customTags: TAGS,
  };
  if (carries === 'tcp')
    return extension('envoy.tcp_grpc_access_log', 'envoy.extensions.access_loggers.grpc.v3.TcpGrpcAccessLogConfig', {
      commonConfig,
    });
  const log: AccessLog = extension(
    'envoy.access_loggers.http_grpc',
    'envoy.extensions.access_loggers.grpc.v3.HttpGrpcAccessLogConfig',
    defined({
      commonConfig,
      additionalRequestHeadersToLog: ['content-type', ...namedFields(stats, 'request')],
      additionalResponseHeadersToLog: ['grpc-status', ...namedFields(stats, 'response')],
      additionalResponseTrailersToLog: ['grpc-status'],
    }),
  );
  return { ...log, filter: REPORTED };
}

/** Header fields that expressions name. */
function namedFields({ metrics = [] }: types.istioStats.PluginConfig, of: 'request' | 'response'): readonly string[] {
  const expressions = metrics.flatMap(({ dimensions = {} }) => Object.values(dimensions));
  const names = expressions.flatMap((text) =>
    [...text.matchAll(/\b(request|response)\.headers\[\s*(?:'([^']+)'|"([^"]+)")/g)].flatMap(([, side, one, two]) =>
      side === of ? [(one ?? two ?? '').toLowerCase()] : [],
    ),
  );
  return [...new Set(names)].toSorted();
}

function ofEndpoint(key: string, filter: string): CustomTag {
  return { tag: key, metadata: { kind: { host: {} }, metadataKey: { key: filter, path: [{ key }] } } };
}
