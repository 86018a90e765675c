import type { Timer } from '../deps.ts';
import type { ResponseParser } from '../codec/response-parser.ts';
import { setAuthority } from '../program/route/rewrite.ts';
import { percentOf } from '../telemetry/tracked.ts';
import { isGrpc } from '../telemetry/access-log-grpc.ts';
import type { Span } from '../tracing/span.ts';
import { ResponseFlag, type UpstreamHost } from '../types.ts';
import { Attempt, type AttemptOwner } from './attempt.ts';
import { AttemptLog } from './attempt-log.ts';
import {
  DURATION_REPLY,
  invalidHeadReply,
  noHostReply,
  resetReply,
  timeoutReply,
  TOO_MUCH_KEPT_REPLY,
  type AttemptReply,
} from './attempt-reply.ts';
import { AttemptTimers, type AttemptTimeouts } from './attempt-timers.ts';
import { chargeAnswer } from './charge.ts';
import { connectTcp, type TcpTunnel } from './connect.ts';
import { replyOfRoute } from './direct-reply.ts';
import { invalidPart } from './head-check.ts';
import { is5xx } from './host-report.ts';
import { entered, turnNow } from './io.ts';
import { RequestBody } from './request-body.ts';
import { resetDetails, resetOutcome, type ResetReason } from './reset.ts';
import { flagOf } from './retry-state.ts';
import { RoutedRequest } from './routed-request.ts';
import { Shadows } from './shadows.ts';

/**
 * The tries of a request: at which host, one after the other or beside each other, until one is answered or enough has
 * been tried. A base of the router's class, as its own base is.
 */
export abstract class AttemptedRequest extends RoutedRequest implements AttemptOwner, AttemptTimeouts {
  /** For attempts. */
  readonly body = new RequestBody();
  protected attempt: Attempt | undefined;
  /** Attempts before it that are too slow, and may be the first to be answered all the same. */
  protected slow: Attempt[] | undefined;
  protected tunnel: TcpTunnel | undefined;
  /** The upstream has sent an interim response. */
  protected interim = false;
  protected shadows: Shadows | undefined;
  protected timers: AttemptTimers | undefined;
  protected over = false;
  /** Host of the attempt before. */
  #hostBefore: UpstreamHost | undefined;
  #backOff: Timer | undefined;
  #lastWasTimeout = false;
  /** A host has reported its load: of a request, only the first report counts. */
  #loadTold = false;

