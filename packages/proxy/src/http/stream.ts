import type { JsonObject } from '@mizzen/xds';
import { Seen } from '../codec/names.ts';
import { BodyMode } from '../codec/parser.ts';
import type { RequestParser } from '../codec/request-parser.ts';
import type { LogSource, RouteConfigProgram } from '../program/types.ts';
import { ResponseFlag, type HttpStream, type RequestHead, type ResponseHead, type RouteDecision } from '../types.ts';
import { Headers } from './headers.ts';
import type { StreamRecord } from './info.ts';
import { buildLocalReply } from './local-reply.ts';
import type { FilterPlan } from './plan.ts';
import { keep } from './reads.ts';
import { checkHead, LOW_VERSION, readHead } from './request-head.ts';
import { ResponseWriter } from './response-writer.ts';
import { Router } from './router.ts';
import type { HcmRuntime } from './runtime.ts';
import type { ServerConnection } from './server-connection.ts';
import { entered, turnNow } from './io.ts';

const NO_ROUTE: RouteDecision = { kind: 'none', virtualHost: undefined };
const NO_REQUEST: RequestHead = { method: '', path: '', authority: '', scheme: '', headers: new Headers() };

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
  trailers: readonly string[] | undefined = undefined;
  /** All of the request has been read. */
  requestComplete = false;
  /** The lowercase protocol that an upgrade asks for, `connect`, or empty. */
  upgrade = '';
  /** The connection carries bytes of another protocol after the heads. */
  tunnel = false;
  over = false;
  /** A body is coming or may come. */
  expectsBody = false;
  /** The request declares its length. */
  hasLength = false;
  /** It came with `x-envoy-…` fields, some of which may have been kept. */
  mayCarryEnvoyFields = false;
  #idleTimeout = 0;
  /** The far side of a tunnel has ended, the client has not. */
  #tunnelEnded = false;
  readonly #writer: ResponseWriter;
  #filters: FilterPlan;
  #routes: RouteConfigProgram | undefined;
  #decision: RouteDecision | undefined;
  #router: Router | undefined;
  /** A filter's promise is being waited for; what arrives meanwhile is held. */
  #waiting = false;
  #held: Buffer[] | undefined;
  #endHeld = false;
  #heldTrailers: string[] | undefined;
  /** Response body waits for a filter's promise. */
  #responseHeld: Buffer[] | undefined;
  #responseEndHeld = false;

  constructor(connection: ServerConnection, info: StreamRecord) {
    this.connection = connection;
    this.hcm = connection.hcm;
    this.info = info;
    this.#filters = connection.plan.filters;
    this.#writer = new ResponseWriter(connection);
  }

  // ---- the request

  start(parser: RequestParser): void {
    const { hcm, info } = this;
    const { program } = hcm;
    this.#routes = hcm.routes();
    if ((parser.seen & Seen.EXPECT) !== 0 && !program.proxy100Continue) this.#answerExpectation(parser);
    this.request = readHead(parser, program);
    this.expectsBody = parser.bodyMode !== BodyMode.NONE;
    this.hasLength = parser.contentLength >= 0;
    this.mayCarryEnvoyFields = (parser.seen & Seen.X_ENVOY) !== 0;
    this.#idleTimeout = program.streamIdleTimeout;
    this.#writer.begin(parser);
    if (!this.expectsBody) this.#noteRequestEnd();
    const { request } = this;
    const refusal = checkHead(request, parser, info, this.#routes, hcm, this.connection.plan.touchesPath);
    if (parser.minor === 0 && refusal !== LOW_VERSION) info.protocol = 'HTTP/1.0';
    if (refusal !== undefined) {
      if (refusal === LOW_VERSION) this.#writer.http10 = false;
      if (refusal.closes) this.connection.draining = true;
      if (refusal.hideRequest) this.request = NO_REQUEST;
      this.sendLocalReply(refusal.status, refusal.body, refusal.details, refusal.flags, refusal.headers);
      return;
    }
    if (this.#idleTimeout > 0) this.#armStreamIdle();
    if (program.maxStreamDuration > 0) this.connection.durationDeadline.set(info.startTime + program.maxStreamDuration);
    if (parser.upgradeTo !== '' || request.method === 'CONNECT') {
      this.upgrade = request.method === 'CONNECT' ? 'connect' : parser.upgradeTo;
      if (!this.#startUpgrade()) return;
    }
    this.#runRequestFilters(0);
  }

  #answerExpectation(parser: RequestParser): void {
    const { flat } = parser;
    for (let i = 0; i < flat.length; i += 2) {
      if (flat[i] === 'expect' && flat[i + 1]!.toLowerCase() === '100-continue') {
        flat.splice(i, 2);
        this.connection.out.text('HTTP/1.1 100 Continue\r\n\r\n');
        return;
      }
    }
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
      this.#wait(result, () => this.#runRequestFilters(i + 1));
      return;
    }
    const router = new Router(this);
    this.#router = router;
    router.start();
    this.#giveHeld();
  }

  #wait(result: Promise<undefined | 'stop'>, then: () => void): void {
    this.#waiting = true;
    const settled = (go: boolean): void =>
      entered(() => {
        this.#waiting = false;
        if (go && !this.over && !this.#writer.started) then();
        else this.#held = undefined;
      });
    result.then(
      (value) => settled(value === undefined),
      () => {
        if (!this.over) this.sendLocalReply(500, '', 'filter_failed', 0);
        settled(false);
      },
    );
  }

  /** Passes on what arrived while a filter was being waited for. */
  #giveHeld(): void {
    const held = this.#held;
    if (held === undefined && !this.#endHeld) return;
    this.#held = undefined;
    if (held !== undefined) {
      this.connection.resume();
      for (const data of held) this.#passRequestData(data);
    }
    if (this.#endHeld) {
      this.#endHeld = false;
      this.onRequestEnd(this.#heldTrailers);
    }
  }

  onRequestData(data: Buffer): void {
    this.info.bytesReceived += data.length;
    if (this.over) return;
    if (this.#waiting) {
      if (this.#held === undefined) {
        this.#held = [];
        this.connection.pause();
      }
      this.#held.push(keep(data));
      return;
    }
    this.#passRequestData(data);
  }

  #passRequestData(data: Buffer): void {
    if (this.over || this.#router === undefined) return;
    if (this.#idleTimeout > 0) this.#armStreamIdle();
    const filters = this.#filters.onRequestData;
    for (let i = 0; i < filters.length; i++) {
      const result = filters[i]!.onRequestData!(this, data, false);
      if (result === 'stop' || this.over) return;
      if (result !== undefined) {
        this.#held = [];
        this.connection.pause();
        const kept = keep(data);
        this.#wait(result, () => {
          this.#router?.onRequestData(kept);
          this.#giveHeld();
        });
        return;
      }
    }
    this.#router.onRequestData(data);
  }

  onRequestEnd(trailers: string[] | undefined): void {
    if (this.over) return;
    if (this.#waiting) {
      this.#endHeld = true;
      this.#heldTrailers = trailers;
      this.#noteRequestEnd();
      return;
    }
    this.#noteRequestEnd();
    const filters = this.#filters.onRequestData;
    for (let i = 0; i < filters.length; i++) {
      if (filters[i]!.onRequestData!(this, EMPTY, true) === 'stop') return;
    }
    this.#router?.onRequestEnd(this.hcm.program.enableTrailers ? trailers : undefined);
    if (this.#tunnelEnded) this.#finish(false);
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
      if (decision.kind !== 'none') {
        const { route } = decision;
        this.info.routeName = route.name;
        if (route.metadata !== undefined) this.info.routeMetadata = route.metadata;
      }
    }
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

  setMetadata(filter: string, value: JsonObject): void {
    (this.info.dynamicMetadata ??= {})[filter] = value;
  }

  sendLocalReply(
    status: number,
    body: string,
    details: string,
    flags: number,
    headers?: readonly [string, string][],
  ): void {
    if (this.over) return;
    const decision = this.#decision;
    if (
      this.info.upstreamCluster === '' &&
      decision?.kind === 'cluster' &&
      this.hcm.cluster(decision.cluster) !== undefined
    ) {
      this.info.upstreamCluster = decision.cluster;
    }
    this.info.responseFlags |= flags;
    this.info.responseCodeDetails = details.replaceAll(' ', '_');
    this.#router?.cancel();
    // A bad request may mean that the client and this side no longer agree on where messages end.
    if (status === 400 && !this.hcm.program.streamErrorOnInvalidMessage) this.connection.draining = true;
    if (this.#writer.started) {
      this.reset(details);
      return;
    }
    if (body !== '') this.info.localReplyBody = body;
    const reply = buildLocalReply(this, status, body, headers);
    this.sendResponse(reply.head, reply.body === '');
    if (reply.body !== '') this.sendData(Buffer.from(reply.body));
    if (!this.over) this.sendEnd(undefined);
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
    info.responseCode = head.status;
    info.responseStartTime = turnNow(this.hcm.deps.clock);
    const filters = this.#filters.onResponse;
    for (let i = 0; i < filters.length; i++) {
      const result = filters[i]!.onResponse!(this);
      if (result !== undefined && result !== 'stop') {
        this.#responseHeld = [];
        this.#waitResponse(result, i + 1, end);
        return;
      }
      if (this.over || result === 'stop') return;
    }
    this.#writer.head(this, head, end);
  }

  #waitResponse(result: Promise<undefined | 'stop'>, from: number, end: boolean): void {
    const go = (): void =>
      entered(() => {
        const held = this.#responseHeld ?? [];
        this.#responseHeld = undefined;
        if (this.over || this.response === undefined) return;
        const filters = this.#filters.onResponse;
        for (let i = from; i < filters.length; i++) {
          const next = filters[i]!.onResponse!(this);
          if (next !== undefined && next !== 'stop') {
            this.#responseHeld = held;
            this.#waitResponse(next, i + 1, end);
            return;
          }
        }
        this.#writer.head(this, this.response, end);
        this.#router?.resumeUpstream();
        for (const data of held) this.sendData(data);
        if (this.#responseEndHeld) this.sendEnd(this.trailers);
      });
    result.then(go, go);
  }

  sendData(data: Buffer): void {
    if (this.over) return;
    if (this.#responseHeld !== undefined) {
      this.#responseHeld.push(keep(data));
      this.#router?.pauseUpstream();
      return;
    }
    const filters = this.#filters.onResponseData;
    for (let i = 0; i < filters.length; i++) {
      const result = filters[i]!.onResponseData!(this, data, false);
      if (this.over) return;
      if (result !== undefined && result !== 'stop') {
        this.#holdResponse(result, keep(data));
        return;
      }
    }
    this.#write(data);
  }

  #write(data: Buffer): void {
    if (this.#idleTimeout > 0) this.#armStreamIdle();
    this.#writer.data(data);
    this.info.bytesSent += this.#writer.bodyless ? 0 : data.length;
    if (this.connection.out.blocked) {
      this.connection.wantDrain();
      this.#router?.pauseUpstream();
    }
  }

  /** `data` waits for a filter, and whatever comes after it. */
  #holdResponse(result: Promise<undefined | 'stop'>, data: Buffer): void {
    this.#responseHeld = [];
    this.#router?.pauseUpstream();
    const go = (): void =>
      entered(() => {
        const held = this.#responseHeld ?? [];
        this.#responseHeld = undefined;
        if (this.over) return;
        this.#write(data);
        this.#router?.resumeUpstream();
        for (const next of held) this.sendData(next);
        if (this.#responseEndHeld) this.sendEnd(this.trailers);
      });
    result.then(go, go);
  }

  sendEnd(trailers: readonly string[] | undefined): void {
    if (this.over) return;
    this.trailers = trailers;
    if (this.#responseHeld !== undefined) {
      this.#responseEndHeld = true;
      return;
    }
    if (this.tunnel && !this.requestComplete) {
      // The other direction of a tunnel goes on until it ends too.
      this.#tunnelEnded = true;
      this.connection.out.end();
      return;
    }
    this.#writer.end(this.hcm.program.enableTrailers ? trailers : undefined);
    this.#finish(this.#writer.keepsConnection);
  }

  /** The response cannot be completed: the client learns by the connection's end. */
  reset(details: string): void {
    if (this.over) return;
    this.info.responseCodeDetails = details;
    this.hcm.stats.downstream_rq_tx_reset++;
    this.#finish(false);
    this.connection.destroy();
  }

  #finish(keep: boolean): void {
    this.over = true;
    const { hcm, info } = this;
    const { stats, program } = hcm;
    info.responseEndTime = turnNow(hcm.deps.clock);
    this.#held = undefined;
    for (const filter of this.#filters.onEnd) filter.onEnd!(this);
    stats.downstream_rq_active--;
    stats.downstream_rq_completed++;
    if (info.responseCode >= 100) stats.downstream_rq_xx[Math.trunc(info.responseCode / 100)]!++;
    const logs = program.accessLogs;
    for (let i = 0; i < logs.length; i++) {
      const log = logs[i]!;
      if (log.shouldLog === undefined || log.shouldLog(this)) hcm.accessLogSinks[i]!.write(log.format(this));
    }
    this.#router?.onStreamOver();
    this.connection.streamDone(keep);
  }

  /** A tunnel that was handed over has ended. */
  tunnelOver(): void {
    if (!this.over) entered(() => this.#finish(false));
  }

  // ---- what happens to it

  onCodecError(status: number, details: string): void {
    this.connection.draining = true;
    this.hcm.stats.downstream_rq_rx_reset++;
    this.sendLocalReply(status, STATUS_BODIES[status] ?? 'Bad Request', details, ResponseFlag.DPE);
  }

  onDownstreamGone(details: string, flag: number): void {
    if (this.over) return;
    this.info.responseFlags |= flag;
    this.info.responseCodeDetails = details;
    this.hcm.stats.downstream_rq_rx_reset++;
    this.hcm.stats.downstream_cx_destroy_remote_active_rq++;
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
    entered(() => {
      this.hcm.stats.downstream_rq_idle_timeout++;
      this.info.responseFlags |= ResponseFlag.SI;
      this.sendLocalReply(this.requestComplete ? 504 : 408, 'stream timeout', 'stream_idle_timeout', ResponseFlag.SI);
    });
  }
  onMaxDuration(): void {
    entered(() => {
      this.hcm.stats.downstream_rq_max_duration_reached++;
      this.sendLocalReply(this.requestComplete ? 504 : 408, 'downstream duration timeout', 'max_duration_timeout', 0);
    });
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
  /** A route's own limit for the whole stream, milliseconds; 0 turns it off. */
  setMaxDuration(limit: number): void {
    const { durationDeadline } = this.connection;
    if (limit > 0) durationDeadline.set(this.info.startTime + limit);
    else durationDeadline.clear();
  }
}

const EMPTY = Buffer.alloc(0);
const STATUS_BODIES: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  403: 'Forbidden',
  431: 'Request Header Fields Too Large',
  501: 'Not Implemented',
};
