import type { ClusterTraffic, NodeTraffic } from '@mizzen/proxy/process/protocol.ts';
import { type CommonProperties, millisecondsOf, placeOf, tagOf } from './entries.ts';

interface HostSum {
  requests: number;
  errors: number;
  clientErrors: number;
  connections: number;
  tls: boolean;
}
interface ClusterSum {
  unsent: number;
  readonly times: Map<number, number>;
  readonly hosts: Map<string, HostSum>;
}

/** Flags of requests of which an endpoint made nothing. */
const FAILED = /\b(UF|UC|UR|UT|UPE|LR)\b/;

/** What one proxy sent to which endpoint since it was last asked for: the edges of a service graph. */
export class Edges {
  #clusters = new Map<string, ClusterSum>();

  /** `responseCode`: of HTTP, or what a status of gRPC means there. */
  request(common: CommonProperties, responseCode: number): void {
    const host = this.#host(common);
    if (host === undefined) return;
    host.requests++;
    if (responseCode >= 500 || responseCode === 0 || FAILED.test(tagOf(common, 'flags'))) host.errors++;
    else if (responseCode >= 400) host.clientErrors++;
    const took = millisecondsOf(common.timeToFirstUpstreamRxByte);
    if (took < 0) return;
    const { times } = this.#cluster(common.upstreamCluster ?? '');
    const rounded = Number(took.toPrecision(2));
    times.set(rounded, (times.get(rounded) ?? 0) + 1);
  }

  connection(common: CommonProperties): void {
    const host = this.#host(common);
    if (host !== undefined) host.connections++;
  }

  /** Undefined when nothing was sent. */
  since(node: string): NodeTraffic | undefined {
    if (this.#clusters.size === 0) return undefined;
    const clusters = [...this.#clusters].map(([cluster, { unsent, times, hosts }]): ClusterTraffic => ({
      cluster,
      unsent,
      times: [...times],
      hosts: [...hosts].map(([address, sum]) => ({ address, ...sum })),
    }));
    this.#clusters = new Map();
    return { node, clusters };
  }

  /** Undefined when it went to none; that counts, where it should have gone to one. */
  #host(common: CommonProperties): HostSum | undefined {
    const { upstreamCluster = '' } = common;
    if (upstreamCluster === '') return undefined;
    const place = placeOf(common.upstreamRemoteAddress);
    if (place === '') {
      // A step on the way within the proxy has no place; what got no endpoint has a flag.
      if (/\b(UH|UO|UF)\b/.test(tagOf(common, 'flags'))) this.#cluster(upstreamCluster).unsent++;
      return undefined;
    }
    const { hosts } = this.#cluster(upstreamCluster);
    let host = hosts.get(place);
    if (host === undefined)
      hosts.set(place, (host = { requests: 0, errors: 0, clientErrors: 0, connections: 0, tls: true }));
    host.tls &&= tagOf(common, 'peer') !== '';
    return host;
  }

  #cluster(name: string): ClusterSum {
    let cluster = this.#clusters.get(name);
    if (cluster === undefined) this.#clusters.set(name, (cluster = { unsent: 0, times: new Map(), hosts: new Map() }));
    return cluster;
  }
}
