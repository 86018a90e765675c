import type { types } from '@mizzen/xds';
import { xxHash64 } from '../../lb/xxhash64.ts';
import { compileAccessLogs } from '../../telemetry/access-log.ts';
import type { CompileContext } from '../context.ts';
import type { Path } from '../path.ts';
import { lbMetadata } from '../route/action.ts';
import type { TcpProxyProgram } from '../types.ts';
import { milliseconds } from '../values.ts';

export function compileTcpProxy(context: CompileContext, tcp: types.tcpProxy.TcpProxy, path: Path): TcpProxyProgram {
  if (tcp.statPrefix === undefined || tcp.statPrefix === '')
    context.refuse([...path, 'statPrefix'], 'must not be empty');
  const { cluster, names } = chooser(context, tcp, path);
  const bySource = (tcp.hashPolicy ?? []).some((policy) => policy.sourceIp !== undefined);
  return {
    statPrefix: tcp.statPrefix ?? '',
    cluster,
    clusterNames: names,
    metadataMatch: lbMetadata(tcp.metadataMatch),
    idleTimeout: milliseconds(tcp.idleTimeout, 3_600_000),
    maxDownstreamConnectionDuration: milliseconds(tcp.maxDownstreamConnectionDuration, 0),
    maxConnectAttempts: Math.max(1, tcp.maxConnectAttempts ?? 1),
    hashKey: bySource ? (connection) => ({ key: xxHash64(connection.directRemoteAddress) }) : undefined,
    accessLogs: compileAccessLogs(context, tcp.accessLog, [...path, 'accessLog']),
    accessLogFlushInterval: milliseconds(tcp.accessLogOptions?.accessLogFlushInterval ?? tcp.accessLogFlushInterval, 0),
    flushAccessLogOnConnected:
      (tcp.accessLogOptions?.flushAccessLogOnConnected ?? tcp.flushAccessLogOnConnected) === true,
  };
}

function chooser(
  context: CompileContext,
  tcp: types.tcpProxy.TcpProxy,
  path: Path,
): { readonly cluster: TcpProxyProgram['cluster']; readonly names: readonly string[] } {
  if (tcp.weightedClusters === undefined) {
    const name = tcp.cluster ?? '';
    if (name === '') context.refuse(path, 'must say which cluster connections go to');
    return { cluster: () => name, names: [name] };
  }
  const clusters = (tcp.weightedClusters.clusters ?? []).map((cluster, i) => {
    const at = [...path, 'weightedClusters', 'clusters', i];
    if (cluster.name === undefined || cluster.name === '') context.refuse([...at, 'name'], 'must not be empty');
    if ((cluster.weight ?? 0) < 1) context.refuse([...at, 'weight'], 'must be at least 1');
    return { name: cluster.name ?? '', weight: cluster.weight ?? 0 };
  });
  if (clusters.length === 0) context.refuse([...path, 'weightedClusters', 'clusters'], 'must not be empty');
  const total = clusters.reduce((sum, cluster) => sum + cluster.weight, 0);
  return {
    names: clusters.map((cluster) => cluster.name),
    cluster: (random) => {
      let value = Math.floor(random * total);
      for (const { name, weight } of clusters) {
        value -= weight;
        if (value < 0) return name;
      }
      return clusters.at(-1)!.name;
    },
  };
}
