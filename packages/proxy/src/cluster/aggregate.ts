import type { Deps } from '../deps.ts';
import { choosePriority, priorityLoad, type PriorityLoad } from '../lb/priority-load.ts';
import type { ClusterProgram } from '../program/types.ts';
import type { TlsContexts } from '../tls/context.ts';
import type { LbContext, UpstreamHost } from '../types.ts';
import { Cluster } from './cluster.ts';
import type { ClusterDetailStats } from './stats.ts';

/** A priority of one of the clusters. */
interface Place {
  readonly cluster: Cluster;
  readonly priority: number;
}

interface Line {
  /** The clusters and how often each had changed when the line was made. */
  readonly of: readonly (readonly [Cluster, number])[];
  readonly places: readonly Place[];
  readonly load: PriorityLoad;
  /** Some cluster of it finds hosts by the hash of a request. */
  readonly hashes: boolean;
}

/**
 * Other clusters one after the other: the priorities of all of them make one line, of which a request is given a place as
 * in a single cluster; how a host is chosen there is the business of the cluster whose priority it is.
 */
export class AggregateCluster extends Cluster {
  readonly #lookup: (name: string) => Cluster | undefined;
  #line: Line | undefined;
  /** The line is being made: clusters may lead back here. */
  #making = false;

  constructor(
    program: ClusterProgram,
    contexts: TlsContexts,
    stats: ClusterDetailStats,
    deps: Deps,
    lookup: (name: string) => Cluster | undefined,
  ) {
    super(program, contexts, stats, deps);
    this.#lookup = lookup;
  }

  /** As soon as one of them does: which one a request gets is not known before its hash is. */
  override get hashes(): boolean {
    return !this.#making && this.#current().hashes;
  }

  override choose(context: LbContext): UpstreamHost | null {
    // The hosts are others' own: none of them is known here by its address.
    if (context.override?.strict === true) return null;
    const { places, load } = this.#current();
    if (places.length === 0) return null;
    // At random also where hosts are found by hash, as Envoy does.
    const { priority, degraded } = choosePriority(load, (this.deps.random.uint32() % 100) + 1);
    const place = places[priority]!;
    return place.cluster.chooseAt({ priority: place.priority, degraded }, context);
  }

  /** The line as it is now; clusters that nobody knows and priorities without hosts have no place in it. */
  #current(): Line {
    const before = this.#line;
    const clusters = (this.program.aggregated ?? []).flatMap((name) => this.#lookup(name) ?? []);
    const same =
      before?.of.length === clusters.length &&
      clusters.every((cluster, i) => before.of[i]![0] === cluster && before.of[i]![1] === cluster.version);
    if (same) return before;
    const levels = clusters
      .flatMap((cluster) => cluster.levels.map((hosts, priority) => ({ cluster, priority, hosts })))
      .filter(({ hosts }) => hosts.hosts.length > 0);
    const load = priorityLoad(
      levels.map(({ hosts }) => hosts),
      { overprovisioningFactor: 140, weightedPriorityHealth: false, panicThreshold: this.program.panicThreshold },
    );
    this.#making = true;
    const hashes = clusters.some((cluster) => cluster.hashes);
    this.#making = false;
    return (this.#line = {
      of: clusters.map((cluster) => [cluster, cluster.version]),
      places: levels,
      load,
      hashes,
    });
  }
}
