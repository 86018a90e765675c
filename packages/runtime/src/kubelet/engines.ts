import type { Engine, LocalProxy } from '@mizzen/translator';
import type { JsonObject } from '@mizzen/xds';
import type { Sidecars } from './sidecars.ts';

/** Whoever hears of all proxies, of what kind they may be. */
export interface NodeObserver {
  start(node: string, metadata: JsonObject): Promise<void> | void;
  stop(node: string): void;
}

/** The proxies of a mesh by what they are: each node says so in its metadata, and stays it. */
export class Engines implements Sidecars {
  readonly #engines: Readonly<Record<Engine, Sidecars>>;
  readonly #observers: readonly NodeObserver[];
  readonly #nodes = new Map<string, Sidecars>();

  constructor(engines: Readonly<Record<Engine, Sidecars>>, observers: readonly NodeObserver[]) {
    this.#engines = engines;
    this.#observers = observers;
  }

  async start(node: string, metadata: JsonObject, accessLog: string): Promise<void> {
    const sidecars = this.#nodes.get(node) ?? this.#engines[engineOf(metadata) ?? 'mizzen'];
    this.#nodes.set(node, sidecars);
    for (const observer of this.#observers) await observer.start(node, metadata);
    if (this.#nodes.get(node) !== sidecars) return;
    return sidecars.start(node, metadata, accessLog);
  }

  async stop(node: string, drainMs: number): Promise<void> {
    const sidecars = this.#nodes.get(node);
    this.#nodes.delete(node);
    await sidecars?.stop(node, drainMs);
    for (const observer of this.#observers) observer.stop(node);
  }
}

/** What the proxy of a pod is, by its metadata; undefined without a proxy. */
export function engineOf(metadata: JsonObject | undefined): Engine | undefined {
  const local = metadata?.['MIZZEN'] as LocalProxy | undefined;
  return local === undefined ? undefined : (local.engine ?? 'mizzen');
}
