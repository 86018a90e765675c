import type { k8s } from '@mizzen/api';
import type { Clock, Timer } from './clock.ts';
import type { ProbeResult } from './probe.ts';

export interface Thresholds {
  readonly initialDelayMs: number;
  readonly periodMs: number;
  readonly timeoutMs: number;
  readonly successThreshold: number;
  readonly failureThreshold: number;
}

/** Kubernetes' defaults under what the probe says. */
export function thresholds(probe: k8s.Probe): Thresholds {
  return {
    initialDelayMs: (probe.initialDelaySeconds ?? 0) * 1000,
    periodMs: (probe.periodSeconds || 10) * 1000,
    timeoutMs: (probe.timeoutSeconds || 1) * 1000,
    successThreshold: probe.successThreshold || 1,
    failureThreshold: probe.failureThreshold || 3,
  };
}

export interface ProberOptions extends Thresholds {
  readonly clock: Clock;
  readonly check: () => Promise<ProbeResult>;
  /** Milliseconds between tries before the first success; 0: only ever at the probe's own period, after its delay. */
  readonly eager: () => number;
  /** The state changed by the thresholds; `reason` tells of the last failure. */
  readonly onChange: (healthy: boolean, reason: string) => void;
  /** A failure that did not change the state, for a person who waits. */
  readonly onFailure?: (reason: string) => void;
}

/**
 * Runs one probe. While nothing has succeeded yet an eager one tries often, so that a pod is ready when its application
 * is, not when the next period begins; failures count against the threshold only once they span it in periods.
 */
export class Prober {
  readonly #options: ProberOptions;
  #timer: Timer | undefined;
  #stopped = false;
  #succeeded = false;
  #healthy: boolean | undefined;
  #successes = 0;
  #failures = 0;
  #startedAt = 0;

  constructor(options: ProberOptions) {
    this.#options = options;
  }

  start(): void {
    const { clock, eager, initialDelayMs } = this.#options;
    this.#startedAt = clock.now();
    this.#schedule(eager() > 0 ? 0 : initialDelayMs);
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }

  #schedule(ms: number): void {
    if (this.#stopped) return;
    this.#timer = this.#options.clock.after(ms, () => void this.#probe());
  }

  async #probe(): Promise<void> {
    const result = await this.#options.check();
    if (this.#stopped) return;
    if (result.ok) this.#success();
    else this.#failure(result.reason);
    this.#schedule(this.#interval());
  }

  #success(): void {
    this.#succeeded = true;
    this.#failures = 0;
    if (++this.#successes >= this.#options.successThreshold) this.#set(true, '');
  }

  #failure(reason: string): void {
    this.#successes = 0;
    this.#failures++;
    this.#options.onFailure?.(reason);
    if (this.#failureCount() >= this.#options.failureThreshold) this.#set(false, reason);
  }

  /** Eager tries are not failures of their own: as many count as would have happened at the probe's period. */
  #failureCount(): number {
    const { clock, eager, initialDelayMs, periodMs } = this.#options;
    if (this.#succeeded || eager() === 0) return this.#failures;
    const elapsed = clock.now() - this.#startedAt - initialDelayMs;
    return elapsed < 0 ? 0 : Math.floor(elapsed / periodMs) + 1;
  }

  #interval(): number {
    const { clock, eager, periodMs } = this.#options;
    const often = eager();
    if (often === 0 || this.#healthy === true) return periodMs;
    // Between the first success and the threshold's, and before any, there is a person waiting.
    const elapsed = clock.now() - this.#startedAt;
    const patience = elapsed < 3_000 ? often : elapsed < 30_000 ? Math.max(often, 100) : 1_000;
    return this.#healthy === false && this.#succeeded ? periodMs : Math.min(periodMs, patience);
  }

  #set(healthy: boolean, reason: string): void {
    if (this.#healthy === healthy) return;
    this.#healthy = healthy;
    this.#options.onChange(healthy, reason);
  }
}
