import { isDeepStrictEqual } from 'node:util';
import { subsetsOf } from '../lb/subsets.ts';
import type { ClusterProgram, EndpointProgram, EndpointsProgram } from '../program/types.ts';
import { hostKey } from './priorities.ts';
import type { ClusterDetailStats } from './stats.ts';
import { transportName } from './transport.ts';

type Counts = Pick<
  ClusterDetailStats,
  'lb_subsets_active' | 'lb_subsets_created' | 'lb_subsets_removed' | 'transport_matches'
>;

/** The subsets that the hosts of a cluster make, whose coming and going is counted. */
export class SubsetWatch {
  #now: ReadonlySet<string> = new Set();

  take(hosts: Iterable<EndpointProgram>, { subsets }: ClusterProgram, counts: Counts): void {
    if (subsets === undefined) return;
    const before = this.#now;
    const now = subsetsOf(
      Array.from(hosts, ({ metadata }) => metadata?.['envoy.lb']),
      subsets,
    );
    this.#now = now;
    // An Envoy of one worker has them twice: there, and in its main thread.
    for (const one of now) if (!before.has(one)) counts.lb_subsets_created += 2;
    for (const one of before) if (!now.has(one)) counts.lb_subsets_removed += 2;
    counts.lb_subsets_active = 2 * now.size;
  }
}

/** What Envoy counts of a cluster with every assignment, though here there may be no cluster yet. */
export class AssignmentCounts {
  counts: Counts = {
    lb_subsets_active: 0,
    lb_subsets_created: 0,
    lb_subsets_removed: 0,
    transport_matches: new Map(),
  };
  readonly subsets = new SubsetWatch();
  readonly #program: ClusterProgram;
  #before: ReadonlyMap<string, EndpointProgram> = new Map();

  constructor(program: ClusterProgram) {
    this.#program = program;
  }

  /** `made`: the cluster is there, and watches its subsets itself. */
  take({ localities }: EndpointsProgram, made: boolean): void {
    const hosts = new Map<string, EndpointProgram>();
    const { transport_matches: matches } = this.counts;
    for (const locality of localities) {
      for (const endpoint of locality.endpoints) {
        const key = hostKey(endpoint);
        if (hosts.has(key)) continue;
        hosts.set(key, endpoint);
        const name = transportName(this.#program, endpoint, locality);
        // A host that stays with other metadata is matched anew.
        const before = this.#before.get(key);
        const again = before !== undefined && !isDeepStrictEqual(before.metadata, endpoint.metadata);
        matches.set(name, (matches.get(name) ?? 0) + (again ? 2 : 1));
      }
    }
    this.#before = hosts;
    if (!made) this.subsets.take(hosts.values(), this.#program, this.counts);
  }

  /** The cluster is made: what was counted goes there, and so does what will be. */
  moveTo(counts: Counts): void {
    const { lb_subsets_active, lb_subsets_created, lb_subsets_removed, transport_matches } = this.counts;
    counts.lb_subsets_active = lb_subsets_active;
    counts.lb_subsets_created += lb_subsets_created;
    counts.lb_subsets_removed += lb_subsets_removed;
    for (const [name, count] of transport_matches)
      counts.transport_matches.set(name, (counts.transport_matches.get(name) ?? 0) + count);
    this.counts = counts;
  }
}