  // ---- for attempts and tunnels
  get upgrade(): string {
    return this.stream.upgrade;
  }
  get isTunnel(): boolean {
    return this.stream.tunnel;
  }
  get perTryTimeout(): number {
    return this.timeouts.perTry;
  }
  logOf(host: UpstreamHost, span: Span | undefined): AttemptLog | undefined {
    const logs = this.stream.hcm.program.router.upstreamLogs.length > 0 || span?.sampled === true;
    return logs ? new AttemptLog(this.stream, host, span) : undefined;
  }
  tellLoad({ load }: UpstreamHost, flat: readonly string[]): void {
    if (!this.#loadTold && load?.report(flat) === true) this.#loadTold = true;
  }
  abstract onInterim(attempt: Attempt, parser: ResponseParser): void;
  abstract onResponseHead(attempt: Attempt, parser: ResponseParser): void;
  abstract onResponseData(data: Buffer): void;
  abstract onResponseEnd(attempt: Attempt, trailers: string[] | undefined): void;
  abstract onTunnelOpen(tunnel: TcpTunnel): void;
  abstract bodySent(): number;
  abstract pauseDownstream(): void;
  abstract resumeDownstream(): void;

  start(): void {
    this.prepare();
    this.timers = AttemptTimers.of(
      this.deps.clock,
      this.stream.connection.deadlines.try,
      {
        response: this.timeouts.perTry,
        idle: this.action.retry?.perTryIdleTimeout ?? 0,
        duration: this.timeouts.upstream > 0 ? this.timeouts.upstream : (this.cluster.http?.maxStreamDuration ?? 0),
      },
      this,
    );
    // Of other requests it begins with their end, which an upgrade has not.
    const { connection, hcm, upgrade } = this.stream;
    if (upgrade === 'websocket' && this.timeouts.route > 0)
      connection.deadlines.route.set(turnNow(hcm.deps.clock) + this.timeouts.route);
    this.#choose();
  }

  #choose(): void {
    const host = this.cluster.choose(this);
    if (host instanceof Promise) {
      host.then(
        (chosen) => entered(() => this.#chosen(chosen)),
        () => entered(() => this.#chosen(null)),
      );
      return;
    }
    if (host === null) this.cluster.stats.upstream_cx_none_healthy++;
    this.#chosen(host);
  }

  #chosen(host: UpstreamHost | null): void {
    if (this.over) return;
    const { stream } = this;
    if (host === null) {
      this.#end();
      const reply = noHostReply(this.override, this.cluster);
      chargeAnswer(this, reply.status, false);
      this.#reply(reply);
      return;
    }
    this.#hostBefore = stream.info.upstreamTarget;
    stream.info.upstreamHost = host.authority;
    stream.info.upstreamTarget = host;
    stream.info.upstreamLocalAddress = '';
    stream.info.upstreamFailureReason = '';
    this.avoid?.push(host);
    this.tried?.hosts.push(host);
    if (stream.hcm.program.schemeMatchUpstream) stream.request.scheme = host.secure === true ? 'https' : 'http';
    const connect = this.#endsConnect ? this.action.upgrades.get('connect') : undefined;
    if (connect !== undefined) {
      this.takeHostOf(host);
      this.tunnel = connectTcp(this, host, connect.proxyProtocol);
      this.tunnel.start();
      return;
    }
    const span = stream.tracing?.attempt(this.cluster.statName ?? this.cluster.name, stream.info.attemptCount);
    const attempt = new Attempt(this, host, span);
    this.attempt = attempt;
    // What is kept of the body is gone once it has been sent.
    const mirrors = stream.info.attemptCount === 1 && this.action.mirrors.length > 0;
    // Nor are copies for the host of this attempt.
    if (mirrors && (this.body.parts.length > 0 || this.action.autoHostRewrite)) this.#startShadows();
    attempt.start();
    if (mirrors && this.shadows === undefined && !this.over) this.#startShadows();
  }

  /** How much of the body may wait for a retry. */
  protected get keptBytes(): number {
    return this.action.bufferLimit ?? this.stream.hcm.bufferLimit;
  }

  /** There is a connection to a host, by whose name the request may be sent. */
  takeHostOf({ hostname }: UpstreamHost): void {
    const { request, hcm } = this.stream;
    if (!this.action.autoHostRewrite || hostname === '' || hostname === request.authority) return;
    const { suppressEnvoyHeaders } = hcm.program.router;
    setAuthority(request, hostname, this.action.appendXForwardedHost, !suppressEnvoyHeaders);
  }

  #startShadows(): void {
    const limits = { timeout: this.timeouts.route, bufferLimit: this.keptBytes };
    this.shadows = Shadows.start(this.stream, this.action.mirrors, limits, this.body);
  }

  /** An attempt has a connection, and its time begins. */
  onAttemptBegins(attempt: Attempt): void {
    if (attempt === this.attempt) this.timers?.attemptBegins(this.body.complete);
  }

  protected retryLater(): void {
    const attempt = this.attempt;
    this.attempt = undefined;
    this.timers?.attemptEnds();
    attempt?.reset();
    this.#againLater();
  }

