import type { Transform } from 'node:stream';
import type { JsonObject } from '@mizzen/xds';
import { Seen, seenIn } from '../codec/names.ts';
import { BodyMode } from '../codec/parser.ts';
import type { RequestParser } from '../codec/request-parser.ts';
import type { Timer } from '../deps.ts';
import type { LogSource, RouteConfigProgram } from '../program/types.ts';
import {
  ResponseFlag,
  type AlpnChoice,
  type CollectedBody,
  type HttpStream,
  type LocalReplyOptions,
  type Redirects,
  type RequestHead,
  type ResponseHead,
  type RouteDecision,
} from '../types.ts';
import type { PerFilter } from '../filter/switch.ts';
import { countAnswer } from './charge.ts';
import { applyMutations } from '../program/headers.ts';
import { BodyPipe } from './body-pipe.ts';
import { Headers } from './headers.ts';
import { Hold, type BodyWish } from './hold.ts';
import type { StreamRecord } from './info.ts';
import { entered, turnNow } from './io.ts';
import { buildLocalReply } from './local-reply.ts';
import { switchFilters, type FilterPlan } from './plan.ts';
import { keep } from './reads.ts';
import { checkHead, readHead } from './request-head.ts';
import type { RequestBody } from './request-body.ts';
import { ResponseWriter } from './response-writer.ts';
import { routeRequest } from './route-request.ts';
import type { Router } from './router.ts';
import type { HcmRuntime } from './runtime.ts';
import type { ServerConnection } from './server-connection.ts';
import { StreamTracing } from '../tracing/stream-tracing.ts';
import { logPeriodically, logStream } from './stream-log.ts';

const NO_ROUTE: RouteDecision = { kind: 'none', virtualHost: undefined };
const NO_REQUEST: RequestHead = { method: '', path: '', authority: '', scheme: '', headers: new Headers() };
const EMPTY = Buffer.alloc(0);
/** What a gRPC client is told whose stream took too long. */
const DEADLINE_EXCEEDED = 4;

/**
 * A request and its response on a server connection: head read → filters → router → response, which may begin (and
 * end) at any time after the start. Over when the response has been written whole, or the client is gone.
 */
export class ActiveStream implements HttpStream, LogSource {
  readonly connection: ServerConnection;
  readonly hcm: HcmRuntime;
  readonly info: StreamRecord;
  request: RequestHead = NO_REQUEST;
  response: ResponseHead | undefined = undefined;
  upstreamAlpn: AlpnChoice | undefined = undefined;
  trailers: readonly string[] | undefined = undefined;
  logType: LogSource['logType'] = undefined;
  /** All of the request has been read. */
  requestComplete = false;
  /** The lowercase protocol that an upgrade asks for, `connect`, or empty. */
  upgrade = '';
  /** The connection carries bytes of another protocol after the heads. */
  tunnel = false;
  over = false;
  responseEnds = false;
  /** A body is coming or may come. */
  expectsBody = false;
  /** The request declares its length. */
  hasLength = false;
  /** It came with `x-envoy-…` fields, some of which may have been kept. */
  mayCarryEnvoyFields = false;
  /** It has followed responses that said where else to go. */
  redirects: Redirects | undefined = undefined;
  /** Undefined: requests are not traced. */
  tracing: StreamTracing | undefined = undefined;
  readonly #writer: ResponseWriter;
  /** What the response's body goes through. */
  #pipe: BodyPipe | undefined;
  #requestPipe: BodyPipe | undefined;
  #requestTrailers: readonly string[] | undefined;
  #filters: FilterPlan;
  #routes: RouteConfigProgram | undefined;
  #decision: RouteDecision | undefined;
  #router: Router | undefined;
  /** While a filter's promise is being waited for, one way and the other. */
  #requestHold: Hold | undefined;
  #responseHold: Hold | undefined;
  /** What a filter that has just run wants of the body. */
  #bodyWish: BodyWish | undefined;
  #idleTimeout = 0;
  #logTimer: Timer | undefined;
  /** Counted as an upgrade. */
  #upgraded = false;

