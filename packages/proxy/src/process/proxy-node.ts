import { compileExchange } from '../istio/exchange.ts';
import type { types } from '@mizzen/xds';
import { singleSources } from '../program/route-source.ts';
import { readFileSync } from 'node:fs';
import type { Cluster } from '../cluster/cluster.ts';
import { ForwardProxyCluster } from '../cluster/forward-proxy.ts';
import { ClusterManager, type ClusterManagerSettings } from '../cluster/manager.ts';
import type { Deps } from '../deps.ts';
import { fetchThrough } from '../call/fetch.ts';
import { upstreamCalls } from '../call/index.ts';
import type { AccessLogSink } from '../http/runtime.ts';
import { nextConnectionId } from '../http/connection-id.ts';
import { serveHttp } from '../http/server-connection.ts';
import type { BindFailure } from '../listener/binding.ts';
import type { DrainPolicy } from '../listener/drain.ts';
import { ConnectionLimit } from '../listener/connection-limit.ts';
import { ListenerManager } from '../listener/manager.ts';
import type { ListenerServices } from '../listener/services.ts';
import { ListenerStatsStore } from '../listener/stats-registry.ts';
import type { CompileDeps, ListenerProgram, RouteConfigProgram } from '../program/types.ts';
import type { JsonObject } from '@mizzen/xds';
import { TaggedStats } from '../telemetry/tagged.ts';
import { Counters } from '../telemetry/counters.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { TlsContexts } from '../tls/context.ts';
import type { LiveRuntime } from '../runtime/open.ts';
import { ExtensionStore } from '../xds/extension-store.ts';
import { RouteStore } from '../xds/route-store.ts';
import { SecretStore } from '../xds/secret-store.ts';
import type { ResourceRecords } from '../xds/records.ts';
import type { SpanFlush } from '../tracing/batch.ts';
import type { XdsSource } from '../xds/source.ts';
import { XdsFollower } from '../xds/follower.ts';

export interface ProxyNodeOptions {
  readonly id: string;
  /** As services are told of it; absent: by its id. */
  readonly node?: JsonObject;
  /** The cluster it is part of itself. */
  readonly serviceCluster?: string;
  /** What it says of itself. */
  readonly metadata?: JsonObject | undefined;
  /** Who has an identity, where that is known. */
  readonly workloadOf?: CompileDeps['workloadOf'];
  readonly zone?: string;
  /** For connection managers that name no provider. */
  readonly tracing?: types.traceConfig.Tracing_Http | undefined;
  /** Absent: Envoy's. */
  readonly spanFlush?: SpanFlush;
  readonly deps: Deps;
  /** Where its configuration comes from; one that is reached through a cluster of the proxy is made of these. */
  readonly source: XdsSource | ((clusters: ClusterManager) => XdsSource);
  /** Clusters that the proxy itself speaks HTTP/2 to. */
  readonly http2Clusters?: ReadonlySet<string>;
  /** Values that may change while it runs; absent: there are none. */
  readonly runtime?: LiveRuntime;
  /** Of all listeners together; absent: any number. */
  readonly maxConnections?: number | undefined;
  readonly accessLog: (path: string) => AccessLogSink;
  /** Why a log cannot be opened; absent: what names it is taken all the same, and goes without. */
  readonly cannotAppend?: CompileDeps['cannotAppend'];
  readonly clusterManager?: ClusterManagerSettings | undefined;
  /** What becomes of connections of replaced and removed listeners and chains. */
  readonly drain: DrainPolicy;
  /** How long a resource waits for what it names, milliseconds; 0: as long as its source does. 15 seconds if absent. */
  readonly fetchTimeout?: number;
  /** Called once: the first configuration is in force and every socket listens. */
  readonly onReady: () => void;
  readonly onBindFailure: (listener: string, failure: BindFailure) => void;
}

/** Envoy's, milliseconds. */
const FETCH_TIMEOUT = 15_000;

