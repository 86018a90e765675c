import { endsOf, proxyHeader } from '../cluster/proxy-protocol.ts';
import type { ProxyProtocolProgram } from '../program/types.ts';
import { HTTP_ALPN } from '../tls/agreed.ts';
import { exchangeWith } from '../istio/upstream-exchange.ts';
import { sharedState } from '../filter-state/state.ts';
import { ResponseFlag, type UpstreamHost, type UpstreamSocket } from '../types.ts';
import { chargeAnswer } from './charge.ts';
import { Headers } from './headers.ts';
import { entered, turnNow } from './turn.ts';
import { bytesOf, keep } from './reads.ts';
import { failureReason } from './pool.ts';
import type { ResetReason } from './reset.ts';
import type { AttemptedRequest } from './attempted-request.ts';
import { TunnelRoom } from './tunnel-room.ts';
import { logTunnel } from './stream-log.ts';
import type { ActiveStream } from './stream.ts';
import { endsOfSocket } from './socket-ends.ts';

/** The far side of a CONNECT that ends here. */
export interface TcpTunnel {
  /** Calls the router back: with a failure, or by taking what it has of the client's bytes. */
  start(): void;
  /** Bytes may be written; until then the router keeps them. */
  readonly open: boolean;
  /** Bytes from the client. */
  write(data: Buffer): void;
  /** The client sends no more. */
  end(): void;
  pause(): void;
  resume(): void;
  close(): void;
}

/**
 * Ends a CONNECT: its payload goes to `host` as bytes, or, when the host is an internal listener of this proxy, the
 * client's connection is handed to that listener.
 */
export function connectTcp(
  router: AttemptedRequest,
  host: UpstreamHost,
  header: ProxyProtocolProgram | undefined,
): TcpTunnel {
  return host.internalListener === undefined
    ? new HostTunnel(router, host, header)
    : new InternalTunnel(router, host, host.internalListener);
}

function accept(router: AttemptedRequest, host: UpstreamHost): void {
  const { stream } = router;
  stream.tunnel = stream.upgrade === 'connect';
  stream.info.responseCodeDetails = 'via_upstream';
  const headers = new Headers();
  const { stats } = host.cluster;
  stats.upstream_rq_total++;
  chargeAnswer(router, 200, host.canary === true, host);
  host.count?.('success');
  if (!stream.tunnel) {
    // To the client this is an answer like any other.
    const { requestEndTime } = stream.info;
    if (!stream.hcm.program.router.suppressEnvoyHeaders && requestEndTime >= 0) {
      const time = Math.max(0, Math.trunc(turnNow(stream.hcm.deps.clock) - requestEndTime));
      headers.set('x-envoy-upstream-service-time', String(time));
    }
  }
  stream.sendResponse({ status: 200, headers }, false);
  if (stream.tunnel) logTunnel(stream);
}

/** In Envoy it is this side that ends a tunnel, whoever has begun to. */
function byThisSide(): 'local' {
  return 'local';
}

class HostTunnel implements TcpTunnel {
  readonly #router: AttemptedRequest;
  readonly #stream: ActiveStream;
  readonly #host: UpstreamHost;
  #socket: UpstreamSocket | undefined;
  #ended = false;
  #closed = false;
  /** The other side has broken the connection off. */
  #isReset = false;
  /** A POST and its answer were over, and the connection with them. */
  #complete = false;
  /** Waits for room no more. */
  #leaveQueue: (() => void) | undefined;
  /** Goes before the client's bytes. */
  readonly #header: ProxyProtocolProgram | undefined;

  constructor(router: AttemptedRequest, host: UpstreamHost, header: ProxyProtocolProgram | undefined) {
    this.#header = header;
    this.#router = router;
    this.#stream = router.stream;
    this.#host = host;
  }

  start(): void {
    const host = this.#host;
    const { breaker } = this.#router;
    if (!breaker.tryPending()) {
      host.cluster.stats.upstream_rq_pending_overflow++;
      this.#fail('overflow', '');
      return;
    }
    host.cluster.stats.upstream_rq_pending_total++;
    this.#leaveQueue = TunnelRoom.of(host).enter(breaker, () => this.#connect());
  }

