import type { JsonObject } from '@mizzen/xds';
import type { Deps } from '../deps.ts';
import { KnownWorkloads } from '../istio/known-workloads.ts';
import { LocalXdsConnection } from '../xds/local-source.ts';
import { settle } from '../http/turn.ts';
import { LogFiles } from './log-files.ts';
import { countsOf } from './node-counts.ts';
import type { MetricsPlace, MetricsServer } from '../admin/metrics-server.ts';
import type { FromProxy, NodeCounts, NodeTraffic, ToProxy } from './protocol.ts';
import { ProxyNode } from './proxy-node.ts';
import type { SpanFlush } from '../tracing/batch.ts';
import { TrafficMeter } from './traffic.ts';

/** Connections of replaced listeners and chains may go on for this long, milliseconds: what Istio tells its proxies. */
const DRAIN_TIME = 45_000;
const COUNT_INTERVAL = 1000;
/** Whoever sends a request wants to see its trace; and spans of busy sidecars leave many at a time. */
const SPAN_FLUSH: SpanFlush = { spans: 32, interval: 500 };

/** All proxies of one process, as the messages of its parent say. */
export class ProxyHost {
  readonly #deps: Deps;
  readonly #send: (message: FromProxy) => void;
  readonly #exit: () => void;
  readonly #logs: LogFiles;
  readonly #nodes = new Map<string, ProxyNode>();
  readonly #workloads = new KnownWorkloads();
  readonly #metrics = new Map<string, readonly MetricsServer[]>();
  readonly #told = new Map<string, NodeCounts>();
  readonly #traffic = new TrafficMeter();
  #xds: LocalXdsConnection | undefined;

  constructor(deps: Deps, send: (message: FromProxy) => void, exit: () => void) {
    this.#deps = deps;
    this.#send = send;
    this.#exit = exit;
    this.#logs = new LogFiles(deps.clock, (message) => send({ type: 'log', level: 'error', message }));
    this.#countAgain();
  }

  receive(message: ToProxy): void {
    switch (message.type) {
      case 'configure':
        this.#xds = new LocalXdsConnection(message.xds, this.#deps, (text) =>
          this.#send({ type: 'log', level: 'warning', message: text }),
        );
        return;
      case 'start':
        return this.#start(message);
      case 'stop':
        return void this.#stop(message.node, message.drainMs);
      case 'peer':
        return this.#workloads.add(message.node, message.metadata);
      case 'peer-gone':
        return this.#workloads.remove(message.node);
      case 'reopen-logs':
        return this.#logs.reopen();
      case 'shutdown':
        return void this.#shutdown(message.drainMs);
    }
  }

  /** What is left goes at once. */
  close(): void {
    settle();
    this.#logs.close();
  }

  #start({ node: id, metadata, serviceCluster, accessLog }: Extract<ToProxy, { type: 'start' }>): void {
    if (this.#nodes.has(id))
      return this.#send({ type: 'log', level: 'warning', node: id, message: 'is already running' });
    if (this.#xds === undefined)
      return this.#send({ type: 'log', level: 'error', node: id, message: 'cannot start before `configure`' });
    this.#workloads.add(id, metadata);
    const node = new ProxyNode({
      id,
      metadata,
      ...(serviceCluster === undefined ? {} : { serviceCluster }),
      workloadOf: (principal) => this.#workloads.ofIdentity(principal),
      deps: this.#deps,
      source: this.#xds.node(id, metadata),
      accessLog: (path) => this.#logs.sink(accessLog !== undefined && path === '/dev/stdout' ? accessLog : path),
      drain: { time: DRAIN_TIME, immediate: true },
      spanFlush: SPAN_FLUSH,
      onReady: () => this.#send({ type: 'ready', node: id }),
      onBindFailure: (listener, failure) => this.#send({ type: 'bind-failed', node: id, listener, ...failure }),
    });
    this.#nodes.set(id, node);
    const place = metricsPlace(metadata);
    if (place !== undefined) void this.#serveMetrics(node, place);
    node.start();
  }

  /** Loaded where metrics are asked for. */
  async #serveMetrics(node: ProxyNode, place: MetricsPlace): Promise<void> {
    const { WorkloadMetrics } = await import('../admin/workload-metrics.ts');
    const { MetricsServer } = await import('../admin/metrics-server.ts');
    if (this.#nodes.get(node.id) !== node) return;
    const metrics = new WorkloadMetrics(node, node.compileDeps);
    const onFailure = (message: string): void =>
      this.#send({ type: 'log', level: 'warning', node: node.id, message: `metrics: ${message}` });
    const servers = [new MetricsServer(place, (exemplars) => metrics.text(exemplars), onFailure)];
    if (place.proxyPort !== undefined) {
      const { address, proxyPort } = place;
      servers.push(
        new MetricsServer(
          { address, port: proxyPort, proxyOnly: true },
          (exemplars) => metrics.proxyText(exemplars),
          onFailure,
        ),
      );
    }
    this.#metrics.set(node.id, servers);
  }

  async #stop(id: string, drainMs: number): Promise<void> {
    const node = this.#nodes.get(id);
    this.#nodes.delete(id);
    this.#workloads.remove(id);
    for (const server of this.#metrics.get(id) ?? []) server.close();
    this.#metrics.delete(id);
    if (node !== undefined) {
      await node.stop(drainMs);
      this.#count([node]);
      this.#told.delete(id);
    }
    this.#send({ type: 'stopped', node: id });
  }

  async #shutdown(drainMs: number): Promise<void> {
    await Promise.all([...this.#nodes.keys()].map((id) => this.#stop(id, drainMs)));
    this.#xds?.close();
    this.close();
    this.#exit();
  }

  #countAgain(): void {
    this.#deps.clock.after(COUNT_INTERVAL, () => {
      this.#countAgain();
      this.#count(this.#nodes.values());
    });
  }

  #count(all: Iterable<ProxyNode>): void {
    const changed: NodeCounts[] = [];
    const traffic: NodeTraffic[] = [];
    for (const node of all) {
      const sent = this.#traffic.since(node);
      if (sent !== undefined) traffic.push(sent);
      const counts = countsOf(node);
      const before = this.#told.get(node.id);
      if (before !== undefined && JSON.stringify(before) === JSON.stringify(counts)) continue;
      this.#told.set(node.id, counts);
      changed.push(counts);
    }
    if (changed.length > 0) this.#send({ type: 'counts', nodes: changed });
    if (traffic.length > 0) this.#send({ type: 'traffic', nodes: traffic });
  }
}

/** Where the runtime wants the metrics of a proxy: `metrics` of its own part of the metadata. */
function metricsPlace(metadata: JsonObject): MetricsPlace | undefined {
  const local = metadata['MIZZEN'] as { readonly metrics?: MetricsPlace } | undefined;
  return local?.metrics;
}
