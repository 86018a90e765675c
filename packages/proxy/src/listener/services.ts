import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Deps } from '../deps.ts';
import type {
  AccessLogSink,
  AnswerCounts,
  CodecStats,
  HcmStats,
  HttpServerConnection,
  InternalListener,
  HcmRuntime,
} from '../http/runtime.ts';
import type { Counter, RouteConfigProgram } from '../program/types.ts';
import type { TlsContexts } from '../tls/context.ts';
import type { DownstreamTlsStats } from '../tls/server.ts';
import type { RequestGroups } from '../telemetry/request-groups.ts';
import type { Histogram } from '../telemetry/histogram.ts';
import type { ConnectionLimit } from './connection-limit.ts';
import type { ConnectionInfo, UpstreamCluster, UpstreamSocket } from '../types.ts';
import type { TcpProxyStats } from './tcp-runtime.ts';

export type Direction = 'INBOUND' | 'OUTBOUND' | 'UNSPECIFIED';

/** Takes over a connection whose destination has been restored. */
export type HandOver = (socket: Socket | TLSSocket, ends: HandedOver) => void;

export type HandedOver = Pick<
  ConnectionInfo,
  'directRemoteAddress' | 'remotePort' | 'localAddress' | 'localPort' | 'socketEnds' | 'listenerMetadata' | 'proxyTlvs'
>;

/** What listeners need of the proxy they belong to. */
export interface ListenerServices {
  readonly deps: Deps;
  readonly tls: TlsContexts;
  readonly stats: ListenerStatsRegistry;
  readonly connections: ConnectionLimit;
  cluster(name: string): UpstreamCluster | undefined;
  routes(name: string): RouteConfigProgram | undefined;
  internalListener(name: string): InternalListener | undefined;
  /** The listener for what is sent to that address, the one for all addresses of the port included. */
  listenerFor(address: string, port: number): HandOver | undefined;
  readonly accessLog: (path: string) => AccessLogSink;
  readonly asyncRequests: Counter;
  serveHttp(socket: UpstreamSocket, info: ConnectionInfo, hcm: HcmRuntime): HttpServerConnection;
  nextConnectionId(): number;
  /** Somebody has said that this proxy is not to get requests any more. */
  healthFailed(): boolean;
}

/** Counters outlive the listener that adds to them: the same name gives the same object again. */
export interface ListenerStatsRegistry {
  hcm(statPrefix: string, direction: Direction): HcmStats;
  tcp(statPrefix: string, direction: Direction): TcpProxyStats;
  listener(statPrefix: string, direction: Direction): ListenerStats;
  readonly codec: CodecStats;
  readonly requestGroups: RequestGroups;
}

export interface ListenerStats {
  downstream_cx_total: number;
  downstream_cx_active: number;
  downstream_cx_destroy: number;
  /** Refused for the listener's own limit, and for that of all. */
  downstream_cx_overflow: number;
  downstream_global_cx_overflow: number;
  /** Connections that listener filters are looking at. */
  downstream_pre_cx_active: number;
  downstream_pre_cx_timeout: number;
  downstream_cx_transport_socket_connect_timeout: number;
  downstream_listener_filter_remote_close: number;
  downstream_listener_filter_error: number;
  no_filter_chain_match: number;
  /** Connections that ended because a filter had no configuration yet. */
  extension_config_missing: number;
  network_extension_config_missing: number;
  readonly downstream_cx_length_ms: Histogram;
  /** Of its connection managers, by stat prefix. */
  readonly answers: Map<string, AnswerCounts>;
  readonly ssl: DownstreamTlsStats;
}
