import type { FromProxy, NodeTraffic, ToProxy } from '@mizzen/proxy/process/protocol.ts';
import { serviceCluster } from '@mizzen/translator/service-cluster.ts';
import type { NodeMetadata } from '@mizzen/translator';
import type { JsonObject } from '@mizzen/xds';
import { engineOf, type NodeObserver } from '../kubelet/engines.ts';
import type { Counts } from '../kubelet/workload.ts';
import type { Sidecars } from '../kubelet/sidecars.ts';
import { OwnProcess, type OwnProcessOptions } from './own-process.ts';

export interface DataPlaneOptions extends Omit<OwnProcessOptions<FromProxy>, 'name' | 'onStart' | 'onMessage'> {
  readonly xds: string;
  /** It has a process, be it another than before. */
  readonly onProcess: () => void;
  readonly onCounts: (nodes: readonly ({ readonly node: string } & Counts)[]) => void;
  readonly onTraffic: (nodes: readonly NodeTraffic[]) => void;
  readonly onBindFailed: (failure: Extract<FromProxy, { type: 'bind-failed' }>) => void;
  readonly onLog: (log: Extract<FromProxy, { type: 'log' }>) => void;
}

interface NodeEntry {
  readonly metadata: JsonObject;
  readonly accessLog: string;
  readonly ready: PromiseWithResolvers<void>;
}

/** The data-plane process: all sidecars and gateways of this machine. Started anew, it gets every node again. */
export class DataPlane implements Sidecars {
  readonly #process: OwnProcess<ToProxy, FromProxy>;
  readonly #options: DataPlaneOptions;
  readonly #nodes = new Map<string, NodeEntry>();
  readonly #others = new Map<string, JsonObject>();
  readonly #stops = new Map<string, () => void>();
  #launched = false;

  constructor(options: DataPlaneOptions) {
    this.#options = options;
    this.#process = new OwnProcess<ToProxy, FromProxy>({
      ...options,
      name: 'data plane',
      onStart: () => {
        this.#started();
        options.onProcess();
      },
      onMessage: (message) => this.#message(message),
      onExit: (how, wait, last) => {
        for (const done of this.#stops.values()) done();
        this.#stops.clear();
        options.onExit(how, wait, last);
      },
    });
  }

  /** Begins the process before there are nodes, where there will be some; otherwise the first of them does. */
  launch(): void {
    if (this.#launched) return;
    this.#launched = true;
    this.#process.start();
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  start(node: string, metadata: JsonObject, accessLog: string): Promise<void> {
    this.launch();
    const known = this.#nodes.get(node);
    const entry = { metadata, accessLog, ready: known?.ready ?? Promise.withResolvers<void>() };
    this.#nodes.set(node, entry);
    // One that runs learns of other metadata as of everything: by xDS.
    if (known === undefined) this.#process.send(startOf(node, entry));
    return entry.ready.promise;
  }

  async stop(node: string, drainMs: number): Promise<void> {
    if (!this.#nodes.delete(node) || this.#process.pid === undefined) return;
    await new Promise<void>((resolve) => {
      // A process that does not answer must not keep a pod from ending.
      const timer = this.#options.clock.after(drainMs + 1_000, () => this.#stopped(node));
      this.#stops.set(node, () => {
        timer.cancel();
        resolve();
      });
      this.#process.send({ type: 'stop', node, drainMs });
    });
  }

  reopenLogs(): void {
    this.#process.send({ type: 'reopen-logs' });
  }

  /** Proxies of another kind: its own take connections of theirs. */
  get others(): NodeObserver {
    return {
      start: (node, metadata) => {
        if (engineOf(metadata) !== 'envoy') return;
        this.#others.set(node, metadata);
        this.#process.send({ type: 'peer', node, metadata });
      },
      stop: (node) => {
        if (this.#others.delete(node)) this.#process.send({ type: 'peer-gone', node });
      },
    };
  }

  shutdown(drainMs: number, waitMs: number): Promise<void> {
    return this.#process.stop({ type: 'shutdown', drainMs }, waitMs);
  }

  #started(): void {
    this.#process.send({ type: 'configure', xds: this.#options.xds });
    for (const [node, metadata] of this.#others) this.#process.send({ type: 'peer', node, metadata });
    for (const [node, entry] of this.#nodes) {
      this.#process.send(startOf(node, entry));
    }
  }

  #stopped(node: string): void {
    this.#stops.get(node)?.();
    this.#stops.delete(node);
  }

  #message(message: FromProxy): void {
    switch (message.type) {
      case 'hello':
        break;
      case 'ready':
        this.#nodes.get(message.node)?.ready.resolve();
        break;
      case 'stopped':
        this.#stopped(message.node);
        break;
      case 'bind-failed':
        this.#options.onBindFailed(message);
        break;
      case 'counts':
        this.#options.onCounts(
          message.nodes.map(({ node, inboundRequests, outboundRequests }) => ({
            node,
            inbound: inboundRequests,
            outbound: outboundRequests,
          })),
        );
        break;
      case 'traffic':
        this.#options.onTraffic(message.nodes);
        break;
      case 'log':
        this.#options.onLog(message);
        break;
      default:
        message satisfies never;
    }
  }
}

function startOf(
  node: string,
  { metadata, accessLog }: { readonly metadata: JsonObject; readonly accessLog: string },
): ToProxy {
  return { type: 'start', node, metadata, serviceCluster: serviceCluster(metadata as NodeMetadata), accessLog };
}
