import { sharedState } from '../filter-state/state.ts';
import { chunkHead, lastChunk } from '../codec/encode.ts';
import { fieldBytesOf } from '../codec/field-bytes.ts';
import type { ResponseParser } from '../codec/response-parser.ts';
import type { Deps } from '../deps.ts';
import type { RequestGroup } from '../telemetry/request-groups.ts';
import type { CircuitBreaker, RequestHead, RouteActionProgram, UpstreamHost } from '../types.ts';
import type { ClientConnection, Exchange } from './client-connection.ts';
import type { LaterCount } from './host-report.ts';
import { turnNow } from './turn.ts';
import { poolOf, type Pool, type Waiter } from './pool.ts';
import type { ResetReason } from './reset.ts';
import type { Span } from '../tracing/span.ts';
import type { AttemptLog } from './attempt-log.ts';
import { AttemptTrack } from './attempt-track.ts';
import type { StreamRecord } from './info.ts';
import type { RequestBody } from './request-body.ts';
import { upstreamHead } from './upstream-head.ts';

/** Whose attempts they are: the router of a client's request, or a request of the proxy's own. */
export interface AttemptOwner {
  readonly deps: Deps;
  readonly info: StreamRecord;
  readonly request: RequestHead;
  readonly body: RequestBody;
  /** A body is coming or may come. */
  readonly expectsBody: boolean;
  /** What the request asks its connection to become; empty: nothing. */
  readonly upgrade: string;
  /** That was accepted. */
  readonly isTunnel: boolean;
  readonly priority: RouteActionProgram['priority'];
  readonly breaker: CircuitBreaker;
  readonly groups: readonly RequestGroup[] | undefined;
  readonly perTryTimeout: number;
  /** Follows an attempt for spans and logs; undefined where nobody asks. */
  logOf(host: UpstreamHost, span: Span | undefined): AttemptLog | undefined;
  /** There is a connection to a host, by whose name the request may be sent. */
  takeHostOf(host: UpstreamHost): void;
  onAttemptBegins(attempt: Attempt): void;
  /** Whether the request's head cannot be sent to anybody, which ends it. */
  refusesHead(): boolean;
  /** An attempt has sent all parts of the body; how many of those are still there. */
  bodySent(): number;
  /** No more of the body is to come for now. */
  pauseDownstream(): void;
  resumeDownstream(): void;
  /** Fields that may say how much load their host has. */
  tellLoad(host: UpstreamHost, flat: readonly string[]): void;
  onInterim(attempt: Attempt, parser: ResponseParser): void;
  onResponseHead(attempt: Attempt, parser: ResponseParser): void;
  onResponseData(data: Buffer): void;
  onResponseEnd(attempt: Attempt, trailers: string[] | undefined): void;
  /** It ended without a response, or within one. */
  onReset(attempt: Attempt, reason: ResetReason, transport: string): void;
}

/**
 * One try of a request at one host: waiting for a connection → writing and reading → over. Its owner holds the request
 * and its body; an attempt takes from it what it has not sent yet.
 */
export class Attempt implements Waiter, Exchange {
  readonly host: UpstreamHost;
  /** The head of the final response has come. */
  responded = false;
  /** A head has come, be it an interim one. */
  heard = false;
  /** Counts a response by its end. */
  countLater: LaterCount | undefined = undefined;
  #hadBody = false;
  over = false;
  /** Its time is over, and it goes on. */
  tooSlow = false;
  readonly #owner: AttemptOwner;
  readonly #pool: Pool;
  #connection: ClientConnection | undefined;
  #waiting = true;
  /** A connection to the host was there, whether or not the request went out. */
  admitted = false;
  /** What came of it is the host's doing: it had a connection there, or could have none. */
  atHost = false;
  #chunked = false;
  /** Parts of the owner's body that have been sent. */
  #sent = 0;
  #requestSent = false;
  /** Its own in the request's trace. */
  readonly #span: Span | undefined;
  /** What only spans and the router's own log ask for. */
  #log: AttemptLog | undefined;
  /** What only some clusters ask for. */
  #track: AttemptTrack | undefined;
  /** What the connection had sent before. */
  #sentBefore = 0;
  #counted = false;
  /** What comes after the head of an upgrade waits until that is accepted. */
  #held = false;

  constructor(owner: AttemptOwner, host: UpstreamHost, span: Span | undefined) {
    this.#span = span;
    this.#owner = owner;
    this.host = host;
    this.#pool = poolOf(host, owner.deps, owner.priority);
  }

