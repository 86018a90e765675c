import { TypeUrl, type types } from '@mizzen/xds';
import { readResource } from '../program/read-resource.ts';
import type { Nack } from '../types.ts';
import type { XdsSource } from '../xds/source.ts';
import { readDisk, watchRoot } from './disk.ts';
import { entriesOf, type Entries } from './entry.ts';
import type { RuntimeLayer } from './layers.ts';
import { Runtime } from './runtime.ts';

export interface RuntimeOptions {
  readonly layers: readonly RuntimeLayer[];
  readonly onLog: (level: 'info' | 'warning', message: string) => void;
}

/** The runtime of a proxy, with what keeps its layers up to date. Undefined: the bootstrap has none. */
export class LiveRuntime {
  readonly runtime: Runtime | undefined;
  readonly #options: RuntimeOptions;
  readonly #watches: (() => void)[] = [];

  constructor(options: RuntimeOptions) {
    this.#options = options;
    const { layers } = options;
    if (layers.length === 0) return;
    let errors = 0;
    const read = (root: string, folder: string): Entries | undefined => {
      try {
        return readDisk(root, folder);
      } catch (error) {
        errors++;
        this.#complain(root, error);
        return new Map();
      }
    };
    this.runtime = new Runtime(
      layers,
      layers.map((layer) =>
        layer.kind === 'static' ? layer.entries : layer.kind === 'disk' ? read(layer.root, layer.folder) : new Map(),
      ),
    );
    this.runtime.stats.load_error = errors;
    layers.forEach((layer, i) => {
      if (layer.kind !== 'disk') return;
      try {
        this.#watches.push(watchRoot(layer.root, () => this.#read(layer.root, layer.folder, i)));
      } catch (error) {
        options.onLog('warning', `\`${layer.root}\` cannot be watched: ${messageOf(error)}`);
      }
    });
  }

  /** Follows the layers that come from management servers; calls once each has been answered. */
  follow(source: XdsSource, onAnswered: () => void): void {
    const layers = this.#options.layers.flatMap((layer, index) => (layer.kind === 'rtds' ? [{ ...layer, index }] : []));
    if (layers.length === 0) return onAnswered();
    const missing = new Set(layers.map(({ resource }) => resource));
    const answered = (name: string): void => {
      if (missing.delete(name) && missing.size === 0) onAnswered();
    };
    for (const { resource: name, source: from } of layers) source.locate?.({ kind: 'runtime', name, source: from });
    const subscription = source.subscribe(TypeUrl.runtime, ({ resources, removed }) => {
      const refused = resources.flatMap(({ name, resource }) => {
        const nacks = this.#take(
          name,
          resource,
          layers.filter((layer) => layer.resource === name).map(({ index }) => index),
        );
        return nacks;
      });
      for (const name of [...resources.map((resource) => resource.name), ...removed]) answered(name);
      return refused;
    });
    subscription.follow(new Set(missing));
  }

  close(): void {
    for (const end of this.#watches) end();
  }

  #take(name: string, resource: unknown, indices: readonly number[]): readonly Nack[] {
    const read = readResource(TypeUrl.runtime, resource);
    if (read.nacks.length > 0) return read.nacks;
    const { layer } = read.resource as types.runtime.Runtime;
    try {
      const entries = entriesOf(layer ?? {});
      for (const index of indices) this.runtime!.set(index, entries);
      return [];
    } catch (error) {
      this.runtime!.stats.load_error++;
      return [{ typeUrl: TypeUrl.runtime, resource: name, field: 'layer', message: messageOf(error) }];
    }
  }

  #read(root: string, folder: string, index: number): void {
    try {
      this.runtime!.set(index, readDisk(root, folder));
    } catch (error) {
      this.runtime!.stats.load_error++;
      this.#complain(root, error);
    }
  }

  #complain(root: string, error: unknown): void {
    this.#options.onLog('warning', `runtime layer \`${root}\`: ${messageOf(error)}`);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
