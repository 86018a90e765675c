import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { FilterState } from '../filter-state/state.ts';
import { beginExchange, type ExchangeProgram, type PeerExchange } from '../istio/exchange.ts';
import { DOWNSTREAM_PEER } from '../istio/peer.ts';
import { movePlan } from '../http/plan.ts';
import type {
  FilterChainProgram,
  GateDecision,
  NetworkFilterProgram,
  NetworkGate,
  NetworkRbacProgram,
  NetworkStateProgram,
} from '../program/types.ts';
import { NO_HELLO, type ClientHello } from '../tls/client-hello.ts';
import { DownstreamTls, TIMED_OUT } from '../tls/server.ts';
import type { ConnectionInfo, PeerTls } from '../types.ts';
import type { ConnectionLog } from './connection-log.ts';
import { Connections, type ActiveConnection } from './connections.ts';
import { serveDirect, serveEcho } from './direct.ts';
import { inspect } from './inspect.ts';
import {
  answersOf,
  hcmRuntime,
  lastHttp,
  lastTcp,
  tcpRuntime,
  type FilterMetadata,
  type LastFilter,
  type ListenerSettings,
} from './last-filter.ts';
import type { ListenerServices, ListenerStats } from './services.ts';
import { newStreamInfo } from './stream-info.ts';
import { resetToo } from './splice.ts';
import { tlsStep } from './steps.ts';
import type { PendingTcp } from './tcp-runtime.ts';

/** What is known of a connection before its chain's transport socket has had its say. */
export type PlainInfo = Omit<ConnectionInfo, 'tls'>;

const RBAC = 'envoy.filters.network.rbac';
const HELLO = [tlsStep];

/** A filter chain in force: what a connection goes through after it was chosen. */
export class ChainRuntime {
  /** Changes when anything of the chain's configuration does. */
  readonly key: string;
  readonly connections = new Connections();
  #program: FilterChainProgram;
  readonly #services: ListenerServices;
  readonly #tls: DownstreamTls | undefined;
  readonly #of: ListenerSettings;
  readonly #stats: ListenerStats;
  #gates!: readonly Gate[];
  #states!: readonly NetworkStateProgram[];
  #exchange: ExchangeProgram | undefined;
  #last!: LastFilter;
  /** The configuration of some filter has not come. */
  #lacksFilter = false;

  constructor(
    key: string,
    program: FilterChainProgram,
    of: ListenerSettings,
    services: ListenerServices,
    stats: ListenerStats,
  ) {
    this.key = key;
    this.#stats = stats;
    this.#program = program;
    this.#services = services;
    this.#of = of;
    this.#tls =
      program.tls === undefined
        ? undefined
        : new DownstreamTls(program.tls, services.tls, services.deps.clock, stats.ssl);
    this.#takeFilters();
  }

  get index(): number {
    return this.#program.index;
  }

  /**
   * Goes on with what filters have discovered: a connection manager of the same configuration with its connections, other
   * network filters with those to come.
   */
  adopt(program: FilterChainProgram): void {
    this.#program = program;
    this.#takeFilters();
  }