  get #passesTrailers(): boolean {
    return this.host.cluster.http?.enableTrailers === true;
  }

  get connected(): boolean {
    return this.#connection !== undefined;
  }
  /** Some of the request has left. */
  get begun(): boolean {
    return this.#connection !== undefined;
  }

  start(): void {
    this.host.active++;
    const owner = this.#owner;
    const { info } = owner;
    info.poolWaitStart = turnNow(owner.deps.clock);
    this.#log = owner.logOf(this.host, this.#span);
    const { tracked } = this.host.cluster;
    if (tracked !== undefined) this.#track = new AttemptTrack(tracked, info.poolWaitStart);
    this.#pool.acquire(this, owner.breaker);
  }

  onConnection(connection: ClientConnection): void {
    this.#waiting = false;
    this.atHost = true;
    this.#connection = connection;
    const owner = this.#owner;
    const { request, info } = owner;
    owner.takeHostOf(this.host);
    info.upstreamLocalAddress = connection.localAddress;
    if (connection.requests === 0) connection.filterState = sharedState(info);
    info.upstreamConnection = connection;
    info.poolReady = turnNow(owner.deps.clock);
    this.#log?.connected(connection);
    this.#sentBefore = connection.out.bytes;
    if (info.upstreamStartTime < 0) info.upstreamStartTime = info.poolReady;
    const { stats } = this.host.cluster;
    this.host.issued++;
    this.host.report('begun');
    owner.onAttemptBegins(this);
    stats.upstream_rq_total++;
    stats.upstream_rq_active++;
    if (owner.groups !== undefined) for (const group of owner.groups) group.upstream_rq_total++;
    const upgrade = owner.upgrade !== '';
    connection.begin(this, request.method, upgrade && request.method !== 'CONNECT');
    if (request.headers.unchecked && owner.refusesHead()) return;
    const head = upstreamHead(request, this.host.cluster, upgrade, owner.expectsBody);
    this.#chunked = head.chunked;
    info.upstreamHeaderBytesSent += head.fieldBytes;
    connection.out.text(head.text);
    this.#sent = 0;
    this.#held = upgrade;
    this.sendBody();
  }

  onPoolFailure(reason: ResetReason, transport: string, admitted = false): void {
    this.#waiting = false;
    this.admitted = admitted;
    this.atHost = admitted || reason !== 'overflow';
    this.#log?.failed(reason, transport);
    this.#finish();
    this.#owner.onReset(this, reason, transport);
  }

  /** Sends what the owner has and this attempt has not sent. */
  sendBody(): void {
    const connection = this.#connection;
    if (connection === undefined || this.#requestSent || connection.closed || this.#held) return;
    const owner = this.#owner;
    const { body } = owner;
    const { out } = connection;
    const { parts } = body;
    // What waited together goes on as one chunk.
    if (this.#chunked && parts.length - this.#sent > 1) this.#write(Buffer.concat(parts.slice(this.#sent)));
    else while (this.#sent < parts.length) this.#write(parts[this.#sent++]!);
    this.#sent = owner.bodySent();
    if (body.complete) {
      this.#requestSent = true;
      owner.info.upstreamRequestEndTime = turnNow(owner.deps.clock);
      if (this.#chunked) out.text(lastChunk(this.#passesTrailers ? body.trailers : undefined));
      connection.requestDone();
    } else if (out.blocked) {
      connection.wantDrain();
      owner.pauseDownstream();
    } else {
      owner.resumeDownstream();
    }
  }

  /** Nobody needs again what has been sent. */
  forgetBody(): void {
    this.#owner.body.forget();
    this.#sent = 0;
  }

  /** The upgrade is accepted. */
  opened(): void {
    this.#held = false;
    this.sendBody();
  }

  /** Nothing keeps the next part of the body from being sent at once. */
  get takesBody(): boolean {
    return this.#connection !== undefined && !this.#held && !this.#connection.closed && !this.#connection.out.blocked;
  }

  /** Sends a part that the owner does not keep. Only when `takesBody`. */
  sendPart(data: Buffer): void {
    const connection = this.#connection!;
    this.#write(data);
    if (connection.out.blocked) {
      connection.wantDrain();
      this.#owner.pauseDownstream();
    }
  }

  #write(data: Buffer): void {
    this.#log?.sent(data.length);
    this.#track?.sent(data.length);
    const { out } = this.#connection!;
    if (!this.#chunked) {
      out.data(data);
      return;
    }
    out.text(chunkHead(data.length));
    out.data(data);
    out.text('\r\n');
  }

  /** Gives up: no callback comes any more. */
  reset(): void {
    if (this.over) return;
    if (this.#waiting) {
      this.#pool.cancel(this);
      this.host.cluster.stats.upstream_rq_cancelled++;
    }
    const connection = this.#connection;
    this.#log?.reset();
    this.#finish();
    connection?.abandon();
  }

  /** Logs are to tell of this attempt, though others came after it. */
  isTheOne(): void {
    const { info } = this.#owner;
    info.upstreamHost = this.host.authority;
    info.upstreamTarget = this.host;
    const connection = this.#connection;
    if (connection === undefined) return;
    info.upstreamLocalAddress = connection.localAddress;
    info.upstreamConnection = connection;
  }

  timedOut(): void {
    this.#log?.timedOut();
  }

  /** It ends because the request's whole time is over. */
  outOfTime(): void {
    this.#track?.untimed();
  }

  // Once it is over, its connection may be another's.
  pause(): void {
    if (!this.over) this.#connection?.pause();
  }
  resume(): void {
    if (!this.over) this.#connection?.resume();
  }

  onResponseHead(parser: ResponseParser): void {
    this.heard = true;
    this.#track?.responded(parser);
    this.#countHead(parser.fieldBytes);
    if (parser.status < 200 && parser.status !== 101) {
      this.#owner.onInterim(this, parser);
      return;
    }
    this.responded = true;
    this.#log?.responded(parser);
    if (this.host.load !== undefined) this.#owner.tellLoad(this.host, parser.flat);
    this.#owner.onResponseHead(this, parser);
  }
  onResponseData(data: Buffer): void {
    this.#log?.received(data.length);
    this.#track?.received(data.length);
    this.#hadBody = true;
    this.#owner.onResponseData(data);
  }
  /** As in Envoy, the second of the sums has everything that came before once more with each head. */
  #countHead(bytes: number): void {
    const { info } = this.#owner;
    info.upstreamHeaderBytesReceived += bytes;
    info.upstreamHeaderBytesSummed += info.upstreamHeaderBytesReceived;
  }
  onResponseEnd(trailers: string[] | undefined): void {
    this.countLater?.(this.#hadBody, trailers);
    if (trailers !== undefined) {
      this.#owner.tellLoad(this.host, trailers);
      this.#owner.info.upstreamHeaderBytesReceived += fieldBytesOf(trailers);
    }
    if (this.#requestSent) {
      this.#finish();
      this.#owner.onResponseEnd(this, trailers);
    } else if (this.#owner.isTunnel) {
      // A tunnel has no end of its own: its far side is gone, and so is it.
      const connection = this.#connection;
      this.#finish();
      connection?.abandon();
      this.#owner.onReset(this, 'connection termination', '');
    } else {
      // An answer before the end of the question: the connection is of no further use.
      const connection = this.#connection;
      this.#finish();
      this.#owner.onResponseEnd(this, trailers);
      connection?.abandon();
    }
  }
  onReset(reason: ResetReason, transport: string): void {
    if (this.countLater !== undefined) this.host.count?.('error');
    const refused = this.#connection?.refused;
    if (refused !== undefined && refused.headComplete && !this.responded) this.#countHead(refused.refusedBytes);
    else if (refused !== undefined) this.#owner.info.upstreamHeaderBytesReceived += refused.refusedBytes;
    this.#log?.failed(reason, transport);
    this.#finish();
    this.#owner.onReset(this, reason, transport);
  }
  onDrain(): void {
    this.#owner.resumeDownstream();
    this.sendBody();
  }

  #finish(): void {
    if (this.over) return;
    this.over = true;
    this.#log?.ended(this.#connection === undefined ? 0 : this.#connection.out.bytes - this.#sentBefore);
    const owner = this.#owner;
    this.#track?.ended(owner.request, owner.perTryTimeout, turnNow(owner.deps.clock));
    this.host.active--;
    if (this.#connection === undefined) return;
    this.host.cluster.stats.upstream_rq_active--;
    owner.breaker.releaseRequest();
    this.countBytes();
  }

  /** Once: what comes after another attempt has begun beside it is not counted any more. */
  countBytes(): void {
    const connection = this.#connection;
    if (connection === undefined || this.#counted) return;
    this.#counted = true;
    const { info } = this.#owner;
    info.upstreamWireBytesSent += connection.out.bytes - this.#sentBefore;
    info.upstreamWireBytesReceived += connection.received;
  }
}
