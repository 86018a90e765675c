import type { Clock } from '../deps.ts';
import type { ThresholdsProgram } from '../program/types.ts';
import type { CircuitBreaker } from '../types.ts';
import { RequestWindow } from './request-window.ts';

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
  /** Where the budget is of requests that began, not of those that are under way. */
  readonly #begun: RequestWindow | undefined;

  constructor(limits: ThresholdsProgram, clock: Clock) {
    this.#limits = limits;
    const { interval = 0 } = limits.retryBudget ?? {};
    this.#begun = interval > 0 ? new RequestWindow(interval, clock) : undefined;
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
    this.#begun?.add();
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
    const remaining = remainingOf(this.#limits, this);
    // Of a budget, which moves with the requests, no rest is told once it was asked.
    return this.#budgeted ? { ...remaining, remaining_retries: 0 } : remaining;
  }

  /** How many there may be at a time: of a budget, at this moment. */
  get maxRetries(): number {
    this.#budgeted ||= this.#limits.retryBudget !== undefined;
    return this.#retryLimit();
  }

  #retryLimit(): number {
    const budget = this.#limits.retryBudget;
    if (budget === undefined) return this.#limits.maxRetries;
    const counted = this.#begun?.count ?? this.requests + this.pending;
    return Math.max(budget.minConcurrency, Math.floor(budget.fraction * counted));
  }
}

const NOTHING = { connections: 0, pending: 0, requests: 0, retries: 0 };

/** Room that thresholds leave, under Envoy's names. */
export function remainingOf(
  { maxConnections, maxPendingRequests, maxRequests, maxRetries }: ThresholdsProgram,
  { connections, pending, requests, retries }: typeof NOTHING = NOTHING,
): Readonly<Record<string, number>> {
  return {
    remaining_cx: Math.max(0, maxConnections - connections),
    remaining_pending: Math.max(0, maxPendingRequests - pending),
    remaining_retries: Math.max(0, maxRetries - retries),
    remaining_rq: Math.max(0, maxRequests - requests),
  };
}
