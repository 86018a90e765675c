import { TypeUrl, type types } from '@mizzen/xds';
import { readResource } from '../program/read-resource.ts';
import type { Nack } from '../types.ts';
import { countUpdate, observerOf } from '../xds/count-updates.ts';
import type { ResourceRecords } from '../xds/records.ts';
import type { XdsSource, XdsUpdate } from '../xds/source.ts';
import { readDisk, watchRoot } from './disk.ts';
import { entriesOf, type Entries } from './entry.ts';
import type { RuntimeLayer } from './layers.ts';
import { Runtime, type LayerValues } from './runtime.ts';

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
    this.runtime = new Runtime(
      layers,
      layers.map((layer) => {
        if (layer.kind === 'static') return layer.entries;
        return layer.kind === 'disk' ? this.#read(layer.root, layer.folder) : new Map();
      }),
    );
    const disks = layers.flatMap((layer, index) => (layer.kind === 'disk' ? [{ ...layer, index }] : []));
    // Whichever root has changed, as in Envoy.
    const readAll = (): void =>
      this.runtime!.set(...disks.map(({ root, folder, index }) => [index, this.#read(root, folder)] as const));
    for (const { root } of disks) {
      try {
        this.#watches.push(watchRoot(root, readAll));
      } catch (error) {
        options.onLog('warning', `\`${root}\` cannot be watched: ${messageOf(error)}`);
      }
    }
  }

  /** Follows the layers that come from management servers; calls once each has been answered. */
  follow(source: XdsSource, records: ResourceRecords, onAnswered: () => void): void {
    const layers = this.#options.layers.flatMap((layer, index) => (layer.kind === 'rtds' ? [{ ...layer, index }] : []));
    if (layers.length === 0) return onAnswered();
    const missing = new Set(layers.map(({ resource }) => resource));
    const answered = (name: string): void => {
      if (missing.delete(name) && missing.size === 0) onAnswered();
    };
    const placesOf = (name: string): number[] =>
      layers.filter(({ resource }) => resource === name).map(({ index }) => index);
    for (const { resource: name, source: from } of layers) source.locate?.({ kind: 'runtime', name, source: from });
    const take = (update: XdsUpdate): readonly Nack[] => {
      const { resources, removed, late, without } = update;
      const refused = resources.flatMap(({ name, resource }) => this.#take(name, resource, placesOf(name)));
      // What nobody said anything of in time stays as it is.
      if (late !== true) for (const name of removed) this.#put(placesOf(name), new Map());
      const names = [...resources.map(({ name }) => name), ...removed];
      countUpdate('runtime', records, update, refused, new Set(names));
      for (const name of [...names, ...(without?.keys() ?? [])]) answered(name);
      return refused;
    };
    const subscription = source.subscribe(TypeUrl.runtime, take, observerOf('runtime', records));
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
      this.#put(indices, entriesOf(layer ?? {}));
      return [];
    } catch (error) {
      return [{ typeUrl: TypeUrl.runtime, resource: name, field: 'layer', message: messageOf(error) }];
    }
  }

  #put(indices: readonly number[], entries: Entries): void {
    for (const index of indices) this.runtime!.set([index, entries]);
  }

  #read(root: string, folder: string): LayerValues {
    try {
      return readDisk(root, folder);
    } catch (error) {
      this.#options.onLog('warning', `runtime layer \`${root}\`: ${messageOf(error)}`);
      return 'broken';
    }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
