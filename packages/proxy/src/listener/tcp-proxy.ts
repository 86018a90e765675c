import { upstreamPeer } from '../tls/upstream-peer.ts';
import { nextConnectionId } from '../http/connection-id.ts';
import { nameCluster } from '../http/info.ts';
import { endsOfSocket } from '../http/socket-ends.ts';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import type { Timer } from '../deps.ts';
import { filterStateOf, sharedState } from '../filter-state/state.ts';
import type { PeerExchange } from '../istio/exchange.ts';
import { exchangeWith } from '../istio/upstream-exchange.ts';
import type { TcpMeter } from '../istio/stats/tcp.ts';
import type { AccessLogType, TunnelProgram } from '../program/types.ts';
import {
  ResponseFlag,
  type ConnectionInfo,
  type LbContext,
  type StreamInfo,
  type UpstreamCluster,
  type UpstreamHost,
  type UpstreamSocket,
} from '../types.ts';
import { EarlyData } from './early-data.ts';
import { HttpTunnel } from './http-tunnel.ts';
import { resetToo, splice, wasReset } from './splice.ts';
import { lbContext, newRequestId } from './tcp-context.ts';
import { noteReset, type PendingTcp, type TcpProxyRuntime } from './tcp-runtime.ts';

/** Envoy's word, as it spells it, before the number of what failed. */
const NOT_BEGUN = 'tcp_initializion_failure:';

/** A connection that goes through to an upstream. */
export class TcpTunnel implements PendingTcp {
  #socket: Socket | TLSSocket;
  /** Undefined once the client may be heard: what is to be done then. */
  #held: (() => void)[] | undefined;
  readonly #runtime: TcpProxyRuntime;
  readonly #info: StreamInfo;
  readonly #avoid: UpstreamHost[] = [];
  #upstream: Duplex | undefined;
  #metadataMatch: LbContext['metadataMatch'];
  #release: (() => void) | undefined;
  /** There was an upstream before the client could be heard, and it is needed no more. */
  #left: (() => void) | undefined;
  /** Waits for a connection no more. */
  #connected: (() => void) | undefined;
  /** Waits for the host to have room no more. */
  #leaveQueue: (() => void) | undefined;
  #attempts = 0;
  #lifetime: Timer | undefined;
  #flush: Timer | undefined;
  #backOff: Timer | undefined;
  /** Until there is an upstream to pass bytes to. */
  #waiting: Timer | undefined;
  /** A tunnel was asked for, and there is no answer yet. */
  #asking = false;
  #ended = false;
  #handedOver = false;
  /** Until there is an upstream, where the client is heard before. */
  #early: EarlyData | undefined;
  #sawData = false;
  readonly #onFirstData: ((connection: ConnectionInfo) => void) | undefined;
  readonly #tunnelProgram: TunnelProgram | undefined;
  readonly #exchange: PeerExchange | undefined;
  readonly #meters: readonly TcpMeter[];

  constructor(
    socket: Socket | TLSSocket,
    runtime: TcpProxyRuntime,
    info: StreamInfo,
    onFirstData: ((connection: ConnectionInfo) => void) | undefined,
    exchange: PeerExchange | undefined,
    secure = true,
  ) {
    this.#held = secure ? undefined : [];
    this.#onFirstData = onFirstData;
    this.#exchange = exchange;
    this.#meters = runtime.meters.map((meter) => meter.begin(info));
    const disabled = filterStateOf(info, 'envoy.tcp_proxy.disable_tunneling')?.value === 'true';
    this.#tunnelProgram = disabled ? undefined : runtime.program.tunnel;
    this.#socket = socket;
    this.#runtime = runtime;
    this.#info = info;
  }