  #takeFilters(): void {
    const program = this.#program;
    this.#gates = program.filters.flatMap((filter) =>
      filter.kind === 'rbac'
        ? [rbacGate(filter.rbac)]
        : filter.kind === 'gate'
          ? [{ gate: filter.gate, delayDeny: 0, continuous: false }]
          : filter.kind === 'connection_limit'
            ? [{ gate: filter.limit.gate, delayDeny: filter.limit.delay, continuous: false, leavesUnread: true }]
            : [],
    );
    this.#states = program.filters.flatMap((filter) => (filter.kind === 'set_filter_state' ? [filter.state] : []));
    const exchange = program.filters.find(({ kind }) => kind === 'peer_exchange');
    this.#exchange = exchange?.kind === 'peer_exchange' ? exchange.exchange : undefined;
    this.#lacksFilter = program.filters.some(({ kind }) => kind === 'missing');
    this.#last = this.#takeLast(program.filters.at(-1));
  }

  #takeLast(last: NetworkFilterProgram | undefined): LastFilter {
    const services = this.#services;
    if (last?.kind === 'http_connection_manager') {
      const now = hcmRuntime(last.hcm, this.#of, services, answersOf(this.#stats, last.hcm.statPrefix));
      const before = this.#last?.http;
      if (before?.config === last.config) {
        movePlan(before.runtime.program, last.hcm);
        Object.assign(before.runtime, now);
        return this.#last;
      }
      return lastHttp(now, last.config, services);
    }
    if (last?.kind === 'tcp_proxy') {
      const onData = this.#states.some((state) => state.onData !== undefined)
        ? (info: ConnectionInfo): void => this.#setState('onData', info)
        : undefined;
      const { filters } = this.#program;
      const meters = filters.flatMap((filter) => (filter.kind === 'istio_stats' ? [filter.stats] : []));
      const runtime = tcpRuntime(last.tcp, this.#of.direction, services, meters);
      return lastTcp(runtime, onData, (socket, info) => this.#beginExchange(socket, info));
    }
    return {
      unsecured: () => undefined,
      serve:
        last?.kind === 'direct_response'
          ? (socket, _info, _metadata, record) => {
              if (record !== undefined) record.responseCodeDetails = 'direct_response';
              return serveDirect(socket, last.response, services.deps.clock);
            }
          : serveEcho,
      logDenied: () => undefined,
    };
  }

  /** The socket's bytes are unread. */
  accept(
    socket: Socket | TLSSocket,
    info: PlainInfo,
    hello: ClientHello | undefined,
    log: ConnectionLog | undefined,
  ): void {
    if (log !== undefined) log.info.filterChainName = this.#program.name;
    if (this.#lacksFilter) {
      this.#stats.network_extension_config_missing++;
      return void socket.destroy();
    }
    let named = this.#program.name === '' ? info : { ...info, filterChainName: this.#program.name };
    const { metadata } = this.#program;
    if (metadata !== undefined)
      named = { ...named, configured: { listener: named.configured?.listener, chain: metadata } };
    if (this.#states.length > 0 || this.#exchange !== undefined) {
      named = { ...named, filterState: named.filterState ?? new FilterState() };
      this.#setState('onNewConnection', { ...named, tls: undefined });
    }
    if (this.#tls === undefined) return this.#run(socket, { ...named, tls: undefined }, log);
    const before = this.#begin(socket as Socket, named, log);
    if (socket.destroyed) return;
    const timeout = this.#program.transportSocketConnectTimeout;
    if (hello !== undefined) return this.#secure(this.#tls, socket as Socket, named, hello, timeout, log, before);
    // Certificate, cipher and ALPN follow from what the client says.
    const { clock } = this.#services.deps;
    const started = clock.now();
    inspect(
      socket,
      HELLO,
      timeout,
      clock,
      (found) => {
        const left = timeout === 0 ? 0 : Math.max(1, timeout - (clock.now() - started));
        if (found.notHello !== undefined)
          return this.#tls!.refuse(socket as Socket, found.notHello, (reason, peer) =>
            this.#unsecured(reason, named, peer, log, before),
          );
        this.#secure(this.#tls!, socket as Socket, named, found.hello ?? NO_HELLO, left, log, before);
      },
      (why) => {
        socket.destroy();
        this.#unsecured(why === 'timeout' ? TIMED_OUT : '', named, this.#tls!.stranger(), log, before);
      },
    );
  }

  #secure(
    tls: DownstreamTls,
    socket: Socket,
    info: PlainInfo,
    hello: ClientHello,
    timeout: number,
    log: ConnectionLog | undefined,
    before: PendingTcp | undefined,
  ): void {
    tls.accept(
      socket,
      hello,
      timeout,
      (accepted) => {
        const { applicationProtocol } = accepted;
        this.#run(accepted.socket, { ...info, tls: accepted.peer, applicationProtocol }, log, before);
      },
      (reason, peer) => this.#unsecured(reason, info, peer, log, before),
    );
  }

  /** The handshake failed. The filter that would have taken the connection has been there since it was accepted. */
  #unsecured(
    reason: string,
    plain: PlainInfo,
    peer: PeerTls | undefined,
    log: ConnectionLog | undefined,
    before: PendingTcp | undefined,
  ): void {
    const timedOut = reason === TIMED_OUT;
    const info: ConnectionInfo = { ...plain, tls: peer };
    if (timedOut) {
      this.#stats.downstream_cx_transport_socket_connect_timeout++;
      info.closeReason = 'transport_socket_timeout';
    }
    const how = timedOut ? { connectionTerminationDetails: TIMED_OUT } : { downstreamTransportFailureReason: reason };
    if (log !== undefined) log.connection = info;
    log?.fail(how);
    if (before !== undefined) return before.unsecured(info, how);
    this.#last.unsecured(info, how);
  }

  /** Where nobody before it has a say, a TCP proxy looks for an upstream while the client shakes hands. */
  #begin(socket: Socket, info: PlainInfo, log: ConnectionLog | undefined): PendingTcp | undefined {
    if (this.#last.begin === undefined || this.#gates.length > 0 || this.#exchange !== undefined) return undefined;
    const connection: ConnectionInfo = { ...info, tls: this.#tls?.stranger() };
    if (log !== undefined) log.connection = connection;
    return this.#last.begin(socket, connection, log?.info);
  }

  #run(socket: Socket | TLSSocket, info: ConnectionInfo, log: ConnectionLog | undefined, before?: PendingTcp): void {
    if (log !== undefined) {
      log.socket = socket;
      log.connection = info;
      log.http = this.#last.http !== undefined;
      log.tcp = this.#last.tcp === true;
    }
    this.#setState('onHandshake', info);
    // Whoever carries requests has seen data by the time that anybody looks.
    if (before !== undefined) {
      before.secured(socket as TLSSocket, info);
      return this.#keep(socket, before);
    }
    const isHttp = this.#last.http !== undefined;
    if (isHttp) this.#setState('onData', info);
    const metadata = info.listenerMetadata === undefined ? undefined : { ...info.listenerMetadata };
    const go = (): void => this.#pass(socket, info, log, metadata, 0);
    if (isHttp && this.#exchange !== undefined && this.#exchange.protocol === info.applicationProtocol)
      stripFirst(socket, this.#beginExchange(socket, info)!, go);
    else go();
  }

  /** Says who this is to a client that agreed to it. */
  #beginExchange(socket: Socket | TLSSocket, info: ConnectionInfo): PeerExchange | undefined {
    const program = this.#exchange;
    if (program === undefined) return undefined;
    return beginExchange(program, info.filterState!, DOWNSTREAM_PEER, info.applicationProtocol, socket);
  }

  #setState(when: keyof NetworkStateProgram, info: ConnectionInfo): void {
    for (const state of this.#states) {
      const set = state[when];
      if (set !== undefined) set(info.filterState!, { info: newStreamInfo(info, this.#services.deps.clock) });
    }
  }

  /** Goes through the gates from the given one on, then to the filter that takes the connection. */
  #pass(
    socket: Socket | TLSSocket,
    info: ConnectionInfo,
    log: ConnectionLog | undefined,
    metadata: FilterMetadata,
    from: number,
  ): void {
    for (let i = from; i < this.#gates.length; i++) {
      const { gate, delayDeny, leavesUnread } = this.#gates[i]!;
      const go = (decision: GateDecision): boolean => {
        if (decision.metadata !== undefined) metadata = addMetadata(metadata, decision.metadata);
        if (decision.allowed) return true;
        noteReason(info, decision);
        if (log !== undefined) {
          log.info.connectionTerminationDetails = decision.details;
          log.info.responseFlags |= decision.flags;
        }
        this.#last.logDenied(info, decision, metadata);
        this.#deny(socket, delayDeny, leavesUnread === true ? info : undefined);
        return false;
      };
      const result = gate.check(info, metadata);
      if (gate.ended !== undefined) {
        const allowed = 'allowed' in result && result.allowed;
        socket.once('close', () => gate.ended!(allowed));
      }
      if ('decision' in result) {
        const gone = (): void => result.cancel();
        socket.once('close', gone);
        socket.once('error', ignore);
        void result.decision.then((decision) => {
          socket.off('close', gone);
          socket.off('error', ignore);
          if (!socket.destroyed && go(decision)) this.#pass(socket, info, log, metadata, i + 1);
        });
        return;
      }
      if (!go(result)) return;
    }
    const connection = this.#last.serve(socket, info, metadata, log?.info);
    if (log !== undefined && connection.socket !== undefined) log.socket = connection.socket;
    this.#keep(socket, connection);
    for (const gate of this.#gates) if (gate.continuous) this.#watch(gate, socket, info, metadata);
  }

  #keep(socket: Socket | TLSSocket, connection: ActiveConnection): void {
    this.connections.add(connection);
    socket.once('close', () => this.connections.delete(connection));
  }

  /** Asks again whenever more than the first bytes come. */
  #watch({ gate, delayDeny }: Gate, socket: Socket | TLSSocket, info: ConnectionInfo, metadata: FilterMetadata): void {
    let first = true;
    socket.prependListener('data', () => {
      const result = first ? undefined : gate.check(info, metadata);
      first = false;
      if (result === undefined || 'decision' in result || result.allowed) return;
      noteReason(info, result);
      if (delayDeny > 0) socket.pause();
      this.#deny(socket, delayDeny);
    });
  }

  /** `unread`: what has come meanwhile is left where it is, so that its sender is told of a reset. */
  #deny(socket: Socket | TLSSocket, delay: number, unread?: ConnectionInfo): void {
    socket.on('error', () => undefined);
    if (delay === 0) return void socket.destroy();
    this.#services.deps.clock.after(delay, () => {
      const left = socket.readableLength;
      if (unread === undefined || left === 0) return void socket.destroy();
      unread.unread = left;
      resetToo(socket);
    });
  }
}

