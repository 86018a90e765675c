import type { Deps } from '../deps.ts';
import type { AccessLogSink } from '../http/runtime.ts';
import { checkActively } from '../health/active.ts';
import type { OutlierLog } from '../health/outlier-log.ts';
import { watchOutliers } from '../health/outlier.ts';
import { weighByReports } from '../orca/weights.ts';
import type { ClusterProgram, EndpointsProgram } from '../program/types.ts';
import { AssignmentCounts } from './assignment-counts.ts';
import { changedPriorities, heaviestOfLast, prioritiesOf, updatedPriorities } from './assignment.ts';
import type { Cluster } from './cluster.ts';
import { discoverByDns, type Discovery } from './dns.ts';
import type { ClusterHost } from './host.ts';
import { UpdateMerging, type UpdateCounts } from './update-merging.ts';

/** What a cluster needs of those who manage it. */
export interface ManagedSurroundings {
  readonly deps: Deps;
  readonly make: (program: ClusterProgram) => Cluster;
  /** What EDS last said of an assignment. */
  readonly endpoints: (name: string) => EndpointsProgram | undefined;
  readonly openLog: (path: string) => AccessLogSink;
  readonly outlierLog: OutlierLog | undefined;
  readonly updateCounts: UpdateCounts;
  /** The cluster has become warm by itself. */
  readonly onWarm: () => void;
}

/**
 * A cluster's configuration and, once somebody asks for it, the cluster itself: a proxy knows every service of its mesh
 * and talks to few. Those that do something without being asked (resolve names, check health) are made at once.
 */
export class ManagedCluster {
  readonly program: ClusterProgram;
  readonly resource: unknown;
  readonly #surroundings: ManagedSurroundings;
  readonly #discoveries: Discovery[] = [];
  #cluster: Cluster | undefined;
  /** What is counted while there is no cluster to count it. */
  readonly counted = { membership_change: 0, update_no_rebuild: 0, max_host_weight: 0 };
  readonly assignments: AssignmentCounts;
  #priorityCount = 1;
  /** The endpoints it has, or would have. */
  #endpoints: EndpointsProgram | undefined;
  /** Checks that must be over before the cluster is used: one for each of its first hosts. */
  #checksToCome: number | undefined;
  /** From when it is in force. */
  #merging: UpdateMerging | undefined;

