import type { CompileDeps } from '../program/types.ts';

/** Counts under the cluster that a request is meant for, by the name that its statistics have; under none that is not there. */
export function countUnder({ counter, clusterStatName }: CompileDeps, cluster: string, name: string): void {
  if (cluster === '') return;
  const statName = clusterStatName === undefined ? cluster : clusterStatName(cluster);
  if (statName !== undefined) counter(`cluster.${statName}.${name}`).value++;
}
