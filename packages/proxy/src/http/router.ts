import { BodyMode } from '../codec/parser.ts';
import { Seen } from '../codec/names.ts';
import type { ResponseParser } from '../codec/response-parser.ts';
import type { InternalRedirectProgram, ResponseHead } from '../types.ts';
import type { Attempt } from './attempt.ts';
import { chargeAnswer, chargeAnswerTime, chargeRetried, isCanary } from './charge.ts';
import type { TcpTunnel } from './connect.ts';
import { FallibleRequest } from './fallible-request.ts';
import { Headers } from './headers.ts';
import { countOf, is5xx, reportAnswer } from './host-report.ts';
import { redirected } from './internal-redirect.ts';
import { turnNow } from './turn.ts';
import { flagOf } from './retry-state.ts';
import { logTunnel } from './stream-log.ts';

/** Body bytes that may wait for a connection before the client is told to stop. */
const MAX_WAITING = 256 * 1024;

/**
 * Forwards one request: gives its body to attempts, and turns what comes of them into the response. The body is kept
 * only while an attempt has not sent it or may have to be repeated.
 */
export class Router extends FallibleRequest {
  #keptForRedirect = false;
  #pausedDownstream = false;
  /** A canary answers. */
  #canary = false;

  override start(): void {
    this.#keptForRedirect = this.action.internalRedirect !== undefined;
    super.start();
  }

  /**
   * After an interim response nothing is tried again, whether or not the client gets to see it. Others after it, and those
   * that nobody has defined, are passed over as if they had not come; to a WebSocket handshake the latter are answers.
   */
  onInterim(attempt: Attempt, parser: ResponseParser): void {
    if (parser.status !== 100 && (parser.status < 102 || parser.status > 104)) {
      const { upgrade, request } = this.stream;
      if (upgrade === 'websocket' && request.method !== 'HEAD')
        this.#refuseHandshake(parser.status, new Headers(parser.flat));
      return;
    }
    if (this.interim) return;
    const headers = new Headers(parser.flat);
    chargeAnswer(this, parser.status, isCanary(attempt.host, headers), attempt.host);
    this.interim = true;
    if (this.timeouts.hedges) this.settleFor(attempt);
    this.retryNoMore();
    if (!this.stream.hcm.program.proxy100Continue || this.stream.responseStarted) return;
    this.trim(headers);
    this.stream.passInterim(parser.status, headers);
  }

  onResponseHead(attempt: Attempt, parser: ResponseParser): void {
    if (this.over) return;
    const isSlow = this.slow?.includes(attempt) === true;
    if (!isSlow && attempt !== this.attempt) return;
    const { stream } = this;
    const { status } = parser;
    const head: ResponseHead = { status, headers: new Headers(parser.flat) };
    head.headers.spelling = parser.spelling;
    attempt.countLater = reportAnswer(attempt.host, parser, head, this.grpc);
    if (stream.upgrade === 'websocket' && status < 400 && status !== 101) {
      this.#refuseHandshake(status, head.headers);
      return;
    }
    let unwanted = false;
    if (this.retry !== undefined) {
      const verdict = isSlow ? this.retry.ofSlow(head) : this.retry.onResponse(head, stream.hcm.deps.clock);
      if (verdict === 'yes') {
        chargeRetried(this, status);
        attempt.host.count?.('error');
        this.retryLater();
        return;
      }
      if (!isSlow) stream.info.responseFlags |= flagOf(verdict);
      unwanted = verdict !== 'no';
    }
    if (this.timeouts.hedges) {
      if (unwanted && this.waitsForOthers(attempt)) {
        attempt.host.count?.('error');
        if (!this.forget(attempt)) this.attempt = undefined;
        attempt.reset();
        return;
      }
      this.settleFor(attempt);
    }
    stream.info.upstreamResponseTime = turnNow(stream.hcm.deps.clock);
    this.timers?.responseBegins();
    const redirect = this.action.internalRedirect;
    if (redirect?.codes.includes(status) === true && this.#followRedirect(redirect, head)) return;
    const upgraded = stream.upgrade !== '' && parser.opensTunnel;
    if (upgraded) {
      stream.connection.deadlines.route.clear();
      stream.tunnel = true;
    }
    if ((parser.seen & Seen.KEEP_ALIVE) !== 0) head.headers.remove('keep-alive');
    this.#canary = isCanary(attempt.host, head.headers);
    chargeAnswer(this, status, this.#canary, attempt.host);
    if (!is5xx(status) && attempt.countLater === undefined) attempt.host.count?.(countOf(status));
    this.dress(head);
    if (!upgraded) attempt.forgetBody();
    stream.sendResponse(head, parser.bodyMode === BodyMode.NONE);
    if (upgraded) {
      logTunnel(stream);
      attempt.opened();
    }
  }

  /** The client hears why the upstream will not have it, and nothing else of that answer. */
  #refuseHandshake(status: number, headers: Headers): void {
    const { stream } = this;
    stream.info.upstreamResponseTime = turnNow(stream.hcm.deps.clock);
    this.cancel();
    stream.sendLocalReply(status, '', 'websocket_handshake_unsuccessful', 0, headers.entries());
  }

  /** The response is not for the client: the request goes where it says. */
  #followRedirect(policy: InternalRedirectProgram, head: ResponseHead): boolean {
    const { stream, body } = this;
    const { stats } = this.cluster;
    const next =
      stream.requestComplete && this.#keptForRedirect ? redirected(stream, this.route.name, policy, head) : undefined;
    if (next === undefined) {
      stats.upstream_internal_redirect_failed_total++;
      return false;
    }
    if (next.method !== stream.request.method) body.forget();
    stats.upstream_internal_redirect_succeeded_total++;
    stream.goElsewhere(head, next, body);
    return true;
  }

