import type { ThresholdsProgram } from '../program/types.ts';
import type { CircuitBreaker } from '../types.ts';

/** What is under way in a cluster at one priority, against its thresholds. */
export class ClusterCircuitBreaker implements CircuitBreaker {
  connections = 0;
  pending = 0;
  requests = 0;
  retries = 0;
  /** There was a connection though there was to be none. */
  #overfilled = false;
  /** A budget was asked how many retries there may be. */
  #budgeted = false;
  readonly #limits: ThresholdsProgram;

  constructor(limits: ThresholdsProgram) {
    this.#limits = limits;
  }

  tryConnection(): boolean {
    if (this.connections >= this.#limits.maxConnections) return false;
    this.connections++;
    return true;
  }
  forceConnection(): void {
    this.connections++;
    this.#overfilled ||= this.#limits.maxConnections === 0;
  }
  releaseConnection(): void {
    this.connections--;
  }

  tryPending(): boolean {
    if (this.pending >= this.#limits.maxPendingRequests) return false;
    this.pending++;
    return true;
  }
  releasePending(): void {
    this.pending--;
  }

  tryRequest(): boolean {
    if (this.requests >= this.#limits.maxRequests) return false;
    this.requests++;
    return true;
  }
  releaseRequest(): void {
    this.requests--;
  }

  tryRetry(): boolean {
    if (this.retries >= this.maxRetries) return false;
    this.retries++;
    return true;
  }
  releaseRetry(): void {
    this.retries--;
  }

  /** 1 for what is full, under Envoy's names; what has no room from the start never fills. */
  open(): Readonly<Record<'cx_open' | 'cx_pool_open' | 'rq_open' | 'rq_pending_open' | 'rq_retry_open', number>> {
    const limits = this.#limits;
    const full = (count: number, limit: number): number => Number(count > 0 && count >= limit);
    return {
      cx_open: this.#overfilled ? 1 : full(this.connections, limits.maxConnections),
      cx_pool_open: 0,
      rq_open: full(this.requests, limits.maxRequests),
      rq_pending_open: full(this.pending, limits.maxPendingRequests),
      rq_retry_open: full(this.retries, this.#retryLimit()),
    };
  }

  /** Room that is left, under Envoy's names. */
  remaining(): Readonly<Record<string, number>> {
    const limits = this.#limits;
    return {
      remaining_cx: Math.max(0, limits.maxConnections - this.connections),
      remaining_pending: Math.max(0, limits.maxPendingRequests - this.pending),
      // Of a budget, which moves with the requests, no rest is told once it was asked.
      remaining_retries: this.#budgeted ? 0 : Math.max(0, limits.maxRetries - this.retries),
      remaining_rq: Math.max(0, limits.maxRequests - this.requests),
    };
  }

  /** How many there may be at a time: of a budget, at this moment. */
  get maxRetries(): number {
    this.#budgeted ||= this.#limits.retryBudget !== undefined;
    return this.#retryLimit();
  }

  #retryLimit(): number {
    const budget = this.#limits.retryBudget;
    if (budget === undefined) return this.#limits.maxRetries;
    return Math.max(budget.minConcurrency, Math.floor(budget.fraction * (this.requests + this.pending)));
  }
}
