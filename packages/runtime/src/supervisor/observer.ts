import type { NodeTraffic } from '@mizzen/proxy/process/protocol.ts';
import type { LocalProxy } from '@mizzen/translator';
import type { JsonObject } from '@mizzen/xds';
import { engineOf } from '../kubelet/engines.ts';
import type { FromObserver, ToObserver } from '../observer/protocol.ts';
import { OwnProcess, type OwnProcessOptions } from './own-process.ts';

export interface ObserverOptions extends Omit<OwnProcessOptions<FromObserver>, 'name' | 'onStart' | 'onMessage'> {
  /** Path of the unix socket on which Envoys find it. */
  readonly path: string;
  /** The unix socket of the admin interface of a node's Envoy. */
  readonly admin: (node: string) => string;
  readonly onTraffic: (nodes: readonly NodeTraffic[]) => void;
  readonly onLog: (log: Extract<FromObserver, { type: 'log' }>) => void;
}

/** The process that makes Istio's metrics for Envoys. Started with the first of them; started anew, it hears of all again. */
export class Observer {
  readonly #process: OwnProcess<ToObserver, FromObserver>;
  readonly #options: ObserverOptions;
  readonly #nodes = new Map<string, JsonObject>();
  readonly #listening = Promise.withResolvers<void>();
  #launched = false;

  constructor(options: ObserverOptions) {
    this.#options = options;
    this.#process = new OwnProcess<ToObserver, FromObserver>({
      ...options,
      name: 'observer of the Envoys',
      onStart: () => {
        this.#process.send({ type: 'configure', path: options.path });
        for (const [node, metadata] of this.#nodes) this.#tell(node, metadata);
      },
      onMessage: (message) => this.#message(message),
    });
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** Resolves when what the proxy of a node logs from now on is counted. */
  async start(node: string, metadata: JsonObject): Promise<void> {
    this.#nodes.set(node, metadata);
    if (this.#launched) this.#tell(node, metadata);
    if (engineOf(metadata) !== 'envoy') return;
    if (!this.#launched) {
      this.#launched = true;
      this.#process.start();
    }
    await this.#listening.promise;
  }

  stop(node: string): void {
    if (this.#nodes.delete(node)) this.#process.send({ type: 'stop', node });
  }

  shutdown(waitMs: number): Promise<void> {
    return this.#process.stop(undefined, waitMs);
  }

  #tell(node: string, metadata: JsonObject): void {
    const { metrics: place, engine } = metadata['MIZZEN'] as LocalProxy;
    if (engine !== 'envoy') this.#process.send({ type: 'peer', node, metadata });
    else if (place !== undefined)
      this.#process.send({ type: 'start', node, metadata, place, admin: this.#options.admin(node) });
  }

  #message(message: FromObserver): void {
    switch (message.type) {
      case 'listening':
        return this.#listening.resolve();
      case 'traffic':
        return this.#options.onTraffic(message.nodes);
      case 'log':
        return this.#options.onLog(message);
      default:
        message satisfies never;
    }
  }
}