  onResponseData(data: Buffer): void {
    if (this.over) return;
    this.timers?.moved();
    const { info, hcm } = this.stream;
    if (info.upstreamBodyTime < 0) info.upstreamBodyTime = turnNow(hcm.deps.clock);
    this.stream.sendData(data);
  }

  onResponseEnd(attempt: Attempt, trailers: string[] | undefined): void {
    if (this.over || attempt !== this.attempt) return;
    const { info, hcm } = this.stream;
    info.upstreamResponseEndTime = turnNow(hcm.deps.clock);
    this.chargeBudget();
    if (info.requestEndTime >= 0)
      chargeAnswerTime(this, turnNow(hcm.deps.clock) - info.requestEndTime, this.#canary, this.attempt?.host);
    this.stream.sendEnd(trailers);
  }

  onRequestData(data: Buffer): void {
    if (this.over) return;
    if (this.tunnel?.open === true) {
      this.tunnel.write(data);
      return;
    }
    this.shadows?.data(data);
    const attempt = this.attempt;
    if (!this.#keepsBody && attempt?.takesBody === true) {
      attempt.sendPart(data);
      return;
    }
    const { body } = this;
    body.add(data);
    if (this.#keepsBody && body.bytes > this.keptBytes) {
      // Too much to keep: what is under way is the last try.
      this.cluster.stats.retry_or_shadow_abandoned++;
      this.retryNoMore();
      this.#keptForRedirect = false;
      if (this.failsWithoutRetry()) return;
    }
    if (attempt !== undefined) attempt.sendBody();
    if (body.bytes > MAX_WAITING && attempt?.takesBody !== true) this.pauseDownstream();
  }

  onRequestEnd(trailers: readonly string[] | undefined): void {
    this.body.complete = true;
    this.body.trailers = trailers;
    if (this.over) return;
    if (this.tunnel !== undefined) {
      if (this.tunnel.open) this.tunnel.end();
      return;
    }
    this.shadows?.end(trailers);
    const { connection, hcm, upgrade } = this.stream;
    if (upgrade === '') {
      const { route } = this.timeouts;
      // As in Envoy, what is complete while it waits to be tried again has no end.
      if (route > 0 && !this.waitsToRetry) connection.deadlines.route.set(turnNow(hcm.deps.clock) + route);
      if (this.attempt !== undefined) this.timers?.requestComplete();
    }
    this.attempt?.sendBody();
  }

  /** What came of the client's bytes before there was somebody to take them. */
  onTunnelOpen(tunnel: TcpTunnel): void {
    const { body } = this;
    this.retry?.succeeded();
    this.retryNoMore();
    this.resumeDownstream();
    for (const part of body.parts) tunnel.write(part);
    body.forget();
    if (body.complete) tunnel.end();
  }

  /** The body may have to be sent again. */
  get #keepsBody(): boolean {
    return this.retry !== undefined || this.#keptForRedirect;
  }

  /** An attempt has sent all parts of the body; how many of those are still there. */
  bodySent(): number {
    const { body } = this;
    if (!this.#keepsBody || this.stream.responseStarted) body.forget();
    return body.parts.length;
  }

  pauseDownstream(): void {
    if (this.#pausedDownstream) return;
    this.#pausedDownstream = true;
    this.stream.hcm.stats.downstream_flow_control_paused_reading_total++;
    this.stream.connection.pause();
  }
  resumeDownstream(): void {
    if (!this.#pausedDownstream) return;
    this.#pausedDownstream = false;
    this.stream.hcm.stats.downstream_flow_control_resumed_reading_total++;
    this.stream.connection.resume();
  }
  onCopyFlow(flows: boolean): void {
    const { connection, hcm } = this.stream;
    if (flows) {
      hcm.stats.downstream_flow_control_resumed_reading_total++;
      connection.resume();
    } else {
      hcm.stats.downstream_flow_control_paused_reading_total++;
      connection.pause();
    }
  }
  pauseUpstream(): void {
    this.attempt?.pause();
    this.tunnel?.pause();
  }
  resumeUpstream(): void {
    this.attempt?.resume();
    this.tunnel?.resume();
  }
}
