import type { types } from '@mizzen/xds';
import { xxHash64, xxHash64OfBytes } from '../../lb/xxhash64.ts';
import { compileAccessLogs } from '../../telemetry/access-log.ts';
import { text } from '../../telemetry/access-log-text.ts';
import type { CompileContext } from '../context.ts';
import { compileHeaderChange } from '../headers.ts';
import type { Path } from '../path.ts';
import { compileConnectionTlvs } from './tlvs.ts';
import { refuseOlderLogOptions } from './log-options.ts';
import { lbMetadata } from '../route/lb-metadata.ts';
import type { TcpProxyProgram, TunnelProgram } from '../types.ts';
import { asciiLower, milliseconds, percent } from '../values.ts';

export function compileTcpProxy(context: CompileContext, tcp: types.tcpProxy.TcpProxy, path: Path): TcpProxyProgram {
  if (tcp.statPrefix === undefined || tcp.statPrefix === '')
    context.refuse([...path, 'statPrefix'], 'must not be empty');
  refuseOlderLogOptions(context, { ...tcp }, ['accessLogFlushInterval', 'flushAccessLogOnConnected'], path);
  const { cluster, names } = chooser(context, tcp, path);
  return {
    statPrefix: tcp.statPrefix ?? '',
    cluster,
    clusterNames: names,
    weighted: tcp.weightedClusters !== undefined,
    metadataMatch: lbMetadata(tcp.metadataMatch),
    idleTimeout: milliseconds(tcp.idleTimeout, 3_600_000),
    maxDownstreamConnectionDuration: milliseconds(tcp.maxDownstreamConnectionDuration, 0),
    maxDurationJitter: percent(tcp.maxDownstreamConnectionDurationJitterPercentage, 0),
    maxConnectAttempts: Math.max(1, tcp.maxConnectAttempts ?? 1),
    backOff: backOff(context, tcp.backoffOptions, [...path, 'backoffOptions']),
    connects: connects(context, tcp, path),
    maxEarlyBytes: tcp.maxEarlyDataBytes,
    hashKey: hashKey(context, tcp.hashPolicy?.[0], [...path, 'hashPolicy', 0]),
    tlvs: compileConnectionTlvs(context, tcp.proxyProtocolTlvs, [...path, 'proxyProtocolTlvs']),
    tunnel:
      tcp.tunnelingConfig === undefined
        ? undefined
        : compileTunnel(context, tcp.tunnelingConfig, [...path, 'tunnelingConfig']),
    accessLogs: compileAccessLogs(context, tcp.accessLog, [...path, 'accessLog']),
    accessLogFlushInterval: milliseconds(tcp.accessLogOptions?.accessLogFlushInterval ?? tcp.accessLogFlushInterval, 0),
    flushAccessLogOnStart: tcp.accessLogOptions?.flushAccessLogOnStart === true,
    flushAccessLogOnConnected:
      (tcp.accessLogOptions?.flushAccessLogOnConnected ?? tcp.flushAccessLogOnConnected) === true,
  };
}

function backOff(
  context: CompileContext,
  given: types.core.BackoffStrategy | undefined,
  path: Path,
): TcpProxyProgram['backOff'] {
  if (given === undefined) return undefined;
  const base = milliseconds(given.baseInterval, 0);
  const max = milliseconds(given.maxInterval, base * 10);
  if (base < 1) context.refuse([...path, 'baseInterval'], 'must be at least 1 ms');
  if (max < base) context.refuse([...path, 'maxInterval'], 'must not be less than `baseInterval`');
  return { base, max };
}

function connects(context: CompileContext, tcp: types.tcpProxy.TcpProxy, path: Path): TcpProxyProgram['connects'] {
  const { upstreamConnectMode = 'IMMEDIATE', maxEarlyDataBytes } = tcp;
  if (upstreamConnectMode !== 'IMMEDIATE' && maxEarlyDataBytes === undefined)
    context.refuse([...path, 'maxEarlyDataBytes'], `must be there for \`${upstreamConnectMode}\``);
  if (upstreamConnectMode === 'ON_DOWNSTREAM_DATA') return 'on data';
  return upstreamConnectMode === 'IMMEDIATE' ? 'at once' : 'when secure';
}

/** There is one policy at most. */
function hashKey(
  context: CompileContext,
  policy: types.envoyType.HashPolicy | undefined,
  path: Path,
): TcpProxyProgram['hashKey'] {
  if (policy?.sourceIp !== undefined) return (connection) => ({ key: xxHash64(connection.directRemoteAddress) });
  if (policy?.filterState === undefined) return undefined;
  const { key = '' } = policy.filterState;
  if (key === '') context.refuse([...path, 'filterState', 'key'], 'must not be empty');
  return (connection) => {
    const hashed = connection.filterState?.get(key)?.hashed;
    return { key: hashed === undefined ? undefined : xxHash64OfBytes(hashed) };
  };
}

function chooser(
  context: CompileContext,
  tcp: types.tcpProxy.TcpProxy,
  path: Path,
): { readonly cluster: TcpProxyProgram['cluster']; readonly names: readonly string[] } {
  const all = lbMetadata(tcp.metadataMatch);
  if (tcp.weightedClusters === undefined) {
    const name = tcp.cluster ?? '';
    if (name === '') context.refuse(path, 'must say which cluster connections go to');
    const only = { name, metadataMatch: all };
    return { cluster: () => only, names: [name] };
  }
  const clusters = (tcp.weightedClusters.clusters ?? []).map((cluster, i) => {
    const at = [...path, 'weightedClusters', 'clusters', i];
    if (cluster.name === undefined || cluster.name === '') context.refuse([...at, 'name'], 'must not be empty');
    if ((cluster.weight ?? 0) < 1) context.refuse([...at, 'weight'], 'must be at least 1');
    const own = lbMetadata(cluster.metadataMatch);
    return {
      name: cluster.name ?? '',
      weight: cluster.weight ?? 0,
      metadataMatch: own === undefined ? all : { ...all, ...own },
    };
  });
  if (clusters.length === 0) context.refuse([...path, 'weightedClusters', 'clusters'], 'must not be empty');
  const total = clusters.reduce((sum, cluster) => sum + cluster.weight, 0);
  return {
    names: clusters.map((cluster) => cluster.name),
    cluster: (random) => {
      let value = Math.floor(random * total);
      for (const cluster of clusters) {
        value -= cluster.weight;
        if (value < 0) return cluster;
      }
      return clusters.at(-1)!;
    },
  };
}

function compileTunnel(
  context: CompileContext,
  tunnel: types.tcpProxy.TcpProxy_TunnelingConfig,
  path: Path,
): TunnelProgram {
  const { hostname = '', usePost = false, postPath = '' } = tunnel;
  if (hostname === '') context.refuse([...path, 'hostname'], 'must not be empty');
  if (postPath !== '' && !usePost) context.refuse([...path, 'postPath'], 'says nothing without `usePost`');
  return {
    hostname: text(context, hostname, '-', [...path, 'hostname']),
    postPath: usePost ? postPath || '/' : undefined,
    requestId:
      tunnel.requestIdExtension === undefined
        ? undefined
        : {
            header: asciiLower(tunnel.requestIdHeader || 'x-request-id'),
            metadataKey: tunnel.requestIdMetadataKey || 'tunnel_request_id',
          },
    headers: {
      of: 'request',
      remove: [],
      changes: (tunnel.headersToAdd ?? []).flatMap(
        (option, i) => compileHeaderChange(context, option, [...path, 'headersToAdd', i]) ?? [],
      ),
    },
  };
}
