import type { Transform } from 'node:stream';
import { Seen, seenIn } from '../codec/names.ts';
import { BodyMode } from '../codec/parser.ts';
import type { RequestParser } from '../codec/request-parser.ts';
import type { Timer } from '../deps.ts';
import { applyMutations, type HeaderMutations } from '../program/headers.ts';
import type { LogSource } from '../program/types.ts';
import { isGrpc } from '../telemetry/access-log-grpc.ts';
import { StreamTracing } from '../tracing/stream-tracing.ts';
import {
  ResponseFlag,
  type LocalReplyOptions,
  type PerFilter,
  type RequestHead,
  type ResponseHead,
  type RouteDecision,
} from '../types.ts';
import { countAnswer } from './charge.ts';
import type { Headers } from './headers.ts';
import type { StreamRecord } from './info.ts';
import { entered, logLater, settleLogs, turnNow } from './turn.ts';
import { buildLocalReply, headersOf } from './local-reply.ts';
import { switchFilters } from './plan.ts';
import type { RequestBody } from './request-body.ts';
import { checkHead, checkTarget, readHead, type Refusal } from './request-head.ts';
import { RequestStream } from './request-stream.ts';
import { ResponsePath } from './response-path.ts';
import { routeRequest } from './route-request.ts';
import { NO_REQUEST, NO_ROUTE } from './routed-stream.ts';
import type { Router } from './router.ts';
import type { ServerConnection } from './server-connection.ts';
import { logPeriodically, logEnd } from './stream-log.ts';

/** What a gRPC client is told whose stream took too long. */
const DEADLINE_EXCEEDED = 4;

/**
 * A request and its response on a server connection: head read → filters → router → response, which may begin (and
 * end) at any time after the start. Over when the response has been written whole, or the client is gone.
 */
export class ActiveStream extends RequestStream implements LogSource {
  response: ResponseHead | undefined = undefined;
  trailers: readonly string[] | undefined = undefined;
  logType: LogSource['logType'] = undefined;
  responseEnds = false;
  /** Undefined: requests are not traced. */
  tracing: StreamTracing | undefined = undefined;
  readonly #path: ResponsePath;
  #logTimer: Timer | undefined;
  /** Counted as an upgrade. */
  #upgraded = false;

  constructor(connection: ServerConnection, info: StreamRecord) {
    super(connection, info);
    this.#path = new ResponsePath(this);
  }

  // ---- the request

  start(parser: RequestParser): void {
    const { hcm, info, connection } = this;
    const { program } = hcm;
    this.#path.begin(parser);
    if ((parser.seen & Seen.EXPECT) !== 0 && !program.proxy100Continue) this.#answerExpectation(parser);
    this.request = readHead(parser, program);
    if ((parser.seen & Seen.CONTENT_TYPE) !== 0) this.grpc = isGrpc(this.request.headers.get('content-type'));
    this.routes = hcm.routes(this.request);
    this.expectsBody = parser.bodyMode !== BodyMode.NONE;
    this.mayCarryEnvoyFields = (parser.seen & Seen.X_ENVOY) !== 0;
    this.idleTimeout = program.streamIdleTimeout;
    info.headerBytesReceived = parser.fieldBytes;
    if (!this.expectsBody) this.noteRequestEnd();
    const { request } = this;
    const { earlyMutations: early } = program;
    const mutateEarly = early === undefined ? undefined : (): void => this.#mutateEarly(early, parser);
    const refusal = checkHead(request, parser, info, this.routes, hcm, connection.plan.touchesPath, mutateEarly);
    if (parser.minor === 0) info.protocol = 'HTTP/1.0';
    if (refusal !== undefined) {
      info.headRefused = true;
      if (refusal.closes) {
        connection.last = true;
        connection.knownLast = false;
      }
      if (refusal.hideRequest) this.request = NO_REQUEST;
      // A request that is refused has a route only if it said itself how it came.
      else if ((request.headers.get('x-forwarded-proto') ?? '') === '') this.decision = NO_ROUTE;
      else this.route();
      this.#refuse(refusal);
      return;
    }
    if (program.tracing !== undefined) this.tracing = new StreamTracing(this, program.tracing);
    this.moved();
    if (program.maxStreamDuration > 0) connection.deadlines.duration.set(info.startTime + program.maxStreamDuration);
    if (connection.plan.logsMore) this.#logTimer = logPeriodically(this);
    if (parser.upgradeTo !== '' || request.method === 'CONNECT') {
      this.upgrade = request.method === 'CONNECT' ? 'connect' : parser.upgradeTo;
      if (!this.#startUpgrade()) return;
    }
    this.#runFilters();
  }

  #mutateEarly(steps: readonly HeaderMutations[], parser: RequestParser): void {
    const { headers } = this.request;
    for (const step of steps) applyMutations(step, headers, this);
    parser.seen = seenIn(headers, parser.seen);
    this.mayCarryEnvoyFields = (parser.seen & Seen.X_ENVOY) !== 0;
  }

