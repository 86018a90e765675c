import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { newAnswerCounts, type AnswerCounts, type HcmRuntime } from '../http/runtime.ts';
import type { PeerExchange } from '../istio/exchange.ts';
import type { GateDecision, HcmProgram, ListenerProgram, RouteSource, TcpProxyProgram } from '../program/types.ts';
import { openLogs } from '../telemetry/open-logs.ts';
import type { ConnectionInfo, StreamInfo } from '../types.ts';
import type { ActiveConnection } from './connections.ts';
import type { Direction, ListenerServices, ListenerStats } from './services.ts';
import { beginTcp, serveTcp } from './tcp-serve.ts';
import { logDenied, logUnsecured, type PendingTcp, type TcpProxyRuntime } from './tcp-runtime.ts';

export type FilterMetadata = StreamInfo['dynamicMetadata'];

/** What chains need to know of their listener. */
export type ListenerSettings = Pick<ListenerProgram, 'direction' | 'drainType' | 'perConnectionBufferLimit'>;

/** How a handshake came to its end, as logs tell; details only where this side gave it up. */
export type HandshakeFailure = Pick<StreamInfo, 'connectionTerminationDetails' | 'downstreamTransportFailureReason'>;

/** The filter that takes connections. */
export interface LastFilter {
  /** A TCP proxy writes to the listener's record of the connection, if that is kept. */
  readonly serve: (
    socket: Socket | TLSSocket,
    info: ConnectionInfo,
    metadata: FilterMetadata,
    record: StreamInfo | undefined,
  ) => ActiveConnection;
  /** The handshake failed. */
  readonly unsecured: (info: ConnectionInfo, how: HandshakeFailure) => void;
  readonly logDenied: (info: ConnectionInfo, decision: GateDecision, metadata: FilterMetadata) => void;
  /** It is a TCP proxy. */
  readonly tcp?: true;
  /** It has something to do before the handshake. */
  readonly begin?: (socket: Socket, info: ConnectionInfo, record: StreamInfo | undefined) => PendingTcp;
  /** It is a connection manager, of that configuration. */
  readonly http?: { readonly config: object; readonly runtime: HcmRuntime };
}

export function lastHttp(runtime: HcmRuntime, config: object, services: ListenerServices): LastFilter {
  return {
    http: { config, runtime },
    unsecured: (_info, { connectionTerminationDetails }) => {
      const { stats } = runtime;
      stats.downstream_cx_total++;
      stats.downstream_cx_ssl_total++;
      stats.downstream_cx_destroy++;
      if (connectionTerminationDetails !== undefined) stats.downstream_cx_destroy_local++;
      else stats.downstream_cx_destroy_remote++;
    },
    serve: (socket, info) => {
      const connection = services.serveHttp(socket, info, runtime);
      // Whoever looked at its first bytes left it paused.
      if (socket.isPaused()) socket.resume();
      return connection;
    },
    logDenied: () => {
      runtime.stats.downstream_cx_total++;
      runtime.stats.downstream_cx_destroy++;
      runtime.stats.downstream_cx_destroy_local++;
    },
  };
}

export function lastTcp(
  runtime: TcpProxyRuntime,
  onData: ((info: ConnectionInfo) => void) | undefined,
  exchange: (socket: Socket | TLSSocket, info: ConnectionInfo) => PeerExchange | undefined,
): LastFilter {
  return {
    tcp: true,
    unsecured: (info, how) => logUnsecured(info, runtime, how),
    // Meters are told of a connection when it is known who is there.
    ...(runtime.program.connects === 'at once' && runtime.meters.length === 0
      ? { begin: (socket, info, record) => beginTcp(socket, info, runtime, record, onData) }
      : {}),
    serve: (socket, info, metadata, record) =>
      serveTcp(socket, info, runtime, metadata, record, onData, exchange(socket, info)),
    logDenied: (info, decision, metadata) => logDenied(info, runtime, decision, metadata),
  };
}

export function hcmRuntime(
  program: HcmProgram,
  { direction, drainType, perConnectionBufferLimit: bufferLimit }: ListenerSettings,
  services: ListenerServices,
  listenerAnswers: AnswerCounts,
): HcmRuntime {
  const { routes } = program;
  return {
    program,
    routes: routeLookup(routes, services),
    cluster: (name) => services.cluster(name),
    internalListener: (name) => services.internalListener(name),
    healthFailed: () => drainType === 'DEFAULT' && services.healthFailed(),
    deps: services.deps,
    stats: services.stats.hcm(program.statPrefix, direction),
    listenerAnswers,
    bufferLimit,
    codec: services.stats.codec,
    requestGroups: services.stats.requestGroups,
    asyncRequests: services.asyncRequests,
    accessLoggers: openLogs(program.accessLogs, services.accessLog),
    upstreamLoggers: openLogs(program.router.upstreamLogs, services.accessLog),
  };
}

/** How a request finds its route configuration. */
function routeLookup(source: RouteSource, services: ListenerServices): HcmRuntime['routes'] {
  if (source.kind === 'inline') return () => source.config;
  if (source.kind === 'rds') return () => services.routes(source.name);
  const scopes = new Map([...source.scopes].map(([key, single]) => [key, routeLookup(single, services)]));
  return (request) => {
    const key = source.key(request);
    return key === undefined ? undefined : scopes.get(key)?.(request);
  };
}

export function tcpRuntime(
  program: TcpProxyProgram,
  direction: Direction,
  services: ListenerServices,
  meters: TcpProxyRuntime['meters'],
): TcpProxyRuntime {
  return {
    meters,
    program,
    deps: services.deps,
    stats: services.stats.tcp(program.statPrefix, direction),
    accessLoggers: openLogs(program.accessLogs, services.accessLog),
    cluster: (name) => services.cluster(name),
    internalListener: (name) => services.internalListener(name),
  };
}

export function answersOf({ answers }: ListenerStats, prefix: string): AnswerCounts {
  let counts = answers.get(prefix);
  if (counts === undefined) answers.set(prefix, (counts = newAnswerCounts()));
  return counts;
}
