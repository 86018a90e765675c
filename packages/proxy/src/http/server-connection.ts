import type { CodecErrorDetails } from '../codec/error.ts';
import { errorStatus } from '../codec/error.ts';
import type { MessageSink } from '../codec/parser.ts';
import type { RequestParser } from '../codec/request-parser.ts';
import type { Timer } from '../deps.ts';
import type { ConnectionInfo, UpstreamSocket } from '../types.ts';
import { ResponseFlag } from '../types.ts';
import { afterReads, afterThis, type Waiting } from './after-reads.ts';
import { ConnectionCounts } from './connection-counts.ts';
import { ConnectionLife, longer } from './connection-life.ts';
import { Deadline } from './deadline.ts';
import { downstreamParser } from './downstream-parser.ts';
import { Output } from './io.ts';
import { enter, entered, leave, turnNow } from './turn.ts';
import { planOf, type HcmPlan } from './plan.ts';
import { keep, readDirectly, type Reads } from './reads.ts';
import { OF_REQUEST, RequestTimes } from './request-times.ts';
import type { HcmRuntime, HttpServerConnection } from './runtime.ts';
import { ActiveStream } from './stream.ts';
import { StreamDeadlines } from './stream-deadlines.ts';

/** Bytes of pipelined requests that are kept while one is answered. */
const MAX_UNREAD = 64 * 1024;

/** Serves HTTP/1 on a connection; see runtime.ts for the state the socket must be in. */
export function serveHttp(socket: UpstreamSocket, info: ConnectionInfo, hcm: HcmRuntime): HttpServerConnection {
  return new ServerConnection(socket, info, hcm);
}

/**
 * A downstream connection: idle → (reading a head) → a stream → idle … → closing → closed. One stream at a time; what
 * the client sends ahead waits in `#unread`. `closing` means that the last response has been written and only the
 * client's end is waited for.
 */
export class ServerConnection implements HttpServerConnection, MessageSink, Waiting {
  readonly socket: UpstreamSocket;
  readonly info: ConnectionInfo;
  readonly hcm: HcmRuntime;
  readonly plan: HcmPlan;
  readonly parser: RequestParser;
  readonly out: Output;
  readonly deadlines: StreamDeadlines;
  stream: ActiveStream | undefined;
  /** Answers ask the client to close. */
  draining = false;
  #drainDecision: (() => boolean) | undefined;
  /** No more requests after the response at hand. */
  last = false;
  /** The client knows by itself that it is the last: it need not be given time to notice. */
  knownLast = false;
  #state: 'open' | 'closing' | 'closed' | 'handed over' = 'open';
  readonly #reads: Reads;
  /** The last answer was given to a head: nothing of the rest of its request is looked at. */
  #headWasAll = false;
  #unread: Buffer | undefined;
  #hasRead = false;
  #pumping = false;
  #pauses = 0;
  #drainWanted = false;
  readonly #idleDeadline: Deadline;
  /** What filters do with a body they have waited for belongs to the read that ended it. */
  #justRead = false;
  readonly #times: RequestTimes;
  readonly #life: ConnectionLife;
  #drainTimer: Timer | undefined;
  readonly #counts: ConnectionCounts;
  /** Nobody waits for the client to close first. */
  #closesAtOnce = false;

