import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { PeerExchange } from '../istio/exchange.ts';
import type { ConnectionInfo, StreamInfo } from '../types.ts';
import type { ActiveConnection } from './connections.ts';
import { newStreamInfo } from './stream-info.ts';
import { TcpTunnel } from './tcp-proxy.ts';
import type { PendingTcp, TcpProxyRuntime } from './tcp-runtime.ts';

type FilterMetadata = StreamInfo['dynamicMetadata'];

/**
 * Takes over a connection: chooses a cluster and a host, connects, and passes bytes both ways until both sides ended.
 * `metadata` is what filters before this one noted, for the access log. `record` is used in place of one of its own.
 */
export function serveTcp(
  socket: Socket | TLSSocket,
  connection: ConnectionInfo,
  runtime: TcpProxyRuntime,
  metadata: FilterMetadata,
  record?: StreamInfo,
  onFirstData?: (connection: ConnectionInfo) => void,
  exchange?: PeerExchange,
): ActiveConnection {
  const info = record ?? newStreamInfo(connection, runtime.deps.clock);
  info.dynamicMetadata = metadata;
  const tunnel = new TcpTunnel(socket, runtime, info, onFirstData, exchange);
  tunnel.start();
  return tunnel;
}

/**
 * Takes over a connection whose handshake is to come: there will be somewhere to go by then. Told how the handshake ended, or
 * that the socket is closed.
 */
export function beginTcp(
  socket: Socket,
  connection: ConnectionInfo,
  runtime: TcpProxyRuntime,
  record: StreamInfo | undefined,
  onFirstData: ((connection: ConnectionInfo) => void) | undefined,
): PendingTcp {
  const info = record ?? newStreamInfo(connection, runtime.deps.clock);
  if (connection.listenerMetadata !== undefined) info.dynamicMetadata = { ...connection.listenerMetadata };
  const tunnel = new TcpTunnel(socket, runtime, info, onFirstData, undefined, false);
  tunnel.start();
  return tunnel;
}