  constructor(program: ClusterProgram, resource: unknown, surroundings: ManagedSurroundings) {
    this.program = program;
    this.resource = resource;
    this.#surroundings = surroundings;
    this.#endpoints = program.type === 'EDS' ? surroundings.endpoints(program.edsServiceName) : program.endpoints;
    this.assignments = new AssignmentCounts(program);
    if (this.#endpoints !== undefined && !isDns(program.type)) this.assignments.take(this.#endpoints, false);
    this.counted.membership_change = changedPriorities(undefined, this.#endpoints);
    if (this.#endpoints !== undefined) this.#weigh(this.#endpoints);
    if (actsByItself(program)) this.#make();
  }

  get cluster(): Cluster {
    return this.#cluster ?? this.#make();
  }

  /** The cluster, if anybody has asked for it. */
  get made(): Cluster | undefined {
    return this.#cluster;
  }

  /** Its endpoints are known, be they none, and have been checked once. */
  get warm(): boolean {
    return this.#found && !this.awaitsChecks;
  }

  get awaitsChecks(): boolean {
    return this.#checksToCome !== undefined && this.#checksToCome > 0;
  }

  get #found(): boolean {
    const { type, edsServiceName, waitForWarm } = this.program;
    if (type === 'EDS') return this.#surroundings.endpoints(edsServiceName) !== undefined;
    return isDns(type) && waitForWarm ? this.cluster.warm : true;
  }

  /** `said`: by an assignment, more than that there is none. */
  setEndpoints(endpoints: EndpointsProgram, said: boolean): void {
    if (this.#cluster === undefined) {
      this.counted.membership_change += changedPriorities(this.#endpoints, endpoints);
      if (said) this.#weigh(endpoints);
      const updates = updatedPriorities(this.#endpoints, endpoints);
      if (updates.length === 0 && said) this.#isAsBefore();
      this.#merging?.together(updates);
    }
    this.#endpoints = endpoints;
    this.assignments.take(endpoints, this.#cluster !== undefined);
    if (this.#cluster?.setEndpoints(endpoints, said) === false && said) this.#isAsBefore();
  }

  #weigh(endpoints: EndpointsProgram): void {
    this.#priorityCount = Math.max(this.#priorityCount, prioritiesOf(endpoints));
    if (this.program.type === 'EDS') this.counted.max_host_weight = heaviestOfLast(endpoints, this.#priorityCount);
  }

  get endpoints(): EndpointsProgram | undefined {
    return this.#endpoints;
  }

  /** Its assignment was said again. */
  unchanged(): void {
    if (this.#endpoints !== undefined) this.assignments.take(this.#endpoints, this.#cluster !== undefined);
    this.#isAsBefore();
  }

  #isAsBefore(): void {
    if (this.#cluster === undefined) this.counted.update_no_rebuild++;
    else this.#cluster.stats.update_no_rebuild++;
  }

  /** It is in force: changes of its hosts are counted. */
  begin(): void {
    const { deps, updateCounts } = this.#surroundings;
    this.#merging = new UpdateMerging(this.program.updateMergeWindow, updateCounts, deps.clock, () =>
      this.#cluster?.refresh(),
    );
  }

  end(): void {
    this.#merging?.stop();
    for (const discovery of this.#discoveries) discovery.stop();
    this.#cluster?.close();
  }

  #make(): Cluster {
    const { program } = this;
    const { deps, make, openLog, onWarm } = this.#surroundings;
    const cluster = make(program);
    this.#cluster = cluster;
    const outliers =
      program.outlierDetection === undefined
        ? undefined
        : watchOutliers(cluster, program.outlierDetection, deps, this.#surroundings.outlierLog);
    if (outliers !== undefined) this.#discoveries.push(outliers);
    if (program.healthChecks.length > 0) {
      const unwatch = cluster.watch(() => {
        unwatch();
        this.#checksToCome = [...cluster.hosts].filter(({ endpoint }) => !endpoint.healthCheckDisabled).length;
      });
      const onChecked = (host: ClusterHost, good: boolean, all: boolean): void => {
        if (all) this.#checked();
        outliers?.checked(host, good);
      };
      this.#discoveries.push(checkActively(cluster, deps, openLog, onChecked));
    }
    if (isDns(program.type)) {
      const unwatch = cluster.watch(() => {
        unwatch();
        onWarm();
      });
      this.#discoveries.push(discoverByDns(cluster, deps));
    } else {
      const known = this.#endpoints;
      this.assignments.moveTo(cluster.stats);
      cluster.subsetWatch = this.assignments.subsets;
      cluster.stats.update_no_rebuild += this.counted.update_no_rebuild;
      cluster.stats.membership_change += this.counted.membership_change - changedPriorities(undefined, known);
      cluster.priorityCount = this.#priorityCount;
      if (known !== undefined) cluster.setEndpoints(known, this.counted.max_host_weight > 0);
    }
    if (program.lb.policy === 'ROUND_ROBIN' && program.lb.byLoad !== undefined)
      this.#discoveries.push(weighByReports(cluster, program.lb.byLoad, deps));
    cluster.onUpdates = (updates, together) => {
      if (together) this.#merging?.together(updates);
      else this.#merging?.take(updates);
    };
    cluster.waits = (priority) => this.#merging?.waits(priority) === true;
    return cluster;
  }

  #checked(): void {
    if (this.#checksToCome === undefined || this.#checksToCome === 0) return;
    if (--this.#checksToCome === 0) queueMicrotask(this.#surroundings.onWarm);
  }
}

function isDns(type: ClusterProgram['type']): boolean {
  return type === 'STRICT_DNS' || type === 'LOGICAL_DNS';
}

function actsByItself({ type, healthChecks, lb }: ClusterProgram): boolean {
  if (isDns(type) || healthChecks.length > 0 || ('slowStart' in lb && lb.slowStart !== undefined)) return true;
  return 'byLoad' in lb && lb.byLoad !== undefined;
}
