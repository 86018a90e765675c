import type { ThresholdsProgram } from '../program/types.ts';
import type { CircuitBreaker } from '../types.ts';

/** What is under way in a cluster at one priority, against its thresholds. */
export class ClusterCircuitBreaker implements CircuitBreaker {
  connections = 0;
  pending = 0;
  requests = 0;
  retries = 0;
  readonly #limits: ThresholdsProgram;

  constructor(limits: ThresholdsProgram) {
    this.#limits = limits;
  }

  tryConnection(): boolean {
    if (this.connections >= this.#limits.maxConnections) return false;
    this.connections++;
    return true;
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
    if (this.retries >= this.#retryLimit()) return false;
    this.retries++;
    return true;
  }
  releaseRetry(): void {
    this.retries--;
  }

  #retryLimit(): number {
    const budget = this.#limits.retryBudget;
    if (budget === undefined) return this.#limits.maxRetries;
    return Math.max(budget.minConcurrency, Math.floor(budget.fraction * (this.requests + this.pending)));
  }
}
