import type { ClusterStats } from '../types.ts';

/** Counts an answer of a cluster, also one that is made here once the cluster was chosen. */
export function charge(stats: Pick<ClusterStats, 'upstream_rq_completed' | 'upstream_rq_xx'>, status: number): void {
  stats.upstream_rq_completed++;
  stats.upstream_rq_xx[Math.trunc(status / 100)]!++;
}
