import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { Deps } from '../deps.ts';
import type { InternalListener } from '../http/runtime.ts';
import type { TcpStatsProgram } from '../istio/stats/tcp.ts';
import type { GateDecision, TcpProxyProgram } from '../program/types.ts';
import type { AccessLogger } from '../telemetry/open-logs.ts';
import { ResponseFlag, type ConnectionInfo, type StreamInfo, type UpstreamCluster } from '../types.ts';
import type { ActiveConnection } from './connections.ts';
import { wasReset } from './splice.ts';
import { newStreamInfo } from './stream-info.ts';

export interface TcpProxyRuntime {
  readonly program: TcpProxyProgram;
  readonly deps: Deps;
  readonly stats: TcpProxyStats;
  readonly accessLoggers: readonly AccessLogger[];
  cluster(name: string): UpstreamCluster | undefined;
  internalListener(name: string): InternalListener | undefined;
  /** Keep Istio's metrics of its connections. */
  readonly meters: readonly TcpStatsProgram[];
}

/** A connection whose handshake is to come, or has failed. */
export interface PendingTcp extends ActiveConnection {
  secured(socket: TLSSocket, connection: ConnectionInfo): void;
  unsecured(connection: ConnectionInfo, how: Partial<StreamInfo>): void;
}

export interface TcpProxyStats {
  downstream_cx_total: number;
  downstream_cx_active: number;
  downstream_cx_no_route: number;
  downstream_cx_rx_bytes_total: number;
  downstream_cx_tx_bytes_total: number;
  idle_timeout: number;
  early_data_received_count_total: number;
  max_downstream_connection_duration: number;
}

export function newTcpProxyStats(): TcpProxyStats {
  return {
    downstream_cx_total: 0,
    downstream_cx_active: 0,
    downstream_cx_no_route: 0,
    downstream_cx_rx_bytes_total: 0,
    downstream_cx_tx_bytes_total: 0,
    idle_timeout: 0,
    early_data_received_count_total: 0,
    max_downstream_connection_duration: 0,
  };
}

/** The access log of a connection that a filter before this one denied. */
export function logDenied(
  connection: ConnectionInfo,
  runtime: TcpProxyRuntime,
  { details, responseDetails = '', flags }: GateDecision,
  metadata: StreamInfo['dynamicMetadata'],
): void {
  runtime.stats.downstream_cx_total++;
  const info = newStreamInfo(connection, runtime.deps.clock);
  info.connectionTerminationDetails = details;
  info.responseCodeDetails = responseDetails;
  info.responseFlags |= flags;
  info.dynamicMetadata = metadata;
  info.responseEndTime = info.startTime;
  for (const meter of runtime.meters) meter.begin(info).end();
  for (const log of runtime.accessLoggers) log({ info, logType: 'TcpConnectionEnd' });
}

/** The access log of a connection whose handshake failed before anything was made of it. */
export function logUnsecured(connection: ConnectionInfo, runtime: TcpProxyRuntime, how: Partial<StreamInfo>): void {
  runtime.stats.downstream_cx_total++;
  const info = newStreamInfo(connection, runtime.deps.clock);
  Object.assign(info, how, { responseEndTime: info.startTime });
  for (const log of runtime.accessLoggers) log({ info, logType: 'TcpConnectionEnd' });
}

/** Returns the flags of that. */
export function noteReset(info: StreamInfo, upstream: Duplex): number {
  if (!wasReset(upstream)) return 0;
  info.connection.closeType = 'LocalReset';
  info.connection.upstreamCloseType = 'RemoteReset';
  return ResponseFlag.UR;
}