/** One proxy: its listeners, routes, clusters and secrets, kept as its xDS source says. */
export class ProxyNode {
  readonly id: string;
  readonly clusters: ClusterManager;
  readonly listeners: ListenerManager;
  readonly routes = new RouteStore();
  readonly secrets = new SecretStore();
  readonly extensions = new ExtensionStore();
  readonly stats = new ListenerStatsStore();
  readonly counters = new Counters();
  readonly tagged = new TaggedStats();
  /** Somebody has said that it is not to get requests any more. */
  healthFailed = false;
  readonly #options: ProxyNodeOptions;
  readonly #follower: XdsFollower;
  readonly #source: XdsSource;
  readonly #deps: CompileDeps;
  #ready = false;

  constructor(options: ProxyNodeOptions) {
    this.id = options.id;
    this.#options = options;
    const { deps } = options;
    const tls = new TlsContexts(this.secrets, options.accessLog);
    this.clusters = new ClusterManager({
      deps,
      tls,
      secretAnswered: (name) => this.secrets.answered(name),
      fetchTimeout: options.fetchTimeout ?? FETCH_TIMEOUT,
      openLog: options.accessLog,
      exchange: (config) => compileExchange({ deps: this.compileDeps }, config),
      settings: options.clusterManager,
      onChange: () => this.#follower.clustersChanged(),
    });
    const services: ListenerServices = {
      deps,
      tls,
      stats: this.stats,
      serveHttp,
      cluster: (name) => this.#routable(name),
      routes: (name) => this.routes.get(name),
      internalListener: (name) => this.listeners.internal(name),
      connections: new ConnectionLimit(options.maxConnections, options.runtime?.runtime),
      listenerFor: (address, port) => this.listeners.at(address, port),
      accessLog: options.accessLog,
      asyncRequests: this.counters.get('http.async-client.rq_total'),
      nextConnectionId,
      healthFailed: () => this.healthFailed,
    };
    this.listeners = new ListenerManager({
      services,
      ready: (program) => this.#complete(program),
      drain: options.drain,
      fetchTimeout: options.fetchTimeout ?? FETCH_TIMEOUT,
      onChange: () => this.#checkReady(),
      onDrained: () => this.#follower.listenersDrained(),
      onBindFailure: options.onBindFailure,
    });
    this.#source = typeof options.source === 'function' ? options.source(this.clusters) : options.source;
    this.#deps = this.#compileDeps(deps);
    this.#follower = new XdsFollower({
      source: this.#source,
      compileDeps: this.#deps,
      clusters: this.clusters,
      listeners: this.listeners,
      routes: this.routes,
      secrets: this.secrets,
      extensions: this.extensions,
      onFirstListeners: () => this.#checkReady(),
    });
  }

  /** Versions, times and refusals of its resources. */
  get records(): ResourceRecords {
    return this.#follower.records;
  }

  /** What its resources are compiled with. */
  get compileDeps(): CompileDeps {
    return this.#deps;
  }

  get runtime(): Runtime | undefined {
    return this.#options.runtime?.runtime;
  }

  get ready(): boolean {
    return this.#ready;
  }

  /** The first clusters are warm: listeners are what is waited for. */
  get clustersReady(): boolean {
    return this.#follower.listenersAsked;
  }

  /** Route configurations in force: of listeners themselves, and by RDS. */
  *routeConfigs(): Iterable<RouteConfigProgram> {
    for (const { listener } of this.listeners.active()) {
      const { chains, defaultChain } = listener.program;
      for (const chain of defaultChain === undefined ? chains : [...chains, defaultChain])
        for (const filter of chain.filters) {
          if (filter.kind !== 'http_connection_manager') continue;
          for (const source of singleSources(filter.hcm.routes)) if (source.kind === 'inline') yield source.config;
        }
    }
    for (const [, { program }] of this.routes.entries()) if (program !== undefined) yield program;
  }

  /** Whether clusters were such that listeners could be asked for. */
  get listenersAsked(): boolean {
    return this.#follower.listenersAsked;
  }

  start(): void {
    this.#options.runtime?.follow(this.#source, this.records, this.#follower.hold());
    this.#follower.start();
  }

  /** Stops listening, lets what is under way finish for up to `drainMs`, then ends the rest. */
  async stop(drainMs: number): Promise<void> {
    await this.listeners.stop(drainMs);
    this.#follower.close();
    this.#source.close();
    this.#options.runtime?.close();
    this.clusters.close();
  }

  /** Requests are not routed to what only the proxy itself can speak to. */
  #routable(name: string): Cluster | undefined {
    const cluster = this.clusters.get(name);
    return cluster?.http.http2Only === true ? undefined : cluster;
  }

  #complete(program: ListenerProgram): boolean {
    return (
      program.routeConfigs.every(({ name }) => this.routes.answered(name)) &&
      program.extensions.every(({ name, waits }) => !waits || this.extensions.answered(name)) &&
      program.secretNames.every((name) => this.secrets.answered(name)) &&
      clusterNames(program, this.routes).every((name) => !this.clusters.isWarming(name))
    );
  }

  #checkReady(): void {
    if (this.#ready || !this.#follower.listenersKnown || this.listeners.anyWaiting || !this.listeners.allBound) return;
    this.#ready = true;
    this.#options.onReady();
  }

  #compileDeps(deps: Deps): CompileDeps {
    const calls = upstreamCalls({
      deps,
      cluster: (name) => this.clusters.get(name),
      counter: (name) => this.counters.get(name),
      node: this.#options.node ?? { id: this.id },
    });
    return {
      clock: deps.clock,
      random: deps.random,
      routeTimes: deps.routeTimes,
      fetch: (request) => fetchThrough(calls, request, deps.net.outerAddress),
      serviceCluster: this.#options.serviceCluster ?? '',
      runtime: this.#options.runtime?.runtime,
      extensions: this.extensions,
      nodeId: this.id,
      nodeMetadata: this.#options.metadata ?? {},
      ...(this.#options.workloadOf === undefined ? {} : { workloadOf: this.#options.workloadOf }),
      clusterMetadata: (name) => this.clusters.get(name)?.metadata,
      tagged: this.tagged,
      calls,
      zone: this.#options.zone ?? '',
      outerAddress: deps.net.outerAddress,
      bootstrapTracing: this.#options.tracing,
      spanFlush: this.#options.spanFlush,
      healthFailed: () => this.healthFailed,
      clusterMembers: (name) => {
        const stats = this.clusters.get(name)?.stats;
        return (
          stats && {
            total: stats.membership_total,
            healthy: stats.membership_healthy,
            degraded: stats.membership_degraded,
          }
        );
      },
      grpcCalls: (name) => this.clusters.get(name)?.stats.grpc,
      clusterStatName: (name) => {
        const cluster = this.clusters.get(name);
        return cluster === undefined ? undefined : (cluster.statName ?? cluster.name);
      },
      counter: (name) => this.counters.get(name),
      readFile: (path) => readFileSync(path),
      ...(this.#options.cannotAppend === undefined ? {} : { cannotAppend: this.#options.cannotAppend }),
      env: (name) => process.env[name],
      forwardProxy: (name) => {
        const cluster = this.clusters.get(name);
        return cluster instanceof ForwardProxyCluster ? cluster : undefined;
      },
      hasCluster: (name) => this.clusters.knows(name),
      speaksHttp2: (cluster) => this.#options.http2Clusters?.has(cluster) === true,
    };
  }
}

/** Clusters that a listener's connections may go to, as far as known now. */
function clusterNames(program: ListenerProgram, routes: RouteStore): readonly string[] {
  const chains = program.defaultChain === undefined ? program.chains : [...program.chains, program.defaultChain];
  return chains.flatMap(({ filters }) =>
    filters.flatMap((filter) => {
      if (filter.kind === 'tcp_proxy') return filter.tcp.clusterNames;
      if (filter.kind !== 'http_connection_manager') return [];
      const { routes: wanted } = filter.hcm;
      return singleSources(wanted).flatMap(
        (source) => (source.kind === 'inline' ? source.config : routes.get(source.name))?.clusterNames ?? [],
      );
    }),
  );
}
