import type { ExchangeProgram } from '../istio/exchange.ts';
import type { Deps, Timer } from '../deps.ts';
import type { AccessLogSink } from '../http/runtime.ts';
import type { ClusterProgram, DnsProgram, EndpointsProgram, SourceAddresses } from '../program/types.ts';
import { OutlierLog } from '../health/outlier-log.ts';
import type { TlsContexts } from '../tls/context.ts';
import { AggregateCluster } from './aggregate.ts';
import { nowhere } from './assignment.ts';
import { Cluster, type Neighbours } from './cluster.ts';
import { ForwardProxyCluster } from './forward-proxy.ts';
import { ManagedCluster, type ManagedSurroundings } from './managed.ts';
import { OriginalDstCluster } from './original-dst.ts';
import { newClusterStats, type ClusterDetailStats } from './stats.ts';

interface Warming {
  readonly managed: ManagedCluster;
  readonly timer: Timer | undefined;
}

/** What a bootstrap says of all clusters. */
export interface ClusterManagerSettings {
  /** A file that gets a line for every ejection. */
  readonly outlierLog?: string | undefined;
  /** The cluster that the proxy is part of, and its own locality: clusters are routed to by zone then. */
  readonly localCluster?: string | undefined;
  readonly locality?: string | undefined;
  /** Of that locality: answers are counted by the zones they came between. */
  readonly zone?: string | undefined;
  /** Who knows the names of clusters that say nothing of it. */
  readonly dnsServers?: DnsProgram['servers'];
  /** Where connections of clusters come from that say nothing of it. */
  readonly sources?: SourceAddresses | undefined;
}

export interface ClusterManagerOptions {
  readonly deps: Deps;
  readonly tls: TlsContexts;
  /** Whether a secret has been answered for. */
  readonly secretAnswered: (name: string) => boolean;
  /** How long one may wait for what it names before it is used without, milliseconds; 0: for ever. */
  readonly fetchTimeout: number;
  readonly openLog: (path: string) => AccessLogSink;
  /** How the proxy tells hosts who it is. */
  readonly exchange?: (config: NonNullable<ClusterProgram['peerExchange']>) => ExchangeProgram;
  readonly settings?: ClusterManagerSettings | undefined;
  /** A cluster became usable, or went. */
  readonly onChange: () => void;
}

/** All clusters of a proxy. A new or changed one is used only once it is warm: endpoints and secrets known. */
export class ClusterManager {
  /** Envoy's names. */
  readonly counts = {
    cluster_added: 0,
    cluster_modified: 0,
    cluster_removed: 0,
    cluster_updated: 0,
    cluster_updated_via_merge: 0,
    update_merge_cancelled: 0,
    update_out_of_merge_window: 0,
  };
  readonly #options: ClusterManagerOptions;
  readonly #surroundings: ManagedSurroundings;
  readonly #active = new Map<string, ManagedCluster>();
  readonly #warming = new Map<string, Warming>();
  readonly #endpoints = new Map<string, EndpointsProgram>();
  /** Until assignments are too old to go by. */
  readonly #stale = new Map<string, Timer>();
  /** Clusters by the assignment they get their endpoints from. */
  readonly #users = new Map<string, Set<ManagedCluster>>();
  readonly #stats = new Map<string, ClusterDetailStats>();

