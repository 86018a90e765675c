import { versionTable } from './bootstrap.ts';
import { type ClusterFilter, clustersOf, clusterTable } from './clusters.ts';
import { assignmentsOf, assignmentTable } from './eds.ts';
import { type ListenerFilter, listenersOf, listenerTable } from './listeners.ts';
import type { Dump } from './read-dump.ts';
import { routesOf, routeTable } from './routes.ts';
import { secretTable } from './secrets.ts';

export interface AllOptions {
  readonly clusters: ClusterFilter;
  readonly listeners: ListenerFilter;
  readonly route: string;
  readonly verbose: boolean;
  /** The dump is an Envoy's own. */
  readonly envoy: boolean;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/**
 * Every table, an empty line between two. They come one by one: a part that is missing ends them, as in istioctl, after
 * those before it were printed.
 */
export function* allTables(
  dump: Dump,
  { clusters, listeners, route, verbose, envoy, now }: AllOptions,
): Generator<string> {
  const { address, port } = listeners;
  yield versionTable(dump, envoy);
  yield '\n';
  yield clusterTable(clustersOf(dump, clusters), true);
  yield '\n';
  yield listenerTable(listenersOf(dump, listeners), { verbose, prefixed: true });
  yield '\n';
  yield routeTable(routesOf(dump, route), { verbose, prefixed: true });
  yield '\n';
  yield secretTable(dump, now, true);
  yield '\n';
  yield assignmentTable(assignmentsOf(dump, { address, port, cluster: '', status: '' }), true);
}
