import { laterErrors } from '../tls/failure.ts';
import { BodyMode, type MessageSink } from '../codec/parser.ts';
import { ResponseParser } from '../codec/response-parser.ts';
import type { CodecErrorDetails } from '../codec/error.ts';
import type { FilterState } from '../filter-state/state.ts';
import type { PeerExchange } from '../istio/exchange.ts';
import type { CircuitBreaker, ClusterStats, ConnectTimes, PeerTls, UpstreamSocket } from '../types.ts';
import { afterReads, type Waiting } from './after-reads.ts';
import { Output } from './io.ts';
import { enter, entered, leave } from './turn.ts';
import { nextConnectionId } from './connection-id.ts';
import { readDirectly } from './reads.ts';
import type { ResetReason } from './reset.ts';
import { endsOfSocket } from './socket-ends.ts';

/** One request and its response on a client connection, seen from the connection. */
export interface Exchange {
  /** The parser's fields describe the head; interim responses come here too. */
  onResponseHead(parser: ResponseParser): void;
  onResponseData(data: Buffer): void;
  onResponseEnd(trailers: string[] | undefined): void;
  /** Nothing more comes; the connection is gone. */
  onReset(reason: ResetReason, transport: string): void;
  /** The connection may be written to again. */
  onDrain(): void;
}

/** What Envoy passes on ahead of an answer without counting what it says of the connection. */
const INTERIM: ReadonlySet<number> = new Set([100, 102, 103, 104]);

/** Whom the rest of a response is for that nobody wants. */
const NOBODY: Exchange = {
  onResponseHead: () => undefined,
  onResponseData: () => undefined,
  onResponseEnd: () => undefined,
  onReset: () => undefined,
  onDrain: () => undefined,
};

/** What owns client connections. */
export interface ConnectionOwner {
  /** Both halves of the exchange are over and the connection may be used again. */
  onIdle(connection: ClientConnection): void;
  /** It is still open after `settle`. */
  onSettled(connection: ClientConnection): void;
  onClosed(connection: ClientConnection): void;
}

/**
 * A connection to an upstream host. Idle, or with one exchange:
 * `begin` → request written by the exchange → `requestDone`, and the response meanwhile → idle, or closed when either
 * side did not want to keep it.
 */
export class ClientConnection implements MessageSink, Waiting {
  readonly socket: UpstreamSocket;
  readonly out: Output;
  readonly breaker: CircuitBreaker;
  /** `address:port` of this side. */
  readonly localAddress: string;
  readonly remoteAddress: string | undefined;
  readonly id: number;
  /** What TLS agreed on; undefined: plain text. */
  peer: PeerTls | undefined = undefined;
  times: ConnectTimes | undefined = undefined;
  /** What the request it was made for passed on. */
  filterState: FilterState | undefined = undefined;
  /** Bytes read since the request at hand began. */
  received = 0;
  /** Requests begun on it. */
  requests = 0;
  /** Clock time when it last became idle. */
  idleSince = 0;
  /** Not to be used for another exchange. */
  draining = false;
  closed = false;
  readonly #parser: ResponseParser;
  readonly #stats: ClusterStats;
  readonly #owner: ConnectionOwner;
  #exchange: Exchange | undefined;
  #unsecured = false;
  #requestDone = false;
  #responseDone = false;
  #drainWanted = false;
  #paused = false;
  /** A response is being told of that has no body. */
  #headIsAll = false;
  /** The host has ended its side, with which in Envoy the connection is over. */
  #endedByHost = false;
  /** Bytes written that have been counted. */
  #counted = 0;
  /** Within a read: the connection is not given away before it is known that nothing follows the response. */
  #reading = false;

  /** Reads what the host says of itself before its first answer, where that was agreed on. */
  introduction: PeerExchange | undefined;

