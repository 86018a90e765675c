import type { Deps, Timer } from '../deps.ts';
import { checkActively } from '../health/active.ts';
import { watchOutliers } from '../health/outlier.ts';
import type { ClusterProgram, EndpointsProgram } from '../program/types.ts';
import type { TlsContexts } from '../tls/context.ts';
import { Cluster } from './cluster.ts';
import { discoverByDns, type Discovery } from './dns.ts';
import { ForwardProxyCluster } from './forward-proxy.ts';
import { newClusterStats, type ClusterDetailStats } from './stats.ts';

/** How long a cluster may wait for its endpoints and secrets before it is used without, milliseconds (Envoy's 15 s). */
const FETCH_TIMEOUT = 15_000;

interface Entry {
  readonly cluster: Cluster;
  readonly resource: unknown;
  readonly discoveries: readonly Discovery[];
  timer: Timer | undefined;
}

export interface ClusterManagerOptions {
  readonly deps: Deps;
  readonly tls: TlsContexts;
  /** Whether a secret has been answered for. */
  readonly secretAnswered: (name: string) => boolean;
  /** A cluster became usable, or went. */
  readonly onChange: () => void;
}

/** All clusters of a proxy. A new or changed one is used only once it is warm: endpoints and secrets known. */
export class ClusterManager {
  readonly #options: ClusterManagerOptions;
  readonly #active = new Map<string, Entry>();
  readonly #warming = new Map<string, Entry>();
  readonly #endpoints = new Map<string, EndpointsProgram>();
  readonly #stats = new Map<string, ClusterDetailStats>();

  constructor(options: ClusterManagerOptions) {
    this.#options = options;
  }

  get(name: string): Cluster | undefined {
    return this.#active.get(name)?.cluster;
  }

  /** Known, but not usable yet in any version. */
  isWarming(name: string): boolean {
    return this.#warming.has(name) && !this.#active.has(name);
  }

  get anyWarming(): boolean {
    return this.#warming.size > 0;
  }

  active(): readonly { readonly cluster: Cluster; readonly resource: unknown }[] {
    return [...this.#active.values()];
  }

  update(program: ClusterProgram, resource: unknown): void {
    const { deps } = this.#options;
    this.#discard(this.#warming, program.name);
    const cluster = this.#make(program);
    const discoveries: Discovery[] = [];
    if (program.outlierDetection !== undefined)
      discoveries.push(watchOutliers(cluster, program.outlierDetection, deps));
    if (program.healthChecks.length > 0) discoveries.push(checkActively(cluster, program.healthChecks, deps));
    const entry: Entry = { cluster, resource, discoveries, timer: undefined };
    this.#warming.set(program.name, entry);
    if (program.type === 'STATIC' && program.endpoints !== undefined) cluster.setEndpoints(program.endpoints);
    else if (program.type === 'STRICT_DNS' || program.type === 'LOGICAL_DNS') {
      // Who waits for the first answer is told by the cluster.
      const unwatch = cluster.watch(() => {
        unwatch();
        this.warmUp();
      });
      discoveries.push(discoverByDns(cluster, deps));
    } else if (program.type === 'EDS') {
      const known = this.#endpoints.get(program.edsServiceName);
      if (known !== undefined) cluster.setEndpoints(known);
    }
    entry.timer = deps.clock.after(FETCH_TIMEOUT, () => this.#activate(program.name, entry));
    this.warmUp();
  }

  remove(name: string): void {
    this.#discard(this.#warming, name);
    this.#discard(this.#active, name);
    this.#options.onChange();
  }

  /** Names to follow by EDS. */
  endpointNames(): Set<string> {
    const names = new Set<string>();
    for (const { cluster } of [...this.#active.values(), ...this.#warming.values()]) {
      if (cluster.program.type === 'EDS') names.add(cluster.program.edsServiceName);
    }
    return names;
  }

  secretNames(): Set<string> {
    return new Set(
      [...this.#active.values(), ...this.#warming.values()].flatMap(({ cluster }) => cluster.program.secretNames),
    );
  }

  setEndpoints(endpoints: EndpointsProgram): void {
    this.#endpoints.set(endpoints.name, endpoints);
    for (const { cluster } of [...this.#active.values(), ...this.#warming.values()]) {
      if (cluster.program.type === 'EDS' && cluster.program.edsServiceName === endpoints.name)
        cluster.setEndpoints(endpoints);
    }
    this.warmUp();
  }

  /** There is no such assignment. What was known of it stays, as in Envoy. */
  noEndpoints(name: string): void {
    if (this.#endpoints.has(name)) return;
    this.setEndpoints({
      name,
      localities: [],
      overprovisioningFactor: 140,
      weightedPriorityHealth: false,
      dropOverload: 0,
    });
  }

  /** Forgets assignments that nobody follows any more. */
  keepEndpoints(names: ReadonlySet<string>): void {
    for (const name of this.#endpoints.keys()) if (!names.has(name)) this.#endpoints.delete(name);
  }

  endpoints(): Iterable<EndpointsProgram> {
    return this.#endpoints.values();
  }

  /** Puts into force what has all it waited for. Called when endpoints or secrets arrived. */
  warmUp(): void {
    for (const [name, entry] of this.#warming) {
      const { cluster } = entry;
      const ready =
        cluster.warm || cluster.program.type === 'DYNAMIC_FORWARD_PROXY' || cluster.program.type === 'ORIGINAL_DST';
      if (ready && cluster.program.secretNames.every(this.#options.secretAnswered)) this.#activate(name, entry);
    }
  }

  close(): void {
    for (const map of [this.#warming, this.#active]) for (const name of map.keys()) this.#discard(map, name);
  }

  #make(program: ClusterProgram): Cluster {
    const { deps, tls } = this.#options;
    let stats = this.#stats.get(program.statName);
    if (stats === undefined) this.#stats.set(program.statName, (stats = newClusterStats()));
    return program.type === 'DYNAMIC_FORWARD_PROXY'
      ? new ForwardProxyCluster(program, tls, stats, deps)
      : new Cluster(program, tls, stats, deps);
  }

  #activate(name: string, entry: Entry): void {
    if (this.#warming.get(name) !== entry) return;
    entry.timer?.cancel();
    this.#warming.delete(name);
    const before = this.#active.get(name);
    this.#active.set(name, entry);
    if (before !== undefined) end(before);
    this.#options.onChange();
  }

  #discard(from: Map<string, Entry>, name: string): void {
    const entry = from.get(name);
    if (entry === undefined) return;
    from.delete(name);
    end(entry);
  }
}

function end(entry: Entry): void {
  entry.timer?.cancel();
  for (const discovery of entry.discoveries) discovery.stop();
  entry.cluster.close();
}
