import type { ResponseParser } from '../codec/response-parser.ts';
import type { Timer } from '../deps.ts';
import { ResponseFlag, type ResponseHead, type UpstreamHost } from '../types.ts';
import { Attempt, type AttemptOwner } from './attempt.ts';
import { AttemptTimers, type AttemptTimeouts } from './attempt-timers.ts';
import { chargeAnswer, chargeAnswerTime, chargeRetried, isCanary } from './charge.ts';
import { Deadline } from './deadline.ts';
import { invalidPart } from './head-check.ts';
import { Headers } from './headers.ts';
import { countOf, is5xx, reportAnswer } from './host-report.ts';
import { entered, turnNow } from './turn.ts';
import type { Shadow } from './mirror.ts';
import { RequestBody } from './request-body.ts';
import { resetOutcome, type ResetReason } from './reset.ts';
import { flagOf } from './retry-state.ts';
import { unavailability } from './unavailability.ts';
import { UnroutedRequest, type AsyncOptions } from './unrouted-request.ts';

/** Body bytes that may wait for a connection before whoever they come from is told to stop. */
const MAX_WAITING = 256 * 1024;

/** Why there is no answer, or not all of one. */
export interface AsyncFailure {
  readonly reason: 'no healthy upstream' | 'timeout' | 'overflow' | 'connection' | 'invalid' | 'cancelled';
  readonly message: string;
}

/** Who waits for what comes of it. */
export interface AsyncCallbacks {
  /** The head of the final answer. */
  onHead?(parser: ResponseParser): void;
  onData?(data: Buffer): void;
  /** No more of the body is to come for now, or it may again. */
  onFlow?(flows: boolean): void;
  /** Once, last. `undefined`: the answer is whole. */
  onOver(failure: AsyncFailure | undefined): void;
}

/**
 * A request that the proxy makes of its own accord, or a copy of a client's: attempts one after the other until one is
 * answered or enough has been tried, under the rules of the router. `start`, then `data` and `end`, unless its body was
 * complete before.
 */
export class AsyncRequest extends UnroutedRequest implements AttemptOwner, AttemptTimeouts {
  readonly body = new RequestBody();
  isTunnel = false;
  over = false;
  readonly #callbacks: AsyncCallbacks;
  #attempt: Attempt | undefined;
  #backOff: Timer | undefined;
  #timer: Timer | undefined;
  readonly #timers: AttemptTimers | undefined;
  readonly #tryDeadline: Deadline;
  /** Whoever the body comes from was told to stop. */
  #waits = false;
  /** Something has been told ahead of the answer, and been counted in its place. */
  #interim = false;
  #canary = false;
  /** Those that its cluster wants. */
  #shadows: Shadow | undefined;
  /** What has come of the body is for copies that are about to begin, too. */
  #copiesBody = false;
  #loadTold = false;

  constructor(options: AsyncOptions, callbacks: AsyncCallbacks) {
    super(options);
    const { clock } = this.deps;
    this.#callbacks = callbacks;
    this.#tryDeadline = new Deadline(clock, () => entered(() => this.#onTryTimeout()));
    this.#timers = AttemptTimers.of(clock, this.#tryDeadline, this.limits, this);
  }

  start(): void {
    const { info } = this;
    const unavailable = unavailability(this.cluster, this.deps.random);
    if (unavailable !== undefined) {
      chargeAnswer(this, 503, false);
      this.#fail('overflow', unavailable.body, 503, unavailable.flags);
      return;
    }
    if (this.body.complete) info.requestEndTime = info.startTime;
    this.prepare();
    this.#choose();
  }

  /** More of its body. */
  data(data: Buffer): void {
    if (this.over) return;
    this.#shadows?.data(data);
    const attempt = this.#attempt;
    const keeps = this.retry !== undefined;
    const { body } = this;
    if (!keeps && attempt?.takesBody === true) {
      attempt.sendPart(data);
      return;
    }
    body.add(data);
    if (keeps && body.bytes > this.bufferLimit) {
      this.cluster.stats.retry_or_shadow_abandoned++;
      this.retryNoMore();
      if (this.#backOff !== undefined) {
        // Nobody has what came before.
        this.#fail('overflow', 'more of the body has come than is kept of it', 507, 0);
        return;
      }
    }
    attempt?.sendBody();
    if (body.bytes > MAX_WAITING && attempt?.takesBody !== true) this.pauseDownstream();
  }

  /** That was all of its body. */
  end(trailers?: readonly string[]): void {
    const { body, info } = this;
    body.complete = true;
    body.trailers = trailers;
    info.requestEndTime = turnNow(this.deps.clock);
    if (this.over) return;
    this.#shadows?.end(trailers);
    this.#limit();
    this.#attempt?.sendBody();
    // What comes behind it is of another request.
    this.resumeDownstream();
  }