  constructor(
    socket: UpstreamSocket,
    owner: ConnectionOwner,
    breaker: CircuitBreaker,
    stats: ClusterStats,
    limits: {
      readonly maxHeadBytes: number;
      readonly maxHeaders: number;
      readonly keepSpelling: boolean;
      readonly properOthers?: boolean;
      readonly keepReason?: boolean;
      readonly keepsTrailers?: boolean;
      readonly allowChunkedLength?: boolean;
    },
  ) {
    socket = readDirectly(socket, this.#onData).socket;
    this.socket = socket;
    this.#owner = owner;
    this.breaker = breaker;
    this.#stats = stats;
    this.out = new Output(socket);
    this.id = nextConnectionId();
    const ends = endsOfSocket(socket);
    this.localAddress = ends.localAddress;
    this.remoteAddress = ends.remoteAddress;
    this.#parser = new ResponseParser(this);
    this.#parser.maxHeadBytes = limits.maxHeadBytes;
    this.#parser.maxHeaders = limits.maxHeaders;
    this.#parser.keepSpelling = limits.keepSpelling;
    this.#parser.properOthers = limits.properOthers === true;
    this.#parser.keepsTrailers = limits.keepsTrailers === true;
    this.#parser.keepReason = limits.keepReason === true;
    this.#parser.allowChunkedLength = limits.allowChunkedLength === true;
    socket.on('end', this.#onEnd);
    socket.on('error', this.#onError);
    socket.on('close', this.#onClose);
    socket.on('drain', this.#onDrain);
  }

  get busy(): boolean {
    return this.#exchange !== undefined;
  }

  begin(exchange: Exchange, method: string, upgradeAsked: boolean): void {
    this.#exchange = exchange;
    this.#requestDone = false;
    this.#responseDone = false;
    this.requests++;
    this.received = 0;
    const parser = this.#parser;
    parser.requestMethod = method;
    parser.upgradeAsked = upgradeAsked;
    parser.next();
  }

  /** The parser of an answer that could not be read. */
  get refused(): ResponseParser | undefined {
    return this.#parser.failed ? this.#parser : undefined;
  }

  /** All of the request has been written. */
  requestDone(): void {
    this.#requestDone = true;
    if (this.#responseDone && !this.#reading) this.#over();
  }

  /**
   * Stops the exchange: what comes still cannot be told from another response, so the connection goes too, unless the head that
   * is being read is all of it.
   */
  abandon(): void {
    if (this.#headIsAll && this.#requestDone && this.#exchange !== undefined) {
      this.#exchange = NOBODY;
      return;
    }
    const active = this.#exchange !== undefined;
    this.#exchange = undefined;
    if (this.closed) return;
    // Of a CONNECT it is this side, whoever has begun to, unless by a reset.
    const connected = this.#parser.opensTunnel && this.#parser.requestMethod === 'CONNECT' && this.socket.readableEnded;
    this.#countEnd(this.#endedByHost && !connected, active);
    this.close();
  }

  #countEnd(remote: boolean, active: boolean): void {
    const stats = this.#stats;
    if (remote) stats.upstream_cx_destroy_remote++;
    if (!active) return;
    if (remote) stats.upstream_cx_destroy_remote_with_active_rq++;
    else stats.upstream_cx_destroy_local_with_active_rq++;
  }

  /** Calls `onSettled` of the owner when it is known that the host has not ended it together with its last answer. */
  settle(): void {
    afterReads(this);
  }
  afterReads(): void {
    if (!this.closed) entered(() => this.#owner.onSettled(this));
  }

  close(): void {
    if (this.closed) return;
    // What was written in this turn is not held back.
    if (!this.socket.destroyed) this.out.flush();
    this.#closed();
    this.socket.destroy();
  }

  pause(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#stats.upstream_flow_control_paused_reading_total++;
    if (!this.closed) this.socket.pause();
  }
  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#stats.upstream_flow_control_resumed_reading_total++;
    if (!this.closed) this.socket.resume();
  }
  /** Asks for `onDrain` once the connection takes more. */
  wantDrain(): void {
    if (this.#drainWanted) return;
    this.#drainWanted = true;
    this.#stats.upstream_flow_control_backed_up_total++;
  }

  // ---- from the parser
  onHead(): void {
    const { status, asksToClose } = this.#parser;
    if (asksToClose && !INTERIM.has(status)) this.#stats.upstream_cx_close_notify++;
    this.#headIsAll = this.#parser.bodyMode === BodyMode.NONE && status >= 200;
    this.#exchange?.onResponseHead(this.#parser);
    this.#headIsAll = false;
  }
  onBody(data: Buffer): void {
    this.#exchange?.onResponseData(data);
  }
  onEnd(trailers: string[] | undefined): void {
    const parser = this.#parser;
    if (parser.status < 200 && parser.status !== 101) {
      parser.next();
      return;
    }
    if (!parser.keepAlive || parser.bodyMode === BodyMode.UNTIL_CLOSE) this.draining = true;
    this.#responseDone = true;
    this.#exchange?.onResponseEnd(trailers);
  }
  onError(_details: CodecErrorDetails): void {
    this.#stats.upstream_cx_protocol_error++;
    this.#fail('protocol error', '', false);
  }

  readonly #onData = (data: Buffer): void => {
    if (this.closed) return;
    this.#stats.upstream_cx_rx_bytes_total += data.length;
    if (this.introduction !== undefined && !this.introduction.done) {
      const rest = this.introduction.read(data);
      if (rest === undefined) return;
      data = rest;
    }
    enter();
    try {
      if (this.#exchange === undefined) {
        // Nobody asked.
        this.close();
        return;
      }
      this.received += data.length;
      this.#reading = true;
      const used = this.#parser.execute(data);
      this.#reading = false;
      if (this.#parser.failed) return;
      // More than the response: whose would it be?
      if (used < data.length) {
        this.draining = true;
        this.#stats.upstream_cx_protocol_error++;
      }
      if (this.closed) return;
      if (this.#responseDone && this.#requestDone) this.#over();
    } catch (error) {
      this.#fail('connection termination', '', false);
      throw error;
    } finally {
      leave();
    }
  };

  readonly #onEnd = (): void => {
    if (this.closed) return;
    entered(() => {
      this.draining = true;
      if (this.#exchange === undefined) {
        this.#stats.upstream_cx_destroy_remote++;
        this.close();
        return;
      }
      this.#endedByHost = true;
      // A tunnel's other direction may go on; a response that the end was meant to end is complete.
      this.#finish();
    });
  };

  #finish(): void {
    this.#reading = true;
    const complete = this.#parser.finish();
    this.#reading = false;
    if (!complete) this.#broken('protocol error');
    else if (!this.#responseDone) this.#broken('connection termination');
    else if (this.#requestDone) this.#over();
  }

  readonly #onError = (error: NodeJS.ErrnoException): void => {
    // `close` follows. What is wrong below HTTP is none of its errors.
    this.#unsecured ||= laterErrors(error) > 0;
  };

  readonly #onClose = (): void => {
    if (this.closed) return;
    entered(() => {
      // A reset ends what the end was meant to end just as well.
      if (this.#exchange !== undefined) {
        this.draining = true;
        this.#endedByHost = true;
        this.#finish();
      }
      if (!this.closed)
        this.#broken(this.#parser.idle || this.#parser.done ? 'connection termination' : 'protocol error');
    });
  };

  readonly #onDrain = (): void => {
    if (!this.#drainWanted || this.closed) return;
    this.#drainWanted = false;
    this.#stats.upstream_flow_control_drained_total++;
    entered(() => {
      this.#exchange?.onDrain();
    });
  };

  /** The other side ended it. Whatever it owes of an answer is an answer that breaks off. */
  #broken(reason: ResetReason): void {
    const garbled = reason === 'protocol error' && !this.#unsecured;
    if (this.#exchange !== undefined && garbled) this.#stats.upstream_cx_protocol_error++;
    this.#fail(reason, '', true);
  }

  #fail(reason: ResetReason, transport: string, remote: boolean): void {
    const exchange = this.#exchange;
    this.#exchange = undefined;
    if (!this.closed) this.#countEnd(remote || this.#endedByHost, exchange !== undefined);
    this.close();
    exchange?.onReset(reason, transport);
  }

  #over(): void {
    this.#exchange = undefined;
    if (this.closed) return;
    this.#countSent();
    if (this.draining) {
      if (this.#endedByHost) this.#stats.upstream_cx_destroy_remote++;
      this.out.flush();
      this.#closed();
      this.socket.destroySoon();
    } else {
      // Paused for the sake of a client that reads slowly; the next one may not.
      if (this.#paused) this.resume();
      this.#owner.onIdle(this);
    }
  }

  #countSent(): void {
    this.#stats.upstream_cx_tx_bytes_total += this.out.bytes - this.#counted;
    this.#counted = this.out.bytes;
  }

  #closed(): void {
    this.closed = true;
    this.#countSent();
    this.#stats.upstream_rq_per_cx.record(this.requests);
    this.#owner.onClosed(this);
  }
}
