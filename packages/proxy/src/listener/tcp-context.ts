import type { Random } from '../deps.ts';
import type { TcpProxyProgram } from '../program/types.ts';
import type { LbContext, StreamInfo, UpstreamHost } from '../types.ts';

/** What a host for a connection is chosen by. */
export function lbContext(
  info: StreamInfo,
  program: TcpProxyProgram,
  metadataMatch: LbContext['metadataMatch'],
  avoid: readonly UpstreamHost[],
): LbContext {
  const { connection } = info;
  return {
    hash: program.hashKey?.(connection).key,
    metadataMatch,
    avoid,
    avoidAttempts: avoid.length > 0 ? 3 : 0,
    authority: connection.requestedServerName === '' ? '' : `${connection.requestedServerName}:${connection.localPort}`,
    priority: 'DEFAULT',
    client:
      program.tlvs === undefined || connection.socketEnds !== undefined
        ? connection
        : { ...connection, proxyTlvs: program.tlvs(info) },
    stream: { info },
  };
}

/** Of the request for a tunnel; noted for the log. */
export function newRequestId(info: StreamInfo, random: Random, metadataKey: string): string {
  const id = random.uuid();
  const own = 'envoy.filters.network.tcp_proxy';
  const { dynamicMetadata } = info;
  info.dynamicMetadata = { ...dynamicMetadata, [own]: { ...dynamicMetadata?.[own], [metadataKey]: id } };
  return id;
}