  #connect(): void {
    const host = this.#host;
    const { breaker } = this.#router;
    host.active++;
    let done = false;
    const release = (): void => {
      if (done) return;
      done = true;
      host.active--;
      TunnelRoom.of(host).leave(breaker);
    };
    host.connect(
      (socket) =>
        entered(() => {
          breaker.releasePending();
          this.#ready(socket, release);
        }),
      (failure) =>
        entered(() => {
          breaker.releasePending();
          release();
          host.cluster.stats.upstream_rq_pending_failure_eject++;
          host.report('connect-failure', 'nothing');
          this.#fail(failureReason(failure), failure.reason);
        }),
      HTTP_ALPN,
    );
  }

  #fail(reason: ResetReason, transport: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#router.onTunnelFailure(this.#host, reason, transport);
  }

  get open(): boolean {
    return this.#socket !== undefined;
  }

  #ready(socket: UpstreamSocket, release: () => void): void {
    socket.once('close', release);
    if (this.#closed) {
      socket.destroy();
      return;
    }
    this.#socket = socket;
    socket.once('close', () => this.#countEnd());
    const stream = this.#stream;
    stream.info.upstreamLocalAddress = endsOfSocket(socket).localAddress;
    stream.info.upstreamStartTime = turnNow(stream.hcm.deps.clock);
    this.#host.issued++;
    this.#host.report('begun');
    this.#host.report('success', 'nothing');
    if (this.#header !== undefined) {
      const ends = endsOf(stream.info.connection);
      const header = proxyHeader(this.#header, ends, ends);
      this.#countSent(header.length);
      socket.write(header);
    }
    const peer = exchangeWith(this.#host, stream.info, socket);
    socket.on('data', (read) =>
      entered(() => {
        this.#host.cluster.stats.upstream_cx_rx_bytes_total += read.length;
        stream.info.upstreamWireBytesReceived += read.length;
        const data = peer === undefined ? read : peer.read(read);
        if (data !== undefined) stream.sendData(data);
      }),
    );
    socket.on('end', () => {
      this.#complete = this.#ended && !stream.tunnel;
      entered(() => stream.sendEnd(undefined));
    });
    socket.on('error', () => {
      this.#isReset ||= !this.#closed;
    });
    socket.on('close', () =>
      entered(() => {
        if (this.#closed || stream.over) return;
        this.#closed = true;
        if (!socket.readableEnded) stream.info.responseFlags |= ResponseFlag.UC;
        stream.reset('upstream_reset_after_response_started{connection_termination}');
      }),
    );
    socket.on('drain', () => entered(() => this.#router.resumeDownstream()));
    accept(this.#router, this.#host);
    if (!stream.over) this.#router.onTunnelOpen(this);
  }

  /** In Envoy it is this side that ends it, whoever has begun to, unless there is nothing left to wait for or to end. */
  #countEnd(): void {
    const { stats } = this.#host.cluster;
    if (this.#isReset || this.#complete) stats.upstream_cx_destroy_remote++;
    if (this.#complete) return;
    if (this.#isReset) stats.upstream_cx_destroy_remote_with_active_rq++;
    else stats.upstream_cx_destroy_local_with_active_rq++;
  }

  write(data: Buffer): void {
    if (this.#closed) return;
    this.#countSent(data.length);
    if (!this.#socket!.write(keep(data))) this.#router.pauseDownstream();
  }

  #countSent(bytes: number): void {
    this.#host.cluster.stats.upstream_cx_tx_bytes_total += bytes;
    this.#stream.info.upstreamWireBytesSent += bytes;
  }

  end(): void {
    this.#ended = true;
    this.#socket?.end();
  }
  pause(): void {
    this.#socket?.pause();
  }
  resume(): void {
    this.#socket?.resume();
  }
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#leaveQueue?.();
    // What was written before the end still leaves.
    if (this.#ended) this.#socket?.destroySoon();
    else this.#socket?.destroy();
  }
}

class InternalTunnel implements TcpTunnel {
  readonly #router: AttemptedRequest;
  readonly #stream: ActiveStream;
  readonly #host: UpstreamHost;
  readonly #name: string;
  readonly #early: Buffer[] = [];
  #ended = false;
  #leaveQueue: (() => void) | undefined;
  open = false;

  constructor(router: AttemptedRequest, host: UpstreamHost, name: string) {
    this.#router = router;
    this.#stream = router.stream;
    this.#host = host;
    this.#name = name;
  }

  start(): void {
    const stream = this.#stream;
    const listener = stream.hcm.internalListener(this.#name);
    if (listener === undefined) {
      this.#host.enter?.(undefined, byThisSide);
      const { authority } = this.#host;
      const reason = `immediate connect error: Invalid argument|remote address:${authority}`;
      this.#router.onTunnelFailure(this.#host, 'remote connection failure', reason);
      return;
    }
    const { breaker } = this.#router;
    if (!breaker.tryPending()) {
      this.#host.cluster.stats.upstream_rq_pending_overflow++;
      this.#router.onTunnelFailure(this.#host, 'overflow', '');
      return;
    }
    const { stats } = this.#host.cluster;
    let [waits, waited] = [true, false];
    this.#leaveQueue = TunnelRoom.of(this.#host).enter(breaker, () => {
      waits = false;
      // Who enters is counted then.
      if (waited) stats.upstream_rq_pending_total--;
      entered(() => this.#open(listener));
    });
    if (!waits) return;
    waited = true;
    stats.upstream_rq_pending_total++;
  }

  #open(listener: NonNullable<ReturnType<ActiveStream['hcm']['internalListener']>>): void {
    const stream = this.#stream;
    const { breaker } = this.#router;
    breaker.releasePending();
    stream.connection.socket.once('close', () => TunnelRoom.of(this.#host).leave(breaker));
    accept(this.#router, this.#host);
    if (stream.over) return;
    this.open = true;
    this.#router.onTunnelOpen(this);
    // What came with the head is still being read in this turn; it goes back before the listener sees the socket.
    queueMicrotask(() => {
      if (stream.over) return;
      const { connection, info } = stream;
      const socket = connection.release();
      const payload = Buffer.concat(this.#early);
      if (payload.length > 0) socket.unshift(payload);
      this.#host.enter?.(socket, byThisSide);
      const before = bytesOf(socket);
      socket.once('close', () => {
        const { read, written } = bytesOf(socket);
        info.bytesReceived = read - before.read + payload.length;
        info.bytesSent = written - before.written;
        stream.tunnelOver();
      });
      listener(socket, { ...connection.info, filterState: sharedState(info) });
      if (this.#ended) socket.push(null);
    });
  }

  write(data: Buffer): void {
    this.#early.push(Buffer.from(data));
  }
  end(): void {
    this.#ended = true;
  }
  pause(): void {
    // The listener has the socket.
  }
  resume(): void {
    // As above.
  }
  close(): void {
    this.#leaveQueue?.();
    // Who has not been let in gets an answer.
    if (this.open && !this.#stream.over) this.#stream.connection.destroy();
  }
}
