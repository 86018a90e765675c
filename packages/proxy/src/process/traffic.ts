import type { Cluster } from '../cluster/cluster.ts';
import type { ClusterHost } from '../cluster/host.ts';
import type { ClusterTraffic, HostTraffic, NodeTraffic } from './protocol.ts';
import type { ProxyNode } from './proxy-node.ts';
import { RequestMeter } from './requests.ts';
import { moreTimes } from './times.ts';

interface HostSeen {
  requests: number;
  errors: number;
  clientErrors: number;
  connections: number;
}

interface ClusterSeen {
  unsent: number;
  readonly times: Map<number, number>;
  readonly hosts: WeakMap<ClusterHost, HostSeen>;
}

/**
 * What went to which endpoint since it was last asked for: the edges of a service graph. Read from the counters there are
 * anyway, so that requests cost nothing more.
 */
export class TrafficMeter {
  readonly #seen = new WeakMap<Cluster, ClusterSeen>();
  readonly #requests = new RequestMeter();

  /** Undefined when nothing was sent. */
  since(node: ProxyNode): NodeTraffic | undefined {
    const clusters: ClusterTraffic[] = [];
    for (const { made, program } of node.clusters.active()) {
      if (made === undefined) continue;
      const traffic = this.#cluster(program.name, made);
      if (traffic !== undefined) clusters.push(traffic);
    }
    const requests = this.#requests.since(node.tagged);
    return clusters.length === 0 && requests.length === 0 ? undefined : { node: node.id, clusters, requests };
  }

  #cluster(name: string, cluster: Cluster): ClusterTraffic | undefined {
    let seen = this.#seen.get(cluster);
    if (seen === undefined) {
      seen = { unsent: 0, times: new Map(), hosts: new WeakMap() };
      this.#seen.set(cluster, seen);
    }
    const { stats } = cluster;
    const unsentSoFar = stats.upstream_cx_none_healthy + stats.upstream_rq_pending_overflow;
    const unsent = unsentSoFar - seen.unsent;
    seen.unsent = unsentSoFar;
    const hosts: HostTraffic[] = [];
    for (const host of cluster.hosts) {
      // A step on the way to the real one, within the proxy.
      if (host.internalListener !== undefined) continue;
      const traffic = hostTraffic(host, seen.hosts);
      if (traffic !== undefined) hosts.push(traffic);
    }
    if (hosts.length === 0 && unsent === 0) return undefined;
    return {
      cluster: name,
      unsent,
      times: moreTimes([stats.external.upstream_rq_time, stats.internal.upstream_rq_time], seen.times),
      hosts,
    };
  }
}

function hostTraffic(host: ClusterHost, seen: WeakMap<ClusterHost, HostSeen>): HostTraffic | undefined {
  const { stats, address, port } = host;
  let before = seen.get(host);
  if (before === undefined) {
    before = { requests: 0, errors: 0, clientErrors: 0, connections: 0 };
    seen.set(host, before);
  }
  const requests = stats.rq_success + stats.rq_error + stats.cx_tunnelled - before.requests;
  const errors = stats.rq_error - before.errors;
  const clientErrors = stats.client_errors - before.clientErrors;
  const connections = stats.cx_total - before.connections;
  if (requests === 0 && connections === 0) return undefined;
  before.requests += requests;
  before.errors += errors;
  before.clientErrors += clientErrors;
  before.connections += connections;
  const tls = host.transport.tls !== undefined;
  return { address: `${address}:${port}`, requests, errors, clientErrors, connections, tls };
}