/** Requests come after what the client says of itself. */
function stripFirst(socket: Socket | TLSSocket, exchange: PeerExchange, then: () => void): void {
  const onData = (chunk: Buffer): void => {
    const rest = exchange.read(chunk);
    if (!exchange.done) return;
    socket.off('data', onData);
    socket.off('end', gone);
    socket.off('error', ignore);
    socket.pause();
    if (rest !== undefined) socket.unshift(rest);
    then();
  };
  const gone = (): void => void socket.destroy();
  socket.on('error', ignore);
  socket.on('end', gone);
  socket.on('data', onData);
}

interface Gate {
  readonly gate: NetworkGate;
  /** How long a connection that is refused stays open, milliseconds. */
  readonly delayDeny: number;
  /** It decides on each read. */
  readonly continuous: boolean;
  readonly leavesUnread?: true;
}

function rbacGate(rbac: NetworkRbacProgram): Gate {
  return {
    delayDeny: rbac.delayDeny,
    continuous: rbac.enforcement === 'CONTINUOUS',
    gate: {
      text: 'authorization',
      check: (connection, before) => {
        const { allowed, details, metadata } = rbac.check(connection, undefined, before);
        return {
          allowed,
          details,
          closeReason: 'rbac_deny_close',
          closesUpstream: true,
          flags: 0,
          metadata: metadata === undefined ? undefined : { [RBAC]: metadata },
        };
      },
    },
  };
}

function noteReason(connection: ConnectionInfo, { closeReason, closesUpstream }: GateDecision): void {
  connection.closeReason = closeReason;
  if (closesUpstream === true) connection.upstreamCloseReason = closeReason;
}

function addMetadata(to: FilterMetadata, added: NonNullable<GateDecision['metadata']>): FilterMetadata {
  const all = { ...to };
  for (const [name, value] of Object.entries(added)) all[name] = { ...all[name], ...value };
  return all;
}

function ignore(): void {}