  #refuse({ status, body, details, flags, headers }: Refusal): void {
    this.sendLocalReply(status, body, details, flags, headers);
  }

  #runFilters(): void {
    if (this.connection.plan.optional || this.routes?.switchesFilters === true)
      this.filters = switchFilters(this.filters, perFilterOf(this.route()));
    this.runRequestFilters(0);
  }

  /** Begins where another stream on this connection ends: its request goes to another place. */
  startAgain(request: RequestHead, before: ActiveStream, body: RequestBody): void {
    const { hcm, connection, info } = this;
    const { program } = hcm;
    this.routes = hcm.routes(request);
    this.request = request;
    this.grpc = isGrpc(request.headers.get('content-type'));
    this.redirects = before.redirects;
    this.expectsBody = body.bytes > 0;
    info.bytesReceived = before.info.bytesReceived;
    info.remoteAddress = before.info.remoteAddress;
    info.protocol = before.info.protocol;
    this.idleTimeout = program.streamIdleTimeout;
    this.#path.begin(connection.parser);
    this.noteRequestEnd();
    if (program.tracing !== undefined) this.tracing = new StreamTracing(this, program.tracing);
    this.moved();
    if (program.maxStreamDuration > 0) connection.deadlines.duration.set(info.startTime + program.maxStreamDuration);
    if (connection.plan.logsMore) this.#logTimer = logPeriodically(this);
    const refusal = checkTarget(request, info, hcm, connection.plan.touchesPath);
    if (refusal !== undefined) {
      this.#refuse(refusal);
      return;
    }
    this.#runFilters();
    for (const part of body.parts) {
      if (!this.over) info.bytesReceived += part.length;
      this.passRequestData(part);
    }
    this.passRequestEnd(body.trailers);
  }

  /** The request goes elsewhere, as a response asked for; the client sees nothing of it. */
  goElsewhere(response: ResponseHead, request: RequestHead, body: RequestBody): void {
    const { info, connection } = this;
    this.request = request;
    this.response = response;
    info.responseCode = response.status;
    info.responseCodeDetails = 'internal_redirect';
    this.router?.cancel();
    this.#end(false);
    connection.streamAgain().startAgain(request, this, body);
  }

  #answerExpectation(parser: RequestParser): void {
    const { flat } = parser;
    for (let i = 0; i < flat.length; i += 2) {
      if (flat[i] === 'expect' && flat[i + 1]!.toLowerCase() === '100-continue') {
        flat.splice(i, 2);
        this.passInterim(100, undefined);
        return;
      }
    }
  }

  /** An interim response, which counts as an answer. */
  passInterim(status: number, headers: Headers | undefined): void {
    countAnswer(this.hcm, 1);
    this.info.responseCode = status;
    this.#path.interim(this, status, headers);
    const { connection } = this;
    if (!connection.out.blocked) return;
    connection.wantDrain();
    this.pauseUpstream();
  }

  /** Whether the route or the connection manager allows the upgrade; replies when not. */
  #startUpgrade(): boolean {
    const decision = this.route();
    const type = this.upgrade;
    const own = this.hcm.program.upgrades.get(type);
    const ofRoute = decision.kind === 'cluster' ? decision.route.action?.upgrades.get(type)?.enabled : undefined;
    if (!(ofRoute ?? own?.enabled ?? false)) {
      // It will not be found, whatever it asks for.
      if (decision.kind === 'none') return true;
      this.hcm.stats.downstream_rq_ws_on_non_ws_route++;
      this.sendLocalReply(403, '', 'upgrade_failed', 0);
      return false;
    }
    this.filters = this.connection.plan.upgradeFilters.get(type) ?? this.filters;
    this.#upgraded = true;
    this.hcm.stats.downstream_cx_upgrades_total++;
    this.hcm.stats.downstream_cx_upgrades_active++;
    return true;
  }

  protected newRouter(): Router | undefined {
    return routeRequest(this);
  }

  // ---- the response

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
    // Refused before it could be decided.
    if (hcm.program.tracing !== undefined && this.tracing === undefined) hcm.stats['tracing.not_traceable']++;
    info.responseFlags |= flags;
    info.responseCodeDetails = details.replaceAll(' ', '_');
    this.router?.cancel();
    // A bad request may mean that the client and this side no longer agree on where messages end.
    if (status === 400 && !hcm.program.streamErrorOnInvalidMessage) connection.last = true;
    if (this.#path.started) {
      info.responseFlags |= more?.flagsForLog ?? 0;
      this.reset(details);
      return;
    }
    if (more?.bare === true) {
      this.sendResponse({ status, headers: headersOf(headers) }, true, 0);
      return this.sendEnd(undefined);
    }
    const reply = buildLocalReply(this, status, body, headers, more?.grpcStatus);
    const ends = reply.body === '' || this.request.method === 'HEAD';
    this.sendResponse(reply.head, ends, reply.status);
    info.responseFlags |= more?.flagsForLog ?? 0;
    if (!ends) this.sendData(Buffer.from(reply.body, 'latin1'));
    this.sendEnd(undefined);
  }

  get responseStarted(): boolean {
    return this.#path.started;
  }

  /** `end`: no body follows; `sendEnd` must still be called. `status` is what filters take it for. */
  sendResponse(head: ResponseHead, end: boolean, status = head.status): void {
    if (this.over) return;
    const { info } = this;
    this.response = head;
    this.responseEnds = end;
    if (!this.requestComplete) this.hcm.stats.downstream_rq_response_before_rq_complete++;
    info.responseCode = status;
    info.responseStartTime = turnNow(this.hcm.deps.clock);
    this.#path.passHead(head, end);
  }
  sendData(data: Buffer): void {
    this.#path.passData(data);
  }
  sendEnd(trailers: readonly string[] | undefined): void {
    this.#path.passEnd(trailers);
  }

  transformResponse(transform: Transform, count: (before: number, after: number) => boolean): void {
    this.#path.transform(transform, count);
  }

  responseWritten(): void {
    this.#recordTime();
    this.#finish(this.#path.keepsConnection);
  }

  /** The response cannot be completed: the client learns by the connection's end. */
  reset(details: string): void {
    if (this.over) return;
    this.info.responseCodeDetails = details;
    this.hcm.stats.downstream_rq_tx_reset++;
    // Envoy takes the connection's end that follows for one by the client.
    this.hcm.stats.downstream_rq_rx_reset++;
    this.#finish(false);
  }

  #finish(keep: boolean): void {
    this.#end(true);
    this.connection.streamDone(keep, this.requestComplete);
  }

  #end(completes: boolean): void {
    this.over = true;
    this.#path.destroy();
    this.destroyRequestPipe();
    const { info } = this;
    const { stats, deps } = this.hcm;
    info.responseEndTime = turnNow(deps.clock);
    info.wireBytesSent = this.connection.out.bytes;
    info.wireBytesReceived = this.connection.parser.bytesOf(info.bytesReceived);
    for (const filter of this.filters.onEnd) filter.onEnd!(this);
    stats.downstream_rq_active--;
    if (info.healthCheck) stats['tracing.health_check']++;
    if (this.#upgraded) stats.downstream_cx_upgrades_active--;
    if (completes && this.#path.started && !info.healthCheck)
      countAnswer(this.hcm, Math.trunc(info.responseCode / 100));
    this.#logTimer?.cancel();
    if (info.responseUnfinished || !this.requestComplete) {
      // Of what breaks off the log says how things were when it did; the spans of its attempts end before its own.
      settleLogs();
      this.#logEnd();
      this.router?.cancel();
      this.tracing?.finish();
    } else {
      this.router?.cancel();
      logLater(this);
    }
  }

  log(): void {
    this.#logEnd();
    this.tracing?.finish();
  }

  #logEnd(): void {
    for (const filter of this.filters.onLog) filter.onLog!(this);
    logEnd(this);
  }

  /** A tunnel that was handed over has ended. */
  tunnelOver(): void {
    if (this.over) return;
    this.#recordTime();
    entered(() => this.#finish(false));
  }

  /** Of responses that came to their end: others took no time. */
  #recordTime(): void {
    const { stats, deps } = this.hcm;
    this.info.responseUnfinished = false;
    stats.downstream_rq_time.record(Math.trunc(turnNow(deps.clock) - this.info.startTime));
  }

  // ---- what happens to it

  onCodecError(status: number, details: string): void {
    const { connection } = this;
    const { parser } = connection;
    connection.last = true;
    this.info.headerBytesReceived += parser.refusedBytes;
    if (parser.headComplete && parser.minor === 0 && parser.acceptHttp10) this.#path.http10 = true;
    this.sendLocalReply(status, CODEC_BODIES[status] ?? 'Bad Request', details, 0, undefined, {
      flagsForLog: ResponseFlag.DPE,
    });
  }

  onDownstreamGone(details: string, flag: number): void {
    if (this.over) return;
    const { stats } = this.hcm;
    this.info.responseFlags |= flag;
    this.info.responseCodeDetails = details;
    stats.downstream_rq_rx_reset++;
    this.router?.cancel();
    this.#finish(false);
  }

  onDownstreamDrain(): void {
    this.resumeUpstream();
  }
  pauseUpstream(): void {
    this.router?.pauseUpstream();
  }
  /** Unless something else keeps the response. */
  resumeUpstream(): void {
    if (!this.#path.waits) this.router?.resumeUpstream();
  }
  onRouteTimeout(): void {
    entered(() => this.router?.onTimeout());
  }
  onTryTimeout(): void {
    entered(() => this.router?.onTryTimeout());
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