  constructor(connection: ServerConnection, info: StreamRecord) {
    this.connection = connection;
    this.hcm = connection.hcm;
    this.info = info;
    this.#filters = connection.plan.filters;
    this.#writer = new ResponseWriter(connection);
  }

  // ---- the request

  start(parser: RequestParser): void {
    const { hcm, info, connection } = this;
    const { program } = hcm;
    if ((parser.seen & Seen.EXPECT) !== 0 && !program.proxy100Continue) this.#answerExpectation(parser);
    this.request = readHead(parser, program);
    this.#routes = hcm.routes(this.request);
    this.expectsBody = parser.bodyMode !== BodyMode.NONE;
    this.hasLength = parser.contentLength >= 0;
    this.mayCarryEnvoyFields = (parser.seen & Seen.X_ENVOY) !== 0;
    this.#idleTimeout = program.streamIdleTimeout;
    this.#writer.begin(parser);
    info.headerBytesReceived = parser.fieldBytes;
    if (!this.expectsBody) this.#noteRequestEnd();
    const { request } = this;
    if (program.earlyMutations !== undefined) {
      for (const step of program.earlyMutations) applyMutations(step, request.headers, this);
      parser.seen = seenIn(request.headers, parser.seen);
      this.mayCarryEnvoyFields = (parser.seen & Seen.X_ENVOY) !== 0;
    }
    const refusal = checkHead(request, parser, info, this.#routes, hcm, connection.plan.touchesPath);
    if (parser.minor === 0) info.protocol = 'HTTP/1.0';
    if (refusal !== undefined) {
      if (refusal.closes) {
        connection.last = true;
        connection.knownLast = false;
      }
      if (refusal.hideRequest) this.request = NO_REQUEST;
      // A request that is refused has a route only if it said itself how it came.
      else if ((request.headers.get('x-forwarded-proto') ?? '') === '') this.#decision = NO_ROUTE;
      else this.route();
      this.sendLocalReply(refusal.status, refusal.body, refusal.details, refusal.flags, refusal.headers);
      return;
    }
    if (program.tracing !== undefined) this.tracing = new StreamTracing(this, program.tracing);
    if (this.#idleTimeout > 0) this.#armStreamIdle();
    if (program.maxStreamDuration > 0) connection.durationDeadline.set(info.startTime + program.maxStreamDuration);
    if (connection.plan.logsMore) this.#logTimer = logPeriodically(this);
    if (parser.upgradeTo !== '' || request.method === 'CONNECT') {
      this.upgrade = request.method === 'CONNECT' ? 'connect' : parser.upgradeTo;
      if (!this.#startUpgrade()) return;
    }
    if (connection.plan.optional || this.#routes?.switchesFilters === true)
      this.#filters = switchFilters(this.#filters, perFilterOf(this.route()));
    this.#runRequestFilters(0);
  }

  /** Begins where another stream on this connection ends: its request goes to another place. */
  startAgain(request: RequestHead, before: ActiveStream, body: RequestBody): void {
    const { hcm, connection, info } = this;
    const { program } = hcm;
    this.#routes = hcm.routes(request);
    this.request = request;
    this.redirects = before.redirects;
    this.hasLength = request.headers.has('content-length');
    this.expectsBody = body.bytes > 0;
    info.bytesReceived = before.info.bytesReceived;
    info.remoteAddress = before.info.remoteAddress;
    info.protocol = before.info.protocol;
    this.#idleTimeout = program.streamIdleTimeout;
    this.#writer.begin(connection.parser);
    this.#noteRequestEnd();
    if (program.tracing !== undefined) this.tracing = new StreamTracing(this, program.tracing);
    if (this.#idleTimeout > 0) this.#armStreamIdle();
    if (program.maxStreamDuration > 0) connection.durationDeadline.set(info.startTime + program.maxStreamDuration);
    if (connection.plan.logsMore) this.#logTimer = logPeriodically(this);
    this.#runRequestFilters(0);
    if (!this.expectsBody || this.over) return;
    for (const part of body.parts) {
      info.bytesReceived += part.length;
      this.#passRequestData(part);
    }
    this.#passRequestEnd(body.trailers);
  }

  /** The request goes elsewhere, as a response asked for; the client sees nothing of it. */
  goElsewhere(response: ResponseHead, request: RequestHead, body: RequestBody): void {
    const { info, connection } = this;
    this.request = request;
    this.response = response;
    info.responseCode = response.status;
    info.responseCodeDetails = 'internal_redirect';
    this.#router?.cancel();
    this.#end(false);
    connection.streamAgain().startAgain(request, this, body);
  }

  #answerExpectation(parser: RequestParser): void {
    const { flat } = parser;
    for (let i = 0; i < flat.length; i += 2) {
      if (flat[i] === 'expect' && flat[i + 1]!.toLowerCase() === '100-continue') {
        flat.splice(i, 2);
        this.passInterim(100, []);
        return;
      }
    }
  }

  /** An interim response, which counts as an answer. */
  passInterim(status: number, flat: string[]): void {
    countAnswer(this.hcm, 1);
    this.info.responseCode = status;
    this.#writer.interim(this, status, flat);
  }

  /** Whether the route or the connection manager allows the upgrade; replies when not. */
  #startUpgrade(): boolean {
    const decision = this.route();
    const type = this.upgrade;
    const own = this.hcm.program.upgrades.get(type);
    const ofRoute = decision.kind === 'cluster' ? decision.route.action?.upgrades.get(type)?.enabled : undefined;
    if (decision.kind === 'cluster' && !(ofRoute ?? own?.enabled ?? false)) {
      this.hcm.stats.downstream_rq_ws_on_non_ws_route++;
      this.sendLocalReply(403, '', 'upgrade_failed', 0);
      return false;
    }
    this.#filters = this.connection.plan.upgradeFilters.get(type) ?? this.#filters;
    this.#upgraded = true;
    this.hcm.stats.downstream_cx_upgrades_total++;
    this.hcm.stats.downstream_cx_upgrades_active++;
    return true;
  }

  #runRequestFilters(from: number): void {
    const filters = this.#filters.onRequest;
    for (let i = from; i < filters.length; i++) {
      const result = filters[i]!.onRequest!(this);
      if (result === undefined) {
        if (this.over || this.#writer.started) return;
        continue;
      }
      if (result === 'stop') return;
      this.#holdRequest(result, () => this.#runRequestFilters(i + 1));
      return;
    }
    const router = routeRequest(this);
    this.#router = router;
    router?.start();
  }

  /** Holds the body until a filter has made up its mind, then goes on with `then` and the body. */
  #holdRequest(result: Promise<undefined | 'stop'>, then: () => void): void {
    const wish = this.#bodyWish;
    this.#bodyWish = undefined;
    // A filter that wants the body is the one to say when enough has been read.
    let paused = wish === undefined;
    if (paused) this.connection.pause();
    const hold = new Hold(
      wish && {
        ...wish,
        onReady: (body) => {
          paused = true;
          this.connection.pause();
          wish.onReady(body);
        },
      },
    );
    this.#requestHold = hold;
    const settled = (go: boolean): void =>
      entered(() => {
        this.#requestHold = undefined;
        if (paused) this.connection.resume();
        if (!go || this.over || this.#writer.started) return;
        then();
        hold.give(
          (data) => this.#passRequestData(data),
          (trailers) => this.#passRequestEnd(trailers),
        );
      });
    result.then(
      (value) => settled(value === undefined),
      () => {
        if (!this.over) entered(() => this.sendLocalReply(500, '', 'filter_failed', 0));
        settled(false);
      },
    );
  }

  onRequestData(data: Buffer): void {
    this.info.bytesReceived += data.length;
    this.#passRequestData(data);
  }

  #passRequestData(data: Buffer): void {
    if (this.over) return;
    if (this.#requestHold !== undefined) {
      this.#requestHold.add(data);
      return;
    }
    if (this.#idleTimeout > 0) this.#armStreamIdle();
    const filters = this.#filters.onRequestData;
    for (let i = 0; i < filters.length; i++) {
      const result = filters[i]!.onRequestData!(this, data, false);
      if (result === 'stop' || this.over) return;
      if (result !== undefined) {
        const kept = keep(data);
        this.#holdRequest(result, () => this.#sendUp(kept));
        return;
      }
    }
    this.#sendUp(data);
  }

  #sendUp(data: Buffer): void {
    if (this.#requestPipe === undefined) this.#router?.onRequestData(data);
    else this.#requestPipe.write(data);
  }

  onRequestEnd(trailers: readonly string[] | undefined): void {
    if (this.over) return;
    this.#noteRequestEnd();
    this.#passRequestEnd(trailers);
  }

  #passRequestEnd(trailers: readonly string[] | undefined): void {
    if (this.over) return;
    if (this.#requestHold !== undefined) {
      this.#requestHold.end(trailers);
      return;
    }
    const filters = this.#filters.onRequestData;
    for (let i = 0; i < filters.length; i++) {
      if (filters[i]!.onRequestData!(this, EMPTY, true) === 'stop' || this.over) return;
    }
    let passed = this.hcm.program.enableTrailers ? trailers : undefined;
    if (passed !== undefined)
      for (const filter of this.#filters.onRequestTrailers) passed = filter.onRequestTrailers!(this, passed);
    else if (this.expectsBody) for (const filter of this.#filters.onRequestEnd) filter.onRequestEnd!(this);
    this.#requestTrailers = passed;
    if (this.#requestPipe === undefined) this.#endRequest(passed);
    else this.#requestPipe.end();
  }

  #endRequest(trailers: readonly string[] | undefined): void {
    if (this.over) return;
    this.#router?.onRequestEnd(trailers);
  }

  #noteRequestEnd(): void {
    if (this.requestComplete) return;
    this.requestComplete = true;
    this.info.requestEndTime = turnNow(this.hcm.deps.clock);
  }

  // ---- for filters

  route(): RouteDecision {
    let decision = this.#decision;
    if (decision === undefined) {
      decision =
        this.#routes === undefined
          ? NO_ROUTE
          : this.#routes.find(this.request, this.info, this.hcm.deps.random, undefined);
      this.#decision = decision;
      this.info.routeResolutions++;
      if (decision.kind !== 'none') {
        const { route } = decision;
        this.info.routeName = route.name;
        this.info.virtualHostName = route.virtualHost.name;
        if (route.metadata !== undefined) this.info.routeMetadata = route.metadata;
        if (route.virtualHost.metadata !== undefined) this.info.virtualHostMetadata = route.virtualHost.metadata;
      }
    }
    return decision;
  }

  /** Where the request goes with another head. Its route is that one from now on, though the head is not yet. */
  routeOf(request: RequestHead): RouteDecision {
    const { info } = this;
    const before = this.request;
    this.request = request;
    this.clearRoute();
    info.routeName = '';
    info.upstreamCluster = '';
    const decision = this.route();
    this.request = before;
    if (decision.kind === 'cluster' && this.hcm.cluster(decision.cluster) !== undefined)
      info.upstreamCluster = decision.cluster;
    return decision;
  }

  clearRoute(): void {
    this.#decision = undefined;
  }

  perRoute(filterName: string): unknown {
    const decision = this.route();
    if (decision.kind === 'none') return decision.virtualHost?.perFilter.get(filterName);
    const { route } = decision;
    return (
      (decision.kind === 'cluster' ? decision.weighted?.perFilter.get(filterName) : undefined) ??
      route.perFilter.get(filterName) ??
      route.virtualHost.perFilter.get(filterName)
    );
  }

  declareLength(bytes: number): void {
    if (this.hasLength) return;
    this.hasLength = true;
    this.request.headers.add('content-length', String(bytes));
  }

  collectBody(limit: number, partial: boolean): Promise<CollectedBody> {
    if (!this.expectsBody) return Promise.resolve({ data: EMPTY, complete: true });
    return new Promise((resolve) => {
      this.#bodyWish = {
        limit,
        partial,
        onReady: resolve,
        onTooLarge: () => {
          this.hcm.stats.downstream_rq_too_large++;
          this.sendLocalReply(413, 'Payload Too Large', 'request_payload_too_large', 0);
        },
      };
    });
  }

  setMetadata(filter: string, value: JsonObject): void {
    (this.info.dynamicMetadata ??= {})[filter] = value;
  }

  sendLocalReply(
    status: number,
    body: string,
    details: string,
    flags: number,
    headers?: readonly [string, string][],
    more?: LocalReplyOptions,
  ): void {
    if (this.over) return;
    const { info, connection, hcm } = this;
    const decision = this.#decision;
    if (info.upstreamCluster === '' && decision?.kind === 'cluster' && hcm.cluster(decision.cluster) !== undefined) {
      info.upstreamCluster = decision.cluster;
    }
    // Refused before it could be decided.
    if (hcm.program.tracing !== undefined && this.tracing === undefined) hcm.stats['tracing.not_traceable']++;
    info.responseFlags |= flags;
    info.responseCodeDetails = details.replaceAll(' ', '_');
    this.#router?.cancel();
    // A bad request may mean that the client and this side no longer agree on where messages end.
    if (status === 400 && !hcm.program.streamErrorOnInvalidMessage) connection.last = true;
    if (this.#writer.started) {
      this.reset(details);
      return;
    }
    if (body !== '') info.localReplyBody = body;
    const reply = buildLocalReply(this, status, body, headers, more?.grpcStatus);
    info.responseFlags |= more?.flagsForLog ?? 0;
    info.localReplyBody = undefined;
    this.sendResponse(reply.head, reply.body === '');
    if (reply.body !== '') this.sendData(Buffer.from(reply.body));
    this.sendEnd(undefined);
  }

  // ---- the response

  /** The client asked to be told the request's id. */
  get forcesTrace(): boolean {
    return this.mayCarryEnvoyFields && this.request.headers.has('x-envoy-force-trace');
  }

  get responseStarted(): boolean {
    return this.#writer.started;
  }

  /** `end`: no body follows; `sendEnd` must still be called. */
  sendResponse(head: ResponseHead, end: boolean): void {
    if (this.over) return;
    const { info } = this;
    this.response = head;
    this.responseEnds = end;
    info.responseCode = head.status;
    info.responseStartTime = turnNow(this.hcm.deps.clock);
    this.#runResponseFilters(head, 0, end);
  }

  #runResponseFilters(head: ResponseHead, from: number, end: boolean): void {
    const filters = this.#filters.onResponse;
    for (let i = from; i < filters.length; i++) {
      const result = filters[i]!.onResponse!(this);
      if (this.over || result === 'stop') return;
      if (result !== undefined) {
        this.#holdResponse(result, () => this.#runResponseFilters(head, i + 1, end));
        return;
      }
    }
    this.#writer.head(this, head, end);
  }

  #holdResponse(result: Promise<undefined | 'stop'>, then: () => void): void {
    const hold = new Hold(undefined);
    this.#responseHold = hold;
    this.#router?.pauseUpstream();
    const go = (): void =>
      entered(() => {
        this.#responseHold = undefined;
        this.#router?.resumeUpstream();
        if (this.over) return;
        then();
        hold.give(
          (data) => this.sendData(data),
          (trailers) => this.sendEnd(trailers),
        );
      });
    result.then(go, go);
  }

