import type { Timer } from '../deps.ts';
import type { ResponseParser } from '../codec/response-parser.ts';
import { setAuthority } from '../program/route/rewrite.ts';
import type { Span } from '../tracing/span.ts';
import type { StreamTracing } from '../tracing/stream-tracing.ts';
import type { UpstreamHost } from '../types.ts';
import { Attempt, type AttemptOwner } from './attempt.ts';
import { AttemptLog } from './attempt-log.ts';
import { AttemptTimers, type AttemptTimeouts } from './attempt-timers.ts';
import { connectTcp, type TcpTunnel } from './connect.ts';
import { entered, turnNow } from './turn.ts';
import { RequestBody } from './request-body.ts';
import type { MirrorSource } from './mirror.ts';
import type { ResetReason } from './reset.ts';
import { RoutedRequest } from './routed-request.ts';
import type { HcmRuntime } from './runtime.ts';
import { startShadows, type Shadows } from './shadows.ts';

const NO_COPIES: readonly string[] = [];

/**
 * The tries of a request: at which host, one after the other or beside each other. What comes of them is for the classes
 * that it is a base of, the router's being the last.
 */
export abstract class AttemptedRequest extends RoutedRequest implements AttemptOwner, AttemptTimeouts, MirrorSource {
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
  protected hostBefore: UpstreamHost | undefined;
  #backOff: Timer | undefined;
  /** The attempt before took too long. */
  protected lastWasTimeout = false;
  /** A host has reported its load: of a request, only the first report counts. */
  #loadTold = false;

  // ---- for attempts and tunnels
  get upgrade(): string {
    return this.stream.upgrade;
  }
  get clusters(): HcmRuntime {
    return this.stream.hcm;
  }
  get tracing(): StreamTracing | undefined {
    return this.stream.tracing;
  }
  get span(): undefined {
    return undefined;
  }
  get copiedTo(): readonly string[] {
    return NO_COPIES;
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
  abstract onReset(attempt: Attempt, reason: ResetReason, transport: string): void;
  /** The host of a CONNECT that ends here was not reached. */
  abstract onTunnelFailure(host: UpstreamHost, reason: ResetReason, transport: string): void;
  protected abstract onNoHost(): void;
  abstract onTryIdle(): void;
  abstract onTryDuration(): void;
  abstract refusesHead(): boolean;
  abstract onInterim(attempt: Attempt, parser: ResponseParser): void;
  abstract onResponseHead(attempt: Attempt, parser: ResponseParser): void;
  abstract onResponseData(data: Buffer): void;
  abstract onResponseEnd(attempt: Attempt, trailers: string[] | undefined): void;
  abstract onTunnelOpen(tunnel: TcpTunnel): void;
  abstract bodySent(): number;
  abstract pauseDownstream(): void;
  abstract resumeDownstream(): void;
  abstract onCopyFlow(flows: boolean): void;

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
      this.onNoHost();
      return;
    }
    this.hostBefore = stream.info.upstreamTarget;
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
    this.shadows = startShadows(this, this.action.mirrors, limits, this.body);
  }

  /** An attempt has a connection, and its time begins. */
  onAttemptBegins(attempt: Attempt): void {
    if (attempt === this.attempt) this.timers?.attemptBegins(this.body.complete);
    if (this.slow !== undefined) for (const other of this.slow) if (other !== attempt) other.countBytes();
  }

  protected retryLater(): void {
    const attempt = this.attempt;
    this.attempt = undefined;
    this.timers?.attemptEnds();
    attempt?.reset();
    this.againLater();
  }

  protected againLater(): void {
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
    this.prepareAgain(this.lastWasTimeout);
    this.lastWasTimeout = false;
    this.#choose();
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

  /** Attempts that are not over, the last one first. */
  protected underWay(): Attempt[] {
    const last = this.attempt;
    return [...(last === undefined || last.over ? [] : [last]), ...(this.slow ?? [])];
  }

  /** No attempt is under way, and another will be. */
  protected get waitsToRetry(): boolean {
    return this.#backOff !== undefined && this.underWay().length === 0;
  }

  /** The stream needs nothing more of this. */
  cancel(): void {
    if (this.over) return;
    this.end();
    const attempt = this.attempt;
    if (attempt !== undefined && !attempt.over) attempt.reset();
    this.tunnel?.close();
  }

  protected end(): void {
    this.over = true;
    if (this.slow !== undefined) for (const slow of this.slow) slow.reset();
    this.#backOff?.cancel();
    this.timers?.attemptEnds();
    this.retry?.release();
    this.resumeDownstream();
    if (!this.body.complete) this.shadows?.cancel();
  }
}
