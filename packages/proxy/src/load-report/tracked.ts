import type { JsonObject } from '@mizzen/xds';
import type { Cluster } from '../cluster/cluster.ts';
import type { ClusterHost } from '../cluster/host.ts';
import type { ManagedCluster } from '../cluster/managed.ts';
import { localitiesOf } from './localities.ts';

/** Counted up since the proxy started. */
interface Counted {
  readonly success: number;
  readonly error: number;
  readonly issued: number;
}
interface Load extends Counted {
  readonly active: number;
}

const NOTHING: Counted = { success: 0, error: 0, issued: 0 };

/** What is reported of one cluster: the requests since the last report, or since it began to be reported. */
export class TrackedCluster {
  /** When the last report was, clock time. */
  since: number;
  readonly #hosts = new WeakMap<ClusterHost, Counted>();
  #dropped = { all: 0, overload: 0 };

  constructor(managed: ManagedCluster | undefined, now: number) {
    this.since = now;
    const cluster = managed?.made;
    if (cluster === undefined) return;
    for (const host of cluster.hosts) this.#hosts.set(host, countedOf(host));
    this.#dropped = droppedBy(cluster);
  }

  /** Envoy's `ClusterStats`; what it has is not told again. */
  report(name: string, managed: ManagedCluster, now: number, by: ReportOptions): JsonObject {
    const { program, made } = managed;
    const took = now - this.since;
    this.since = now;
    const dropped = made === undefined ? this.#dropped : droppedBy(made);
    const all = dropped.all - this.#dropped.all;
    const overload = dropped.overload - this.#dropped.overload;
    this.#dropped = dropped;
    return {
      clusterName: name,
      ...(program.edsServiceGiven === '' ? {} : { clusterServiceName: program.edsServiceGiven }),
      upstreamLocalityStats: made === undefined ? [] : this.#localities(made, by),
      totalDroppedRequests: all,
      ...(overload > 0 ? { droppedRequests: [{ category: made?.dropCategory ?? '', droppedCount: overload }] } : {}),
      loadReportInterval: `${(took / 1000).toFixed(6)}s`,
    };
  }

  #localities(cluster: Cluster, by: ReportOptions): JsonObject[] {
    return localitiesOf(cluster, by.ownLocality).flatMap(({ locality, priority, hosts }) => {
      const loads = hosts.map((host) => ({ host, load: this.#take(host) })).filter(({ load }) => isAny(load));
      if (loads.length === 0) return [];
      const sum = loads.reduce((total, { load }) => plus(total, load), { ...NOTHING, active: 0 });
      return {
        locality,
        priority,
        ...fieldsOf(sum),
        ...(by.endpoints
          ? {
              upstreamEndpointStats: loads.map(({ host, load }) => ({ address: addressJson(host), ...fieldsOf(load) })),
            }
          : {}),
      };
    });
  }

  #take(host: ClusterHost): Load {
    const before = this.#hosts.get(host) ?? NOTHING;
    const now = countedOf(host);
    this.#hosts.set(host, now);
    return {
      success: now.success - before.success,
      error: now.error - before.error,
      issued: now.issued - before.issued,
      active: host.active,
    };
  }
}

export interface ReportOptions {
  /** Endpoint by endpoint, too. */
  readonly endpoints: boolean;
  /** The proxy's own locality, which comes first. */
  readonly ownLocality: string;
}

function countedOf({ stats, issued }: ClusterHost): Counted {
  return { success: stats.rq_success, error: stats.rq_error, issued };
}

function droppedBy({ stats }: Cluster): { all: number; overload: number } {
  return { all: stats.load.dropped, overload: stats.upstream_rq_drop_overload };
}

const isAny = ({ success, error, issued, active }: Load): boolean => success + error + issued + active > 0;

function plus(a: Load, b: Load): Load {
  return {
    success: a.success + b.success,
    error: a.error + b.error,
    issued: a.issued + b.issued,
    active: a.active + b.active,
  };
}

function fieldsOf({ success, error, issued, active }: Load): JsonObject {
  return {
    totalSuccessfulRequests: success,
    totalErrorRequests: error,
    totalRequestsInProgress: active,
    totalIssuedRequests: issued,
  };
}

function addressJson({ endpoint: { address, endpointId } }: ClusterHost): JsonObject {
  switch (address.kind) {
    case 'socket':
      return { socketAddress: { address: address.address, portValue: address.port } };
    case 'pipe':
      return { pipe: { path: address.path } };
    case 'internal':
      return { envoyInternalAddress: { serverListenerName: address.name, endpointId } };
  }
}