  constructor(options: ClusterManagerOptions) {
    this.#options = options;
    const { outlierLog } = options.settings ?? {};
    this.#surroundings = {
      deps: options.deps,
      make: (program) => this.#make(program),
      endpoints: (name) => this.#endpoints.get(name),
      openLog: options.openLog,
      outlierLog:
        outlierLog === undefined ? undefined : new OutlierLog(options.openLog(outlierLog), options.deps.clock),
      updateCounts: this.counts,
      onWarm: () => this.warmUp(),
    };
  }

  get(name: string): Cluster | undefined {
    return this.#active.get(name)?.cluster;
  }

  /** There, usable or not yet. */
  knows(name: string): boolean {
    return this.#active.has(name) || this.#warming.has(name);
  }

  /** Known, but not usable yet in any version. */
  isWarming(name: string): boolean {
    return this.#warming.has(name) && !this.#active.has(name);
  }

  get anyWarming(): boolean {
    return this.#warming.size > 0;
  }

  /** The cluster of that name as it is managed: without asking for it. */
  peek(name: string): ManagedCluster | undefined {
    return this.#active.get(name);
  }

  active(): Iterable<ManagedCluster> {
    return this.#active.values();
  }

  warming(): readonly ManagedCluster[] {
    return [...this.#warming.values()].map(({ managed }) => managed);
  }

  update(program: ClusterProgram, resource: unknown): void {
    if (this.#active.has(program.name) || this.#warming.has(program.name)) this.counts.cluster_modified++;
    else this.counts.cluster_added++;
    this.#stopWarming(program.name);
    const managed = new ManagedCluster(program, resource, this.#surroundings);
    this.#use(managed);
    const { deps, fetchTimeout } = this.#options;
    const timer = fetchTimeout === 0 ? undefined : deps.clock.after(fetchTimeout, () => this.#stopWaiting(managed));
    this.#warming.set(program.name, { managed, timer });
    if (this.#ready(managed)) this.#activate(program.name, managed);
  }

  remove(name: string): void {
    if (this.#active.has(name) || this.#warming.has(name)) this.counts.cluster_removed++;
    this.#stopWarming(name);
    const managed = this.#active.get(name);
    this.#active.delete(name);
    if (managed !== undefined) {
      this.#end(managed);
      // What comes again under its name counts anew.
      const { statName } = managed.program;
      if (!this.#all().some(({ program }) => program.statName === statName)) this.#stats.delete(statName);
    }
    this.#options.onChange();
  }

  /** Names to follow by EDS. */
  endpointNames(): Set<string> {
    const names = new Set<string>();
    for (const { program } of this.#all()) if (program.type === 'EDS') names.add(program.edsServiceName);
    return names;
  }

  secretNames(): Set<string> {
    const names = new Set<string>();
    for (const { program } of this.#all()) for (const name of program.secretNames) names.add(name);
    return names;
  }

  /** `warmUp` is to follow, once for all that came together. */
  setEndpoints(endpoints: EndpointsProgram): void {
    const { name, staleAfter } = endpoints;
    this.#place(endpoints);
    if (staleAfter === undefined) return;
    for (const { made } of this.#users.get(name) ?? [])
      if (made !== undefined) made.stats.assignment_timeout_received++;
    this.#stale.set(
      name,
      this.#options.deps.clock.after(staleAfter, () => this.#forget(name)),
    );
  }

  /** An assignment said what was known. */
  sameEndpoints(name: string): void {
    for (const managed of this.#users.get(name) ?? []) managed.unchanged();
  }

  #place(endpoints: EndpointsProgram, said = true): void {
    const { name } = endpoints;
    this.#endpoints.set(name, endpoints);
    this.#stale.get(name)?.cancel();
    this.#stale.delete(name);
    for (const managed of this.#users.get(name) ?? []) managed.setEndpoints(endpoints, said);
  }

  /** The assignment is too old to go by. */
  #forget(name: string): void {
    this.setEndpoints(nowhere(name));
    for (const { made } of this.#users.get(name) ?? []) if (made !== undefined) made.stats.assignment_stale++;
  }

  /** There is no such assignment. What was known of it stays, as in Envoy. */
  noEndpoints(name: string): void {
    if (!this.#endpoints.has(name)) this.#place(nowhere(name), false);
  }

  /** Forgets assignments that nobody follows any more. */
  keepEndpoints(names: ReadonlySet<string>): void {
    for (const name of this.#endpoints.keys()) {
      if (names.has(name)) continue;
      this.#endpoints.delete(name);
      this.#stale.get(name)?.cancel();
      this.#stale.delete(name);
    }
  }

  /** Puts into force what has all it waited for. Called when endpoints or secrets arrived. */
  warmUp(): void {
    for (const [name, { managed }] of this.#warming) if (this.#ready(managed)) this.#activate(name, managed);
  }

  close(): void {
    for (const name of this.#warming.keys()) this.#stopWarming(name);
    for (const managed of this.#active.values()) this.#end(managed);
    for (const timer of this.#stale.values()) timer.cancel();
    this.#active.clear();
  }

  #use(managed: ManagedCluster): void {
    const { type, edsServiceName } = managed.program;
    if (type !== 'EDS') return;
    const users = this.#users.get(edsServiceName);
    if (users === undefined) this.#users.set(edsServiceName, new Set([managed]));
    else users.add(managed);
  }

  #end(managed: ManagedCluster): void {
    managed.end();
    const users = this.#users.get(managed.program.edsServiceName);
    users?.delete(managed);
    if (users?.size === 0) this.#users.delete(managed.program.edsServiceName);
  }

  #all(): readonly ManagedCluster[] {
    return [...this.#active.values(), ...[...this.#warming.values()].map(({ managed }) => managed)];
  }

  #make(program: ClusterProgram): Cluster {
    const cluster = this.#makeOfKind(program);
    cluster.defaultSources = this.#options.settings?.sources;
    cluster.defaultDnsServers = this.#options.settings?.dnsServers;
    cluster.ownZone = this.#options.settings?.zone ?? '';
    if (program.peerExchange !== undefined) cluster.peerExchange = this.#options.exchange?.(program.peerExchange);
    return cluster;
  }

  #makeOfKind(program: ClusterProgram): Cluster {
    const { deps, tls } = this.#options;
    let stats = this.#stats.get(program.statName);
    if (stats === undefined) this.#stats.set(program.statName, (stats = newClusterStats()));
    if (program.type === 'ORIGINAL_DST') return new OriginalDstCluster(program, tls, stats, deps);
    if (program.type === 'DYNAMIC_FORWARD_PROXY') return new ForwardProxyCluster(program, tls, stats, deps);
    if (program.type === 'AGGREGATE') return new AggregateCluster(program, tls, stats, deps, (name) => this.get(name));
    const { localCluster, locality = '' } = this.#options.settings ?? {};
    const cluster = new Cluster(program, tls, stats, deps);
    if (localCluster === undefined) return cluster;
    if (program.name === localCluster) cluster.watch(() => this.#localChanged());
    else cluster.neighbours = (panicThreshold) => this.#local(localCluster, locality, panicThreshold);
    return cluster;
  }

  /** Where the proxies that do the same as this one are. */
  #local(name: string, locality: string, panicThreshold: number): Neighbours | undefined {
    const cluster = this.#active.get(name)?.cluster;
    return cluster === undefined ? undefined : { ...cluster.firstPriority(panicThreshold), ownLocality: locality };
  }

  #localChanged(): void {
    for (const { made } of this.#all()) if (made?.neighbours !== undefined) made.refresh();
  }

  #ready(managed: ManagedCluster): boolean {
    return managed.warm && managed.program.secretNames.every(this.#options.secretAnswered);
  }

  /** What it names has not come: it is used without, though not before its hosts have been checked. */
  #stopWaiting(managed: ManagedCluster): void {
    if (!managed.awaitsChecks) this.#activate(managed.program.name, managed);
  }

  #activate(name: string, managed: ManagedCluster): void {
    const warming = this.#warming.get(name);
    if (warming?.managed !== managed) return;
    warming.timer?.cancel();
    this.#warming.delete(name);
    const before = this.#active.get(name);
    this.#active.set(name, managed);
    managed.begin();
    if (before !== undefined) this.#end(before);
    this.#options.onChange();
  }

  #stopWarming(name: string): void {
    const warming = this.#warming.get(name);
    if (warming === undefined) return;
    warming.timer?.cancel();
    this.#warming.delete(name);
    this.#end(warming.managed);
  }
}