  #againLater(): void {
    const { stream } = this;
    this.#backOff = stream.hcm.deps.clock.after(this.retry!.nextBackOff(stream.hcm.deps.random), () => {
      this.#backOff = undefined;
      entered(() => {
        if (this.over) return;
        this.retry?.begins();
        this.#again();
      });
    });
  }

  #again(): void {
    this.prepareAgain(this.#lastWasTimeout);
    this.#lastWasTimeout = false;
    this.#choose();
  }

  /** An attempt ended without a response, or within one. */
  onReset(attempt: Attempt, reason: ResetReason, transport: string): void {
    if (this.over) return;
    const isSlow = this.forget(attempt);
    if (!isSlow && attempt !== this.attempt) return;
    const { info, hcm } = this.stream;
    if (reason === 'overflow') {
      // It has not been tried.
      if (!attempt.admitted) {
        info.upstreamHost = this.#hostBefore?.authority ?? '';
        info.upstreamTarget = this.#hostBefore;
      }
    } else if (attempt.connected) attempt.host.report('reset', 'nothing');
    if (this.#cutShort(resetDetails('upstream_reset_after_response_started', reason, ''), resetOutcome(reason).flag))
      return;
    info.upstreamFailureReason = transport;
    const retried = isSlow ? 'no' : (this.retry?.onReset(reason, attempt.begun) ?? 'no');
    if (retried === 'yes') {
      if (attempt.atHost) attempt.host.count?.('error');
      this.retryLater();
      return;
    }
    if (reason === 'overflow') attempt.host.cluster.stats.load.dropped++;
    info.responseFlags |= flagOf(retried);
    if (this.waitsForOthers(attempt)) {
      if (!isSlow) this.timers?.attemptEnds();
      this.#charge(resetOutcome(reason).status, attempt);
      return;
    }
    const { suppressEnvoyHeaders } = hcm.program.router;
    this.#giveUp(resetReply(reason, transport, info.attemptCount, this.interim, suppressEnvoyHeaders));
  }

  /** The host of a CONNECT that ends here was not reached. */
  onTunnelFailure(host: UpstreamHost, reason: ResetReason, transport: string): void {
    if (this.over) return;
    const { info, hcm } = this.stream;
    this.tunnel = undefined;
    if (reason === 'overflow') host.cluster.stats.load.dropped++;
    info.upstreamFailureReason = transport;
    const retried = this.retry?.onReset(reason, false) ?? 'no';
    if (retried === 'yes') {
      host.count?.('error');
      this.#againLater();
      return;
    }
    info.responseFlags |= flagOf(retried);
    const { suppressEnvoyHeaders } = hcm.program.router;
    const reply = resetReply(reason, transport, info.attemptCount, false, suppressEnvoyHeaders);
    if (reason === 'overflow') chargeAnswer(this, reply.status, false);
    else chargeAnswer(this, reply.status, host.canary === true, host);
    this.#giveUp(reply, false);
  }

  /** The request is a CONNECT, or means one, and ends here. */
  get #endsConnect(): boolean {
    const { upgrade, request } = this.stream;
    if (upgrade !== 'connect' && request.method !== 'POST') return false;
    const connect = this.action.upgrades.get('connect');
    return connect?.terminateConnect === true && (upgrade === 'connect' || connect.allowPost === true);
  }

  /** Something else than this attempt may still bring an answer. */
  protected waitsForOthers(attempt: Attempt): boolean {
    if (this.slow === undefined) return false;
    const current = this.attempt;
    if (this.#backOff !== undefined || (current !== undefined && current !== attempt && !current.over)) return true;
    return this.slow.some((other) => other !== attempt);
  }

  /** False: it is none of the slow ones. */
  protected forget(attempt: Attempt): boolean {
    const at = this.slow?.indexOf(attempt) ?? -1;
    if (at >= 0) this.slow!.splice(at, 1);
    return at >= 0;
  }

  /** The answer of this attempt is the one that counts. */
  protected settleFor(attempt: Attempt): void {
    const others = this.slow;
    if (others === undefined) return;
    this.slow = undefined;
    this.#backOff?.cancel();
    this.#backOff = undefined;
    this.retryNoMore();
    const current = this.attempt;
    this.attempt = attempt;
    for (const other of others) if (other !== attempt) other.reset();
    if (current === attempt) return;
    current?.reset();
    this.timers?.attemptEnds();
    attempt.isTheOne();
  }

  onTimeout(): void {
    if (this.over) return;
    const under = this.#underWay();
    for (const attempt of under) {
      this.#chargeTimeout(attempt);
      attempt.outOfTime();
    }
    this.chargeBudget();
    if (this.#cutShort('response_timeout', ResponseFlag.UT)) return;
    // One more is charged with the reply.
    for (const attempt of under.slice(1)) this.#charge(this.timeoutStatus, attempt);
    this.#giveUp(timeoutReply(this.timeoutStatus, 'response_timeout', ResponseFlag.UT), under.length > 0);
  }

  /** Attempts that are not over, the last one first. */
  #underWay(): Attempt[] {
    const last = this.attempt;
    return [...(last === undefined || last.over ? [] : [last]), ...(this.slow ?? [])];
  }

  #chargeTimeout(attempt: Attempt): void {
    this.cluster.stats.upstream_rq_timeout++;
    if (this.groups !== undefined) for (const group of this.groups) group.upstream_rq_timeout++;
    if (!attempt.connected) return;
    attempt.host.count?.('timeout');
    if (!attempt.heard && !attempt.tooSlow) attempt.host.report('timeout', 'nothing');
  }

  /** An attempt came to nothing, which the client gets that status for. */
  #charge(status: number, { host, atHost }: Attempt): void {
    if (!atHost) chargeAnswer(this, status, false);
    else {
      chargeAnswer(this, status, host.canary === true, host);
      if (!is5xx(status)) host.count?.('error');
    }
  }

  /** Counts how much of its time the request has needed. */
  protected chargeBudget(): void {
    const budgets = this.cluster.tracked?.budgets;
    if (budgets === undefined) return;
    const { info, hcm } = this.stream;
    const elapsed = turnNow(hcm.deps.clock) - Math.max(0, info.requestEndTime);
    budgets.upstream_rq_timeout_budget_percent_used.record(percentOf(elapsed, this.timeouts.route));
  }

  onTryDuration(): void {
    if (this.over) return;
    this.cluster.stats.upstream_rq_max_duration_reached++;
    if (this.stream.responseStarted) this.chargeBudget();
    if (this.#cutShort('upstream_max_stream_duration_reached', ResponseFlag.UMSDR)) return;
    const verdict = this.retry?.onTryTimeout() ?? 'no';
    if (verdict === 'yes') {
      this.attempt?.host.count?.('error');
      this.retryLater();
      return;
    }
    this.stream.info.responseFlags |= flagOf(verdict);
    this.chargeBudget();
    // It counts as no answer of the cluster's.
    this.#giveUp(DURATION_REPLY, false);
  }

  /** Whether the request's head cannot be sent to anybody: it was answered then. */
  refusesHead(): boolean {
    const invalid = invalidPart(this.stream.request);
    if (invalid === undefined) return false;
    this.#giveUp(invalidHeadReply(invalid), false);
    return true;
  }

  onTryTimeout(): void {
    if (this.interim || this.attempt?.responded === true) {
      this.timers?.responseGoesOn();
      return;
    }
    if (this.timeouts.hedges) {
      this.attempt?.timedOut();
      this.#hedge();
      return;
    }
    this.cluster.stats.upstream_rq_per_try_timeout++;
    this.attempt?.timedOut();
    this.#onTryOver('upstream_per_try_timeout');
  }

  onTryIdle(): void {
    if (this.timeouts.hedges) {
      this.#hedge();
      return;
    }
    this.cluster.stats.upstream_rq_per_try_idle_timeout++;
    if (this.stream.responseStarted) this.chargeBudget();
    this.#onTryOver('upstream_per_try_idle_timeout');
  }

  #onTryOver(details: string): void {
    const attempt = this.attempt;
    if (this.over || attempt === undefined) return;
    attempt.host.count?.('timeout');
    attempt.host.report('timeout', 'nothing');
    if (this.#cutShort(details, ResponseFlag.UT)) return;
    const verdict = this.retry?.onTryTimeout() ?? 'no';
    if (verdict === 'yes') {
      attempt.host.count?.('error');
      this.retryLater();
      this.#lastWasTimeout = true;
      return;
    }
    this.stream.info.responseFlags |= flagOf(verdict);
    this.chargeBudget();
    this.#giveUp(timeoutReply(this.timeoutStatus, details, ResponseFlag.UT));
  }

  /** The attempt at hand takes too long: another is made beside it. */
  #hedge(): void {
    const attempt = this.attempt;
    if (this.over || attempt === undefined || attempt.over || attempt.responded || attempt.tooSlow) return;
    attempt.tooSlow = true;
    attempt.host.report('timeout', 'nothing');
    const verdict = this.retry?.onSlow() ?? 'no';
    if (verdict !== 'yes') {
      this.stream.info.responseFlags |= flagOf(verdict);
      return;
    }
    (this.slow ??= []).push(attempt);
    this.attempt = undefined;
    this.timers?.attemptEnds();
    this.#lastWasTimeout = true;
    this.#againLater();
  }

  /** Breaks off a response that has begun. */
  #cutShort(details: string, flag: number): boolean {
    const { stream } = this;
    if (!stream.responseStarted) return false;
    this.cancel();
    // Only of gRPC it was not known yet whether it would go well.
    if (isGrpc(stream.request.headers.get('content-type')))
      stream.hcm.stats.rq_reset_after_downstream_response_started++;
    stream.info.responseFlags |= flag;
    stream.reset(details);
    return true;
  }

  /** No attempt is under way, and another will be. */
  protected get waitsToRetry(): boolean {
    return this.#backOff !== undefined && this.#underWay().length === 0;
  }

  /** Nothing is kept for another attempt any more: true when there is none under way that would do without. */
  protected failsWithoutRetry(): boolean {
    if (!this.waitsToRetry) return false;
    this.#giveUp(TOO_MUCH_KEPT_REPLY, false);
    return true;
  }

  #giveUp(reply: AttemptReply, charges = true): void {
    this.cancel();
    const { attempt } = this;
    // What was charged with the interim response is all.
    if (charges && !this.interim) {
      if (attempt === undefined) chargeAnswer(this, reply.status, false);
      else this.#charge(reply.status, attempt);
    }
    this.#reply(reply);
  }

  #reply(reply: AttemptReply): void {
    replyOfRoute(this.stream, this.route, reply);
  }

  /** The stream needs nothing more of this. */
  cancel(): void {
    if (this.over) return;
    this.#end();
    const attempt = this.attempt;
    if (attempt !== undefined && !attempt.over) attempt.reset();
    this.tunnel?.close();
  }

  #end(): void {
    this.over = true;
    if (this.slow !== undefined) for (const slow of this.slow) slow.reset();
    this.#backOff?.cancel();
    this.timers?.attemptEnds();
    this.retry?.release();
    this.resumeDownstream();
    if (!this.body.complete) this.shadows?.cancel();
  }
}
