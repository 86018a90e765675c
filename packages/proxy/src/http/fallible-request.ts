import { percentOf } from '../telemetry/tracked.ts';
import { ResponseFlag, type UpstreamHost } from '../types.ts';
import type { Attempt } from './attempt.ts';
import { AttemptedRequest } from './attempted-request.ts';
import {
  DURATION_REPLY,
  invalidHeadReply,
  noHostReply,
  resetReply,
  timeoutReply,
  TOO_MUCH_KEPT_REPLY,
  type AttemptReply,
} from './attempt-reply.ts';
import { chargeAnswer } from './charge.ts';
import { replyOfRoute } from './direct-reply.ts';
import { invalidPart } from './head-check.ts';
import { is5xx } from './host-report.ts';
import { turnNow } from './turn.ts';
import { resetDetails, resetOutcome, type ResetReason } from './reset.ts';
import { flagOf } from './retry-state.ts';

/**
 * What comes of the tries of a request when that is no answer: another try, a reply in the place of an answer, or the end of
 * an answer that has begun. A base of the router's class.
 */
export abstract class FallibleRequest extends AttemptedRequest {
  protected override onNoHost(): void {
    this.end();
    const reply = noHostReply(this.override, this.cluster);
    chargeAnswer(this, reply.status, false);
    this.#reply(reply);
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
        info.upstreamHost = this.hostBefore?.authority ?? '';
        info.upstreamTarget = this.hostBefore;
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

  onTunnelFailure(host: UpstreamHost, reason: ResetReason, transport: string): void {
    if (this.over) return;
    const { info, hcm } = this.stream;
    this.tunnel = undefined;
    if (reason === 'overflow') host.cluster.stats.load.dropped++;
    info.upstreamFailureReason = transport;
    const retried = this.retry?.onReset(reason, false) ?? 'no';
    if (retried === 'yes') {
      host.count?.('error');
      this.againLater();
      return;
    }
    info.responseFlags |= flagOf(retried);
    const { suppressEnvoyHeaders } = hcm.program.router;
    const reply = resetReply(reason, transport, info.attemptCount, false, suppressEnvoyHeaders);
    if (reason === 'overflow') chargeAnswer(this, reply.status, false);
    else chargeAnswer(this, reply.status, host.canary === true, host);
    this.#giveUp(reply, false);
  }

  onTimeout(): void {
    if (this.over) return;
    const under = this.underWay();
    for (const attempt of under) {
      this.#chargeTimeout(attempt);
      attempt.outOfTime();
    }
    this.chargeBudget();
    if (this.#cutShort('response_timeout', ResponseFlag.UT, false)) return;
    // One more is charged with the reply.
    for (const attempt of under.slice(1)) this.#charge(this.timeoutStatus, attempt);
    this.#giveUp(timeoutReply(this.timeoutStatus, 'response_timeout', ResponseFlag.UT), under.length > 0);
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
    if (this.#cutShort('upstream_max_stream_duration_reached', ResponseFlag.UMSDR, false)) return;
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
    if (this.#cutShort(details, ResponseFlag.UT)) {
      if (this.grpc) attempt.host.count?.('error');
      return;
    }
    const verdict = this.retry?.onTryTimeout() ?? 'no';
    if (verdict === 'yes') {
      attempt.host.count?.('error');
      this.retryLater();
      this.lastWasTimeout = true;
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
    this.lastWasTimeout = true;
    this.againLater();
  }

  /** Breaks off a response that has begun. `counts`: unless that is for its time as a whole. */
  #cutShort(details: string, flag: number, counts = true): boolean {
    const { stream } = this;
    if (!stream.responseStarted) return false;
    this.cancel();
    // Only of gRPC it was not known yet whether it would go well.
    if (this.grpc && counts) stream.hcm.stats.rq_reset_after_downstream_response_started++;
    stream.info.responseFlags |= flag;
    stream.reset(details);
    return true;
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
}