  /** As in Envoy, what is complete while it waits to be tried again has no end. */
  #limit(): void {
    const attempt = this.#attempt;
    if (this.over || attempt === undefined || attempt.over) return;
    const { route } = this.timeouts;
    if (route > 0) this.#timer = this.deps.clock.after(route, () => entered(() => this.#onTimeout()));
    this.#timers?.requestComplete();
  }

  /** Nobody wants it any more. */
  cancel(): void {
    this.#finish({ reason: 'cancelled', message: 'nobody waits for it' });
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
    const { info, cluster } = this;
    if (host === null) {
      chargeAnswer(this, 503, false);
      this.#fail('no healthy upstream', `no healthy host in cluster \`${cluster.name}\``, 503, ResponseFlag.UH);
      return;
    }
    info.upstreamHost = host.authority;
    info.upstreamTarget = host;
    this.avoid?.push(host);
    this.tried?.hosts.push(host);
    const attempt = new Attempt(this, host, undefined);
    this.#attempt = attempt;
    const mirrors = info.attemptCount === 1 ? (cluster.http?.policies?.mirrors ?? []) : [];
    this.#copiesBody = mirrors.length > 0;
    attempt.start();
    if (this.#copiesBody && !this.over) {
      const limits = { timeout: this.timeouts.route, bufferLimit: this.bufferLimit };
      this.#shadows = this.startCopies(this, mirrors, limits, this.body);
    }
    this.#copiesBody = false;
    // It was complete before there was a host for it.
    if (info.attemptCount === 1 && this.body.complete && this.#timer === undefined) this.#limit();
  }

  // ---- for attempts

  logOf(): undefined {
    return undefined;
  }

  takeHostOf(): void {
    // It is sent by the name it was made for.
  }

  onAttemptBegins(): void {
    this.#timers?.attemptBegins(this.body.complete);
  }

  refusesHead(): boolean {
    const invalid = invalidPart(this.request);
    if (invalid === undefined) return false;
    this.#fail('invalid', invalid, 503, ResponseFlag.DPE);
    return true;
  }

  bodySent(): number {
    if (this.retry === undefined && !this.#copiesBody) this.body.forget();
    return this.body.parts.length;
  }

  pauseDownstream(): void {
    if (this.#waits || this.body.complete) return;
    this.#waits = true;
    this.#callbacks.onFlow?.(false);
  }
  resumeDownstream(): void {
    if (!this.#waits) return;
    this.#waits = false;
    this.#callbacks.onFlow?.(true);
  }
  /** A copy of it takes no more, or does again. */
  onCopyFlow(flows: boolean): void {
    this.#callbacks.onFlow?.(flows);
  }

  tellLoad({ load }: UpstreamHost, flat: readonly string[]): void {
    if (!this.#loadTold && load?.report(flat) === true) this.#loadTold = true;
  }

  onInterim({ host }: Attempt, { status, flat }: ResponseParser): void {
    if (this.#interim || (status !== 100 && (status < 102 || status > 104))) return;
    chargeAnswer(this, status, isCanary(host, new Headers(flat)), host);
    this.#interim = true;
    this.retryNoMore();
  }

  onResponseHead(attempt: Attempt, parser: ResponseParser): void {
    const { status } = parser;
    const { host } = attempt;
    const head: ResponseHead = { status, headers: new Headers(parser.flat) };
    attempt.countLater = reportAnswer(host, parser, head, this.grpc);
    if (this.retry !== undefined) {
      const verdict = this.retry.onResponse(head, this.deps.clock);
      if (verdict === 'yes') {
        chargeRetried(this, status);
        host.count?.('error');
        this.#retryLater();
        return;
      }
      this.info.responseFlags |= flagOf(verdict);
      this.retryNoMore();
    }
    this.#timers?.responseBegins();
    this.#canary = isCanary(host, head.headers);
    chargeAnswer(this, status, this.#canary, host);
    if (!is5xx(status) && attempt.countLater === undefined) host.count?.(countOf(status));
    this.info.responseCode = status;
    this.isTunnel = this.upgrade !== '' && parser.opensTunnel;
    if (!this.isTunnel) attempt.forgetBody();
    this.#callbacks.onHead?.(parser);
    if (this.isTunnel && !this.over) attempt.opened();
  }

  onResponseData(data: Buffer): void {
    this.#timers?.moved();
    this.#callbacks.onData?.(data);
  }

  onResponseEnd({ host }: Attempt): void {
    if (this.over) return;
    const { requestEndTime } = this.info;
    this.chargeBudget();
    if (requestEndTime >= 0) chargeAnswerTime(this, turnNow(this.deps.clock) - requestEndTime, this.#canary, host);
    this.#finish(undefined);
  }

  onReset(attempt: Attempt, reason: ResetReason, transport: string): void {
    if (this.over) return;
    const { host } = attempt;
    if (reason !== 'overflow' && attempt.connected) host.report('reset', 'nothing');
    const { status, flag } = resetOutcome(reason);
    const verdict = this.retry?.onReset(reason, attempt.begun) ?? 'no';
    if (verdict === 'yes') {
      if (attempt.atHost) host.count?.('error');
      this.#retryLater();
      return;
    }
    this.info.responseFlags |= flagOf(verdict);
    if (reason === 'overflow') host.cluster.stats.load.dropped++;
    this.#chargeFailure(status);
    this.#fail(reason === 'overflow' ? 'overflow' : 'connection', transport === '' ? reason : transport, status, flag);
  }

  // ---- times that are over

  #onTimeout(): void {
    const attempt = this.#attempt;
    const underWay = attempt !== undefined && !attempt.over;
    if (underWay) {
      this.cluster.stats.upstream_rq_timeout++;
      if (attempt.connected) {
        attempt.host.count?.('timeout');
        if (!attempt.heard) attempt.host.report('timeout', 'nothing');
      }
      attempt.outOfTime();
    }
    this.chargeBudget();
    if (underWay) this.#chargeFailure(504);
    this.#fail('timeout', `no answer within ${this.timeouts.route} ms`, 504, ResponseFlag.UT);
  }

  #onTryTimeout(): void {
    if (this.#interim || this.#attempt?.responded === true) {
      this.#timers?.responseGoesOn();
      return;
    }
    this.cluster.stats.upstream_rq_per_try_timeout++;
    this.#onTryOver(`no answer to an attempt within ${this.timeouts.perTry} ms`);
  }

  onTryIdle(): void {
    this.cluster.stats.upstream_rq_per_try_idle_timeout++;
    this.#onTryOver('nothing came of an attempt for too long');
  }

  #onTryOver(message: string): void {
    const attempt = this.#attempt;
    if (this.over || attempt === undefined) return;
    const { host } = attempt;
    host.count?.('timeout');
    host.report('timeout', 'nothing');
    const verdict = this.retry?.onTryTimeout() ?? 'no';
    if (verdict === 'yes') {
      host.count?.('error');
      this.#retryLater();
      return;
    }
    this.info.responseFlags |= flagOf(verdict);
    this.chargeBudget();
    this.#chargeFailure(504);
    this.#fail('timeout', message, 504, ResponseFlag.UT);
  }

  onTryDuration(): void {
    if (this.over) return;
    this.cluster.stats.upstream_rq_max_duration_reached++;
    const verdict = this.info.responseCode > 0 ? 'no' : (this.retry?.onTryTimeout() ?? 'no');
    if (verdict === 'yes') {
      this.#attempt?.host.count?.('error');
      this.#retryLater();
      return;
    }
    this.info.responseFlags |= flagOf(verdict);
    this.chargeBudget();
    // It counts as no answer of the cluster's.
    this.#fail('timeout', 'its attempt took longer than its cluster allows', 504, ResponseFlag.UMSDR);
  }

  // ---- its ends

  /** What has failed is tried once more, a while later. */
  #retryLater(): void {
    const attempt = this.#attempt;
    this.#attempt = undefined;
    this.#timers?.attemptEnds();
    attempt?.reset();
    const { clock, random } = this.deps;
    this.#backOff = clock.after(this.retry!.nextBackOff(random), () => {
      this.#backOff = undefined;
      entered(() => this.#again());
    });
  }

  #again(): void {
    if (this.over) return;
    this.retry?.begins();
    this.prepareAgain();
    this.#choose();
  }

  /** Its attempt came to nothing, which is counted unless something of an answer has been. */
  #chargeFailure(status: number): void {
    const attempt = this.#attempt;
    if (attempt !== undefined && !this.#interim && this.info.responseCode === 0) this.charge(status, attempt);
  }

  /** `status`: of the reply that a client would get, if no answer has begun. */
  #fail(reason: AsyncFailure['reason'], message: string, status: number, flag: number): void {
    const { info } = this;
    if (info.responseCode === 0) info.responseCode = status;
    info.responseFlags |= flag;
    this.#finish({ reason, message });
  }

  #finish(failure: AsyncFailure | undefined): void {
    if (this.over) return;
    this.over = true;
    this.#timer?.cancel();
    this.#backOff?.cancel();
    this.#timers?.attemptEnds();
    this.#tryDeadline.stop();
    this.retryNoMore();
    if (!this.body.complete) this.#shadows?.cancel();
    this.resumeDownstream();
    this.body.forget();
    this.#attempt?.reset();
    this.#callbacks.onOver(failure);
  }
}