  start(): void {
    const { stats, program, deps } = this.#runtime;
    stats.downstream_cx_total++;
    stats.downstream_cx_active++;
    this.#attach();
    if (program.maxDownstreamConnectionDuration > 0) {
      const jitter = program.maxDurationJitter === 0 ? 0 : deps.random.float() * program.maxDurationJitter;
      this.#lifetime = deps.clock.after(program.maxDownstreamConnectionDuration * (1 + jitter), () => {
        stats.max_downstream_connection_duration++;
        this.#handedOver = false;
        this.#end(ResponseFlag.DT, 'max_connection_duration_reached');
      });
    }
    if (program.flushAccessLogOnStart === true) this.#log('TcpConnectionStart');
    if (program.accessLogFlushInterval > 0) this.#logAgain();
    const chosen = program.weighted ? undefined : filterStateOf(this.#info, 'envoy.tcp_proxy.cluster')?.value;
    const { name, metadataMatch } =
      chosen === undefined
        ? program.cluster(deps.random.float())
        : { name: chosen, metadataMatch: program.metadataMatch };
    this.#metadataMatch = metadataMatch;
    const cluster = this.#runtime.cluster(name);
    if (cluster === undefined) {
      stats.downstream_cx_no_route++;
      return this.#end(ResponseFlag.NC, NOT_BEGUN + '3');
    }
    this.#waitForIdle();
    const onData = program.connects === 'on data' ? cluster : undefined;
    if (program.maxEarlyBytes !== undefined) this.#whenSecure(() => this.#hearEarly(onData));
    if (onData === undefined) this.#connect(cluster);
  }

  #attach(): void {
    // An end counts as data, too.
    if (this.#onFirstData !== undefined && this.#held === undefined) this.#socket.once('end', () => this.#seeData());
    this.#socket.on('close', this.#onClose);
    this.#socket.on('error', () => undefined);
  }

  readonly #onClose = (): void => {
    // Where the handshake failed, the listener's own line comes first.
    if (this.#held === undefined) this.#finish();
    else setImmediate(() => this.#finish());
  };

  secured(socket: TLSSocket, connection: ConnectionInfo): void {
    this.#info.connection = connection;
    this.#socket.off('close', this.#onClose);
    this.#socket = socket;
    const held = this.#held ?? [];
    this.#held = undefined;
    this.#attach();
    if (this.#ended) return void socket.destroy();
    for (const go of held) go();
  }

  unsecured(connection: ConnectionInfo, how: Partial<StreamInfo>): void {
    Object.assign(this.#info, how, { connection });
  }

  /** At once where the client may be heard, else as soon as that is so. */
  #whenSecure(go: () => void): void {
    if (this.#held === undefined) go();
    else this.#held.push(go);
  }

  /** With a cluster, the first data has it connected to. */
  #hearEarly(cluster: UpstreamCluster | undefined): void {
    if (this.#ended || this.#upstream !== undefined) return;
    this.#early = new EarlyData(this.#socket, this.#runtime, () => {
      if (cluster === undefined) return;
      this.#waitForIdle();
      this.#connect(cluster);
    });
  }

  /** A connection that does not get through is idle, too. */
  #waitForIdle(): void {
    this.#waiting?.cancel();
    const idle = this.#idleTimeout();
    if (idle > 0) this.#waiting = this.#runtime.deps.clock.after(idle, () => this.#idle());
  }

  #idle(): void {
    this.#runtime.stats.idle_timeout++;
    this.#end(0, 'tcp_session_idle_timeout');
  }

  /** Only the end of its time ends a tunnel: there is no place in its bytes to say that it should. */
  announceDrain(): void {}
  drain(): void {}

  close(why?: string): void {
    this.#info.connection.closeReason ??= why;
    this.#end(0);
  }

  #connect(cluster: UpstreamCluster): void {
    if (this.#ended) return;
    nameCluster(this.#info, cluster);
    if (!cluster.limits.DEFAULT.tryConnection()) {
      cluster.stats.upstream_cx_overflow++;
      return this.#end(ResponseFlag.UO, NOT_BEGUN + '2');
    }
    let held = true;
    this.#release = () => {
      if (held) cluster.limits.DEFAULT.releaseConnection();
      held = false;
    };
    const chosen = cluster.choose(lbContext(this.#info, this.#runtime.program, this.#metadataMatch, this.#avoid));
    if (chosen instanceof Promise) {
      chosen.then(
        (host) => this.#connectTo(cluster, host),
        () => this.#connectTo(cluster, null),
      );
    } else this.#connectTo(cluster, chosen);
  }

  #connectTo(cluster: UpstreamCluster, host: UpstreamHost | null): void {
    if (this.#ended) return;
    if (host === null) {
      cluster.stats.upstream_cx_none_healthy++;
      return this.#end(ResponseFlag.UH, NOT_BEGUN + '1');
    }
    this.#attempts++;
    this.#info.attemptCount = this.#attempts;
    if (host.internalListener === undefined && !this.#wait(cluster)) return;
    this.#info.upstreamHost = host.authority;
    this.#info.upstreamTarget = host;
    (this.#info.upstreamHostsAttempted ??= []).push(host);
    if (host.internalListener !== undefined) {
      if (this.#tunnelProgram === undefined) {
        const { internalListener } = host;
        return this.#whenSecure(() => this.#handOver(cluster, host, internalListener));
      }
      return this.#failed(cluster, host, `internal listener \`${host.internalListener}\` takes no tunnels`);
    }
    this.#info.upstreamStartTime = this.#runtime.deps.clock.now();
    this.#info.poolWaitStart = this.#info.upstreamStartTime;
    cluster.stats.upstream_rq_pending_total++;
    if (host.full !== true || host.whenRoom === undefined) return this.#open(cluster, host);
    cluster.stats.upstream_cx_overflow++;
    this.#leaveQueue = host.whenRoom(() => this.#open(cluster, host));
  }

  /** Counts as one that waits for a connection; false when too many do. */
  #wait(cluster: UpstreamCluster): boolean {
    const breaker = cluster.limits.DEFAULT;
    if (breaker.tryPending()) {
      let held = true;
      this.#connected = () => {
        if (held) breaker.releasePending();
        held = false;
      };
      return true;
    }
    cluster.stats.upstream_rq_pending_overflow++;
    this.#release?.();
    if (this.#attempts < this.#runtime.program.maxConnectAttempts) this.#again(cluster);
    else {
      cluster.stats.upstream_cx_connect_attempts_exceeded++;
      this.#end(ResponseFlag.URX, NOT_BEGUN + '0');
    }
    return false;
  }

  #open(cluster: UpstreamCluster, host: UpstreamHost): void {
    if (this.#ended) return;
    if (this.#tunnelProgram !== undefined) cluster.stats.upstream_cx_http1_total++;
    host.connect(
      (upstream) => {
        this.#connected?.();
        if (this.#ended) return void upstream.destroy();
        host.report('connected');
        const { localAddress, remoteAddress } = endsOfSocket(upstream);
        this.#info.upstreamLocalAddress = localAddress;
        this.#info.upstreamConnection = {
          remoteAddress,
          id: nextConnectionId(),
          socket: upstream,
          peer: upstreamPeer(upstream, host),
          filterState: sharedState(this.#info),
        };
        this.#info.poolReady = this.#runtime.deps.clock.now();
        const tunnel = this.#tunnelProgram;
        if (tunnel === undefined) this.#tunnel(host, upstream);
        else this.#request(tunnel, cluster, host, upstream);
      },
      (failure) => {
        this.#connected?.();
        cluster.stats.upstream_rq_pending_failure_eject++;
        host.report('connect-failure', 'nothing');
        this.#failed(cluster, host, failure.reason, failure.kind === 'local' ? 0 : ResponseFlag.UF);
      },
    );
  }

  #failed(cluster: UpstreamCluster, host: UpstreamHost, reason: string, flag: number = ResponseFlag.UF): void {
    if (this.#ended) return;
    this.#upstream = undefined;
    this.#info.upstreamFailureReason = reason;
    // It stays, whatever other attempts bring.
    this.#info.responseFlags |= flag;
    this.#release?.();
    this.#avoid.push(host);
    if (this.#attempts < this.#runtime.program.maxConnectAttempts) return this.#again(cluster);
    cluster.stats.upstream_cx_connect_attempts_exceeded++;
    // Envoy says so even where one attempt is all there is.
    this.#end(ResponseFlag.URX, NOT_BEGUN + '0');
  }

  #again(cluster: UpstreamCluster): void {
    const { program, deps } = this.#runtime;
    if (program.backOff === undefined) return this.#connect(cluster);
    const { base, max } = program.backOff;
    const ceiling = Math.min(max, base * 2 ** (this.#attempts - 1));
    this.#backOff = deps.clock.after(deps.random.float() * ceiling, () => this.#connect(cluster));
  }

  /** Asks for a tunnel first. */
  #request(program: TunnelProgram, cluster: UpstreamCluster, host: UpstreamHost, socket: UpstreamSocket): void {
    const id =
      program.requestId === undefined
        ? undefined
        : newRequestId(this.#info, this.#runtime.deps.random, program.requestId.metadataKey);
    const tunnel = new HttpTunnel(
      socket,
      program,
      { info: this.#info },
      id,
      cluster,
      () => {
        this.#asking = false;
        this.#tunnel(host, tunnel);
      },
      (reason) => {
        this.#asking = false;
        this.#failed(cluster, host, reason);
      },
    );
    this.#asking = true;
    host.cluster.stats.upstream_rq_total++;
    this.#upstream = tunnel;
  }

  #tunnel(host: UpstreamHost, upstream: Duplex): void {
    const { program } = this.#runtime;
    this.#upstream = upstream;
    host.active++;
    host.issued++;
    if (program.flushAccessLogOnConnected) this.#log('TcpUpstreamConnected');
    const counts = host.cluster.stats;
    if (this.#tunnelProgram === undefined) counts.upstream_rq_total++;
    counts.upstream_rq_active++;
    const other = exchangeWith(host, this.#info, upstream);
    const forget = host.untilFailure?.(() => upstream.destroy());
    const left = (): void => {
      forget?.();
      host.active--;
      counts.upstream_rq_active--;
    };
    this.#left = () => {
      left();
      if (upstream.destroyed) counts.upstream_cx_destroy_remote_with_active_rq++;
      else counts.upstream_cx_destroy_local_with_active_rq++;
    };
    // Who is not read yet is noticed to have gone all the same, if by a reset.
    const gone = (): void => {
      const flags = noteReset(this.#info, upstream);
      if (flags !== 0) resetToo(this.#socket);
      this.#end(flags);
    };
    if (this.#held !== undefined) upstream.on('error', () => undefined).once('close', gone);
    this.#whenSecure(() => {
      this.#left = undefined;
      upstream.off('close', gone);
      this.#splice(upstream, counts, other, left);
    });
  }

  #splice(
    upstream: Duplex,
    counts: UpstreamHost['cluster']['stats'],
    other: ReturnType<typeof exchangeWith>,
    left: () => void,
  ): void {
    const { deps, stats } = this.#runtime;
    this.#waiting?.cancel();
    // Of two ends the later one closes the connection.
    let endedByHost = false;
    upstream.once('end', () => (endedByHost = upstream.writableEnded));
    const early = this.#early;
    this.#early = undefined;
    early?.stop();
    splice(this.#socket, upstream, {
      clock: deps.clock,
      early,
      stripReceived: this.#exchange && ((chunk) => this.#exchange!.read(chunk)),
      stripSent: other && ((chunk) => other.read(chunk)),
      idleTimeout: this.#idleTimeout(),
      endTogether: this.#tunnelProgram !== undefined,
      onReceived: (bytes) => {
        if (this.#info.bytesReceived === 0) this.#seeData();
        this.#info.bytesReceived += bytes;
        // Envoy counts a tunnel's payload once more.
        if (this.#tunnelProgram !== undefined) this.#info.upstreamWireBytesSent! += bytes;
        else counts.upstream_cx_tx_bytes_total += bytes;
        stats.downstream_cx_rx_bytes_total += bytes;
      },
      onSent: (bytes) => {
        this.#info.bytesSent += bytes;
        if (this.#tunnelProgram !== undefined) this.#info.upstreamWireBytesReceived! += bytes;
        else counts.upstream_cx_rx_bytes_total += bytes;
        stats.downstream_cx_tx_bytes_total += bytes;
      },
      onIdle: () => this.#idle(),
      onEnd: () => {
        left();
        if (endedByHost || wasReset(upstream)) {
          counts.upstream_cx_destroy_remote++;
          counts.upstream_cx_destroy_remote_with_active_rq++;
        } else counts.upstream_cx_destroy_local_with_active_rq++;
        this.#end(noteReset(this.#info, upstream));
      },
    });
  }

  #seeData(): void {
    if (this.#sawData) return;
    this.#sawData = true;
    this.#onFirstData?.(this.#info.connection);
  }

  /** A connection may have one of its own. */
  #idleTimeout(): number {
    const own = filterStateOf(this.#info, 'envoy.tcp_proxy.per_connection_idle_timeout_ms');
    return own === undefined ? this.#runtime.program.idleTimeout : Number(own.value);
  }

  /** The cluster leads to a listener of this proxy: the connection goes on there as it is. */
  #handOver(cluster: UpstreamCluster, host: UpstreamHost, name: string): void {
    const listener = this.#runtime.internalListener(name);
    const closer = () =>
      (this.#info.responseFlags & ResponseFlag.DT) !== 0 || wasReset(this.#socket) ? 'local' : 'remote';
    if (listener === undefined) {
      host.enter?.(undefined, closer);
      const reason = `immediate connect error: Invalid argument|remote address:${host.authority}`;
      return this.#failed(cluster, host, reason);
    }
    this.#handedOver = true;
    this.#early?.putBack();
    this.#early = undefined;
    cluster.stats.upstream_rq_total++;
    host.report('connected');
    host.enter?.(this.#socket, closer);
    this.#waiting?.cancel();
    listener(this.#socket, { ...this.#info.connection, filterState: sharedState(this.#info) });
  }

  #end(flags: number, reason?: string): void {
    const { connection } = this.#info;
    this.#info.responseFlags |= flags;
    if (this.#handedOver) return;
    if (!this.#ended) {
      connection.closeReason ??= reason;
      const closes = this.#upstream !== undefined && this.#tunnelProgram === undefined;
      if (closes) connection.upstreamCloseReason ??= reason;
    }
    this.#socket.destroy();
    this.#finish();
  }

  #finish(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#lifetime?.cancel();
    this.#flush?.cancel();
    this.#backOff?.cancel();
    this.#waiting?.cancel();
    this.#leaveQueue?.();
    if (this.#asking) {
      this.#info.flagOrder = [this.#info.responseFlags, ResponseFlag.UF];
      this.#info.responseFlags |= ResponseFlag.UF;
    }
    this.#connected?.();
    this.#release?.();
    this.#left?.();
    this.#endUpstream();
    const { stats, deps } = this.#runtime;
    this.#early?.count(this.#info);
    stats.downstream_cx_active--;
    this.#info.responseEndTime = deps.clock.now();
    for (const meter of this.#meters) meter.end();
    this.#log('TcpConnectionEnd');
  }

  #endUpstream(): void {
    const reset = wasReset(this.#socket);
    if (reset) this.#info.connection.closeType = 'RemoteReset';
    if (this.#upstream === undefined) return;
    if (reset) resetToo(this.#upstream);
    else this.#upstream.destroy();
  }

  #log(logType: AccessLogType): void {
    for (const log of this.#runtime.accessLoggers) log({ info: this.#info, logType });
  }

  #logAgain(): void {
    this.#flush = this.#runtime.deps.clock.after(this.#runtime.program.accessLogFlushInterval, () => {
      this.#log('TcpPeriodic');
      this.#logAgain();
    });
  }
}
