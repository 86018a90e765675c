import type { ClusterStats } from '../types.ts';
import type { HcmRuntime } from './runtime.ts';

/**
 * Counts an answer of a cluster: by whether another of the mesh asked or anybody, and whether a canary answered. Without
 * a status only that there was one.
 */
export function charge(stats: ClusterStats, status: number | undefined, internal: boolean, canary: boolean): void {
  const { codes } = internal ? stats.internal : stats.external;
  if (status === undefined) codes.chargeUntold();
  else codes.charge(status);
  if (!canary) return;
  if (status === undefined) stats.canary.codes.chargeUntold();
  else stats.canary.codes.charge(status);
}

/** Counts how long an answer took, milliseconds. */
export function chargeTime(stats: ClusterStats, ms: number, internal: boolean, canary: boolean): void {
  const whole = ms > 0 ? Math.trunc(ms) : 0;
  (internal ? stats.internal : stats.external).upstream_rq_time.record(whole);
  if (canary) stats.canary.upstream_rq_time.record(whole);
}

/** Counts an answer to a client by the first digit of its status. */
export function countAnswer({ stats, listenerAnswers }: HcmRuntime, digit: number): void {
  stats.downstream_rq_completed++;
  stats.downstream_rq_xx[digit]!++;
  listenerAnswers.downstream_rq_completed++;
  listenerAnswers.downstream_rq_xx[digit]!++;
}