  constructor(socket: UpstreamSocket, info: ConnectionInfo, hcm: HcmRuntime) {
    this.#reads = readDirectly(socket, this.#onData);
    socket = this.#reads.socket;
    this.socket = socket;
    this.info = info;
    this.hcm = hcm;
    this.plan = planOf(hcm);
    this.out = new Output(socket);
    this.parser = downstreamParser(this, hcm.program, info);
    const { clock } = hcm.deps;
    this.#idleDeadline = new Deadline(clock, () => this.#idleTimeout());
    this.#times = new RequestTimes(hcm, () => this.#requestTimeout());
    this.deadlines = new StreamDeadlines(clock, this);
    this.#life = new ConnectionLife(hcm, () => this.#isOld());
    this.#counts = new ConnectionCounts(hcm, info);
    this.#armIdle();
    socket.on('end', this.#onEnd);
    socket.on('error', this.#onSocketError);
    socket.on('close', this.#onClose);
    socket.on('drain', this.#onDrain);
  }

  // ---- for the listener

  announceDrain(decision: () => boolean): void {
    this.#drainDecision = decision;
  }

  drain(): void {
    if (this.#state !== 'open') return;
    this.last = true;
    if (this.#nothingBegun) {
      this.#startClosing(true);
    }
  }

  close(why?: string): void {
    if (this.#state === 'closed' || this.#state === 'handed over') return;
    entered(() => {
      // Envoy counts what its listener ends as ended by the other side.
      if (this.stream !== undefined) this.#counts.cutOff();
      const details = why === undefined ? '' : `(${why})`;
      this.stream?.onDownstreamGone(`downstream_local_disconnect${details}`, ResponseFlag.DC);
      this.destroy();
    });
  }

  get #betweenRequests(): boolean {
    return this.stream === undefined && (this.parser.idle || this.parser.done);
  }
  get #nothingBegun(): boolean {
    return this.#betweenRequests && this.#unread === undefined;
  }

  // ---- for the stream

  /** The answer that begins now is to ask the client to close. */
  get mustDrain(): boolean {
    if (this.#drainDecision?.() !== true && !this.hcm.healthFailed()) return false;
    this.hcm.stats.downstream_cx_drain_close++;
    return true;
  }

  /** Asks the client to close, and ends the connection after the time for that. */
  startDraining(): void {
    if (this.draining || this.#state !== 'open') return;
    this.draining = true;
    const { program, deps } = this.hcm;
    this.#drainTimer = deps.clock.after(longer(program.drainTimeout, program.drainJitter, deps.random), () => {
      this.last = true;
      // Whoever does not read the answers to what was asked before is not waited for.
      if (this.#state === 'open' && this.#betweenRequests) entered(() => this.#startClosing(false));
    });
  }

  get open(): boolean {
    return this.#state === 'open' || this.#state === 'closing';
  }

  /** Stops reading until as many calls of `resume`. */
  pause(): void {
    if (this.#pauses++ === 0 && this.open) this.socket.pause();
  }
  resume(): void {
    if (--this.#pauses > 0 || !this.open) return;
    this.socket.resume();
    if (this.#unread !== undefined) this.#pump();
  }
  get paused(): boolean {
    return this.#pauses > 0;
  }
  /** Asks for `stream.onDownstreamDrain` once the socket takes more. */
  wantDrain(): void {
    this.#drainWanted = true;
  }

  /**
   * The response has been written whole, or the stream is over without one; `keep` says whether others may follow, `whole`
   * whether all of the request was read.
   */
  streamDone(keep: boolean, whole: boolean): void {
    this.stream = undefined;
    this.hcm.stats.downstream_cx_tx_bytes_total += this.out.bytes;
    this.out.bytes = 0;
    this.deadlines.clear();
    if (this.#state !== 'open') return;
    if (!keep || this.last || this.parser.failed) {
      // An answer given before the bytes at hand were read to the end does not end the connection at once, as in Envoy.
      this.#startClosing(this.knownLast && whole && !this.#pumping && !this.#justRead);
      return;
    }
    this.#armIdle();
    // Not before whoever brought the answer is free for the next request, or known to be gone.
    if (this.#unread !== undefined && !this.#pumping) afterReads(this);
  }

  /** A stream that takes the place of the one under way, for the same request. */
  streamAgain(): ActiveStream {
    this.deadlines.clear();
    return this.#newStream();
  }

  /** Lets go of the socket, for whoever takes it over; what was read and not used is put back. */
  release(): UpstreamSocket {
    const socket = this.socket;
    this.out.flush();
    this.#state = 'handed over';
    this.#reads.stop();
    socket.off('end', this.#onEnd);
    socket.off('error', this.#onSocketError);
    socket.off('close', this.#onClose);
    socket.off('drain', this.#onDrain);
    socket.pause();
    this.#ended();
    if (this.#unread !== undefined) {
      socket.unshift(this.#unread);
      this.#unread = undefined;
    }
    return socket;
  }

  destroy(): void {
    if (this.#state === 'closed' || this.#state === 'handed over') return;
    this.out.flush();
    this.#state = 'closed';
    this.#ended();
    this.socket.destroy();
  }

  // ---- from the parser

  onHead(): void {
    const { parser } = this;
    this.#idleDeadline.clear();
    if (parser.underscoresDropped > 0) this.#countUnderscores();
    const info = this.#times.record(this.info);
    this.#times.headEnds(info.startTime, parser);
    this.knownLast = !parser.keepAlive;
    this.#requestBegins();
    this.#counts.headCame(parser.flat);
    const stream = new ActiveStream(this, info);
    this.stream = stream;
    stream.start(parser);
    if (this.#state !== 'open') this.#headWasAll = true;
  }

  #requestBegins(): void {
    this.#counts.requestBegins();
    if (!this.#life.requestBegins()) return;
    this.last = true;
    this.knownLast = true;
  }

  #isOld(): void {
    if (this.#life.requests === 0 && this.parser.idle) this.#startClosing(true, 'duration_timeout');
    else if (this.hcm.program.safeMaxConnectionDuration === true)
      this.#life.endAfterNext(this.stream === undefined && !this.#betweenRequests);
    else this.startDraining();
  }

  #countUnderscores(): void {
    this.hcm.codec.dropped_headers_with_underscores += this.parser.underscoresDropped;
    this.parser.underscoresDropped = 0;
  }

  onBody(data: Buffer): void {
    this.stream?.onRequestData(data);
  }

  onEnd(trailers: string[] | undefined): void {
    if (this.parser.underscoresDropped > 0) this.#countUnderscores();
    this.#times.requestEnds();
    this.stream?.onRequestEnd(trailers);
  }

  onError(details: CodecErrorDetails): void {
    if (!this.#headWasAll) this.hcm.stats.downstream_cx_protocol_error++;
    // The last answer has been given: what is wrong with the rest of its request changes nothing more.
    if (this.#state !== 'open') return;
    this.info.protocolError = this.#hasRead ? 'later' : 'at first';
    if (details === 'http1.unexpected_underscore') this.hcm.codec.requests_rejected_with_underscores_in_headers++;
    (this.stream ?? this.#newStream()).onCodecError(errorStatus(details), details);
  }

  // ---- the socket

  readonly #onData = (data: Buffer): void => {
    if (this.#state !== 'open') {
      this.info.unread = (this.info.unread ?? 0) + data.length;
      return;
    }
    this.#counts.received(data.length);
    enter();
    try {
      if (this.#unread !== undefined) {
        this.#unread = Buffer.concat([this.#unread, data]);
        if (this.#unread.length > MAX_UNREAD) this.socket.pause();
      } else {
        this.#read(data);
      }
    } catch (error) {
      this.destroy();
      throw error;
    } finally {
      leave();
    }
  };

  static #readLongAgo(this: void, connection: ServerConnection): void {
    connection.#justRead = false;
  }

  /** Reads requests until the data is used up or a request has to be waited for. */
  #read(data: Buffer): void {
    const { parser } = this;
    let at = 0;
    this.#pumping = true;
    for (;;) {
      if (this.stream === undefined && parser.done) {
        if (this.#answersWait()) break;
        parser.next();
      }
      at = parser.execute(data, at);
      if (at >= data.length || this.#state !== 'open') break;
      if (this.stream !== undefined || !parser.done) break;
    }
    this.#pumping = false;
    this.#hasRead = true;
    if (this.knownLast && this.stream !== undefined && parser.done) {
      this.#justRead = true;
      afterThis(ServerConnection.#readLongAgo, this);
    }
    if (at < data.length && this.#state === 'open' && !parser.failed) {
      this.#unread = keep(at === 0 ? data : data.subarray(at));
      if (this.#unread.length > MAX_UNREAD) this.socket.pause();
    } else if (this.stream === undefined && !parser.idle && !parser.done && this.#state === 'open') {
      this.#idleDeadline.clear();
      this.#times.headBegins(this.deadlines);
    }
  }

  /** The client does not read its answers: no more requests of it are begun before it does. */
  #answersWait(): boolean {
    if (!this.out.blocked) return false;
    this.out.flush();
    if (!this.out.blocked) return false;
    this.#drainWanted = true;
    return true;
  }

  #pump(): void {
    const data = this.#unread;
    if (data === undefined || this.#pumping || this.#state !== 'open') return;
    this.#unread = undefined;
    if (data.length > MAX_UNREAD && this.#pauses === 0) this.socket.resume();
    entered(() => {
      this.#read(data);
    });
  }

  afterReads(): void {
    if (this.stream !== undefined) return;
    try {
      this.#pump();
    } catch (error) {
      this.destroy();
      throw error;
    }
  }

  streamOfHead(): ActiveStream | undefined {
    return this.#state === 'open' && this.#times.headIsIncomplete ? this.#newStream() : undefined;
  }

  readonly #onEnd = (): void => {
    if (this.#state !== 'open' && this.#state !== 'closing') return;
    this.#counts.endedByClient = !this.out.ended;
    if (this.#state === 'closing') {
      this.destroy();
      return;
    }
    entered(() => {
      if (this.stream === undefined) this.#pump();
      const { stream } = this;
      if (stream !== undefined) {
        this.#counts.cutOff();
        stream.onDownstreamGone('downstream_remote_disconnect', ResponseFlag.DC);
        this.destroy();
      } else {
        this.#logCutOff();
        this.destroy();
      }
    });
  };

  /** A head that was begun and never completed is a request too. */
  #logCutOff(): void {
    if (this.parser.idle || this.parser.done || this.parser.failed) return;
    this.#counts.cutOff();
    this.#newStream().onDownstreamGone('downstream_remote_disconnect', ResponseFlag.DC);
  }

  /** For a request whose head did not become known. */
  #newStream(): ActiveStream {
    this.#requestBegins();
    const stream = new ActiveStream(this, this.#times.record(this.info));
    this.stream = stream;
    return stream;
  }

  readonly #onSocketError = (): void => {
    // `close` follows.
  };

  readonly #onClose = (): void => {
    if (this.#state === 'closed' || this.#state === 'handed over') return;
    if (this.#state === 'open' || (this.#state === 'closing' && !this.out.ended)) this.#counts.endedByClient = true;
    entered(() => {
      if (this.stream === undefined) {
        // What comes while it is being closed is no request any more.
        if (this.#state === 'open') this.#logCutOff();
      } else {
        this.#counts.cutOff();
        this.stream.onDownstreamGone('downstream_remote_disconnect', ResponseFlag.DC);
      }
      this.#state = 'closed';
      this.#ended();
    });
  };

  readonly #onDrain = (): void => {
    if (!this.#drainWanted) return;
    this.#drainWanted = false;
    entered(() => {
      this.stream?.onDownstreamDrain();
      if (this.stream === undefined) this.#pump();
    });
  };

  /**
   * Ends the connection. Whoever was not asking for it gets time to read the last answer and close first: an end that came
   * in the midst of a request on its way would take the answer along.
   */
  #startClosing(atOnce: boolean, why = 'deferred_close_on_drained_connection'): void {
    this.#state = 'closing';
    this.#closesAtOnce = atOnce;
    if (atOnce) this.info.closeReason ??= why;
    this.#unread = undefined;
    const delay = this.hcm.program.delayedCloseTimeout;
    if (atOnce || delay === 0) this.out.end();
    if (this.socket.readableEnded) {
      this.#idleDeadline.clear();
      this.socket.once('finish', () => this.destroy());
    }
    if (this.#pauses > 0) this.socket.resume();
    this.#idleDeadline.set(turnNow(this.hcm.deps.clock) + (delay > 0 ? delay : 1));
  }

  #armIdle(): void {
    const { idleTimeout } = this.hcm.program;
    if (idleTimeout > 0) this.#idleDeadline.set(turnNow(this.hcm.deps.clock) + idleTimeout);
  }

  #idleTimeout(): void {
    if (this.#state === 'closing') {
      if (!this.#closesAtOnce) this.hcm.stats.downstream_cx_delayed_close_timeout++;
      this.info.closeReason ??= 'triggered_delayed_close_timeout';
      this.destroy();
    } else if (this.stream === undefined) {
      this.hcm.stats.downstream_cx_idle_timeout++;
      if (this.#life.requests === 0) this.#startClosing(true, 'on_idle_timeout');
      else this.startDraining();
    }
  }

  #requestTimeout(): void {
    if (this.#state !== 'open') return;
    entered(() => {
      this.last = true;
      const { stat, body, details } = this.stream === undefined ? this.#times.ofHead : OF_REQUEST;
      this.hcm.stats[stat]++;
      (this.stream ?? this.#newStream()).sendLocalReply(408, body, details, 0);
    });
  }

  #ended(): void {
    const { stats } = this.hcm;
    stats.downstream_cx_tx_bytes_total += this.out.bytes;
    this.out.bytes = 0;
    this.#counts.ended();
    this.#life.stop();
    this.#drainTimer?.cancel();
    this.#idleDeadline.stop();
    this.#times.stop();
    this.deadlines.stop();
  }
}