  sendData(data: Buffer): void {
    if (this.over) return;
    if (this.#responseHold !== undefined) {
      this.#responseHold.add(data);
      return;
    }
    const filters = this.#filters.onResponseData;
    for (let i = 0; i < filters.length; i++) {
      const result = filters[i]!.onResponseData!(this, data, false);
      if (this.over) return;
      if (result !== undefined && result !== 'stop') {
        const kept = keep(data);
        this.#holdResponse(result, () => this.#write(kept));
        return;
      }
    }
    this.#write(data);
  }

  transformResponse(transform: Transform, count: (before: number, after: number) => boolean): void {
    const pipe = new BodyPipe(transform, count, {
      onData: (data) => this.#emit(data),
      onEnd: () => this.#endBody(),
      onFlow: (flows) => (flows ? this.#router?.resumeUpstream() : this.#router?.pauseUpstream()),
    });
    if (this.#pipe === undefined) this.#pipe = pipe;
    else this.#pipe.add(pipe);
  }

  transformRequest(transform: Transform, count: (before: number, after: number) => boolean): void {
    this.hasLength = false;
    const pipe = new BodyPipe(transform, count, {
      onData: (data) => this.#router?.onRequestData(data),
      onEnd: () => this.#endRequest(this.#requestTrailers),
      onFlow: (flows) => (flows ? this.connection.resume() : this.connection.pause()),
    });
    if (this.#requestPipe === undefined) this.#requestPipe = pipe;
    else this.#requestPipe.add(pipe);
  }

  #write(data: Buffer): void {
    if (this.#pipe === undefined) this.#emit(data);
    else this.#pipe.write(data);
  }

  #emit(data: Buffer): void {
    if (this.over) return;
    if (this.#idleTimeout > 0) this.#armStreamIdle();
    this.#writer.data(data);
    if (!this.#writer.bodyless) this.info.bytesSent += data.length;
    if (this.connection.out.blocked) {
      this.connection.wantDrain();
      this.#router?.pauseUpstream();
    }
  }

  sendEnd(trailers: readonly string[] | undefined): void {
    if (this.over) return;
    this.trailers = trailers;
    if (this.#responseHold !== undefined) {
      this.#responseHold.end(trailers);
      return;
    }
    if (trailers !== undefined)
      for (const filter of this.#filters.onResponseTrailers)
        this.trailers = filter.onResponseTrailers!(this, this.trailers!);
    else if (!this.responseEnds) for (const filter of this.#filters.onResponseEnd) filter.onResponseEnd!(this);
    if (this.#pipe === undefined) this.#endBody();
    else this.#pipe.end();
  }

  #endBody(): void {
    if (this.over) return;
    if (!this.requestComplete && !this.tunnel) {
      // The rest of the request is not waited for.
      this.hcm.stats.downstream_rq_response_before_rq_complete++;
      this.hcm.stats.downstream_rq_rx_reset++;
    }
    this.#writer.end(this.hcm.program.enableTrailers ? this.trailers : undefined);
    this.#finish(this.#writer.keepsConnection);
  }

  /** The response cannot be completed: the client learns by the connection's end. */
  reset(details: string): void {
    if (this.over) return;
    this.info.responseCodeDetails = details;
    this.hcm.stats.downstream_rq_tx_reset++;
    this.#finish(false);
  }

  #finish(keep: boolean): void {
    this.#end(true);
    this.connection.streamDone(keep, this.requestComplete);
  }

  #end(completes: boolean): void {
    this.over = true;
    this.#pipe?.destroy();
    this.#requestPipe?.destroy();
    const { info } = this;
    const { stats, deps } = this.hcm;
    info.responseEndTime = turnNow(deps.clock);
    info.wireBytesSent = this.connection.out.bytes;
    info.wireBytesReceived = this.connection.parser.bytesOf(info.bytesReceived);
    for (const filter of this.#filters.onEnd) filter.onEnd!(this);
    stats.downstream_rq_active--;
    stats.downstream_rq_time.record(Math.trunc(info.responseEndTime - info.startTime));
    if (this.#upgraded) stats.downstream_cx_upgrades_active--;
    if (completes && info.responseCode >= 100) {
      countAnswer(this.hcm, Math.trunc(info.responseCode / 100));
    }
    this.#logTimer?.cancel();
    logStream(this);
    this.#router?.cancel();
    this.tracing?.finish();
  }

  /** A tunnel that was handed over has ended. */
  tunnelOver(): void {
    if (!this.over) entered(() => this.#finish(false));
  }

  // ---- what happens to it

  onCodecError(status: number, details: string): void {
    const { connection } = this;
    const { parser } = connection;
    connection.last = true;
    if (parser.headComplete && parser.minor === 0 && parser.acceptHttp10) this.#writer.http10 = true;
    this.sendLocalReply(status, CODEC_BODIES[status] ?? 'Bad Request', details, ResponseFlag.DPE);
  }

  onDownstreamGone(details: string, flag: number): void {
    if (this.over) return;
    const { stats } = this.hcm;
    this.info.responseFlags |= flag;
    this.info.responseCodeDetails = details;
    stats.downstream_rq_rx_reset++;
    this.#router?.cancel();
    this.#finish(false);
  }

  onDownstreamDrain(): void {
    this.#router?.resumeUpstream();
  }
  onRouteTimeout(): void {
    entered(() => this.#router?.onTimeout());
  }
  onTryTimeout(): void {
    entered(() => this.#router?.onTryTimeout());
  }

  onIdleTimeout(): void {
    this.hcm.stats.downstream_rq_idle_timeout++;
    const status = this.requestComplete ? 504 : 408;
    entered(() => this.sendLocalReply(status, 'stream timeout', 'stream_idle_timeout', ResponseFlag.SI));
  }
  onMaxDuration(): void {
    if (this.over) return;
    this.hcm.stats.downstream_rq_max_duration_reached++;
    const status = this.requestComplete ? 504 : 408;
    entered(() =>
      this.sendLocalReply(status, 'downstream duration timeout', 'max_duration_timeout', 0, undefined, {
        grpcStatus: DEADLINE_EXCEEDED,
      }),
    );
  }

  #armStreamIdle(): void {
    this.connection.streamIdleDeadline.set(turnNow(this.hcm.deps.clock) + this.#idleTimeout);
  }
  /** A route's own idle timeout, milliseconds; 0 turns it off. */
  setStreamIdle(timeout: number): void {
    this.#idleTimeout = timeout;
    if (timeout > 0) this.#armStreamIdle();
    else this.connection.streamIdleDeadline.clear();
  }
  /** A route's own limit for the whole stream, milliseconds; undefined turns it off. */
  setMaxDuration(limit: number | undefined): void {
    const { durationDeadline } = this.connection;
    if (limit === undefined) durationDeadline.clear();
    else if (limit > 0) durationDeadline.set(this.info.startTime + limit);
    else queueMicrotask(() => this.onMaxDuration());
  }
}

function perFilterOf(decision: RouteDecision): PerFilter {
  if (decision.kind === 'none') return NOTHING;
  return ((decision.kind === 'cluster' ? decision.weighted : undefined) ?? decision.route).perFilter;
}
const NOTHING: PerFilter = new Map();

/** What is said to a client whose request could not be read. */
const CODEC_BODIES: Readonly<Record<number, string>> = {
  426: 'Upgrade Required',
  403: 'Forbidden',
  431: 'Request Header Fields Too Large',
  501: 'Not Implemented',
};
