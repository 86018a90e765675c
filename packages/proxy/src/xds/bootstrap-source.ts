import { TypeUrl, type types } from '@mizzen/xds';
import type { Clock, Timer } from '../deps.ts';
import { milliseconds } from '../program/values.ts';
import type { ResourcePlace } from '../program/types.ts';
import type { Nack } from '../types.ts';
import type { XdsHandler, XdsObserver, XdsSource, XdsSubscription, XdsUpdate } from './source.ts';
import type { StaticResources } from './static-resources.ts';

/** How long resources are waited for unless `initialFetchTimeout` says otherwise, milliseconds. */
const FETCH_TIMEOUT = 15_000;

export interface BootstrapSourceOptions {
  readonly clock: Clock;
  readonly resources: StaticResources;
  readonly cds: types.core.ConfigSource | undefined;
  readonly lds: types.core.ConfigSource | undefined;
  /** Opens a source that is not of the bootstrap; equal sources give the same one. */
  readonly open: (typeUrl: string, source: types.core.ConfigSource) => XdsSource;
  /** A resource of the bootstrap was refused. */
  readonly onRefused: (nack: Nack) => void;
}

/**
 * All that a bootstrap names: what it holds itself, clusters and listeners from their sources, and everything else from
 * where those that refer to it say.
 */
export class BootstrapSource implements XdsSource {
  readonly #options: BootstrapSourceOptions;
  readonly #places = new Map<string, types.core.ConfigSource | undefined>();
  readonly #opened = new Set<XdsSource>();

  constructor(options: BootstrapSourceOptions) {
    this.#options = options;
  }

  locate({ kind, name, source }: ResourcePlace): void {
    this.#places.set(`${TypeUrl[kind]} ${name}`, source);
  }

  subscribe(typeUrl: string, handler: XdsHandler, observer?: XdsObserver): XdsSubscription {
    if (typeUrl === TypeUrl.cluster) return this.#all(typeUrl, handler, this.#options.cds, observer);
    if (typeUrl === TypeUrl.listener) return this.#all(typeUrl, handler, this.#options.lds, observer);
    return this.#named(typeUrl, handler, observer);
  }

  close(): void {
    for (const source of this.#opened) source.close();
  }

  /** Clusters or listeners: those of the bootstrap first; they stay as they are, whatever the source says of them. */
  #all(
    typeUrl: string,
    handler: XdsHandler,
    source: types.core.ConfigSource | undefined,
    observer: XdsObserver | undefined,
  ): XdsSubscription {
    const own = this.#static(typeUrl);
    const names = new Set(own.map(({ name }) => name));
    const follow = (): void => {
      const partial = source !== undefined;
      for (const nack of handler({ resources: own, removed: [], partial, own: true })) this.#options.onRefused(nack);
      if (source === undefined) return;
      const first = new FirstAnswer(this.#options.clock, timeoutOf(source), () =>
        handler({ resources: [], removed: [], late: true }),
      );
      const opened = this.#open(typeUrl, source);
      const take = ({ resources, removed, ...update }: XdsUpdate): readonly Nack[] => {
        first.arrived();
        return handler({
          ...update,
          resources: resources.filter(({ name }) => !names.has(name)),
          removed: removed.filter((name) => !names.has(name)),
        });
      };
      const subscription = opened.subscribe(typeUrl, take, observer);
      if (opened.controlPlane !== undefined) observer?.served(['*'], opened.controlPlane);
      subscription.follow('*');
    };
    return { follow };
  }

  /** Endpoints, routes and secrets: each from the place that whoever refers to it named. */
  #named(typeUrl: string, handler: XdsHandler, observer: XdsObserver | undefined): XdsSubscription {
    const bySource = new Map<XdsSource, { readonly subscription: XdsSubscription; names: ReadonlySet<string> }>();
    const own = new Map(this.#static(typeUrl).map((resource) => [resource.name, resource]));
    const told = new Set<string>();
    const waiting = new Map<string, FirstAnswer>();
    const take = (update: XdsUpdate): readonly Nack[] => {
      const { resources, removed, without } = update;
      for (const name of [...resources.map((resource) => resource.name), ...removed, ...(without?.keys() ?? [])]) {
        waiting.get(name)?.arrived();
        waiting.delete(name);
      }
      return handler(update);
    };
    const follow = (wanted: ReadonlySet<string> | '*'): void => {
      const names = wanted === '*' ? new Set(own.keys()) : wanted;
      const groups = new Map<XdsSource, Set<string>>();
      const mine: string[] = [];
      for (const name of names) {
        const source = this.#places.get(`${typeUrl} ${name}`);
        if (source === undefined) {
          if (!told.has(name)) mine.push(name);
          continue;
        }
        const opened = this.#open(typeUrl, source);
        const group = groups.get(opened);
        if (group === undefined) groups.set(opened, new Set([name]));
        else group.add(name);
      }
      for (const name of waiting.keys()) {
        if (names.has(name)) continue;
        waiting.get(name)!.arrived();
        waiting.delete(name);
      }
      for (const name of told) if (!names.has(name)) told.delete(name);
      this.#forgetPlaces(typeUrl, names);
      for (const [source, known] of bySource)
        if (!groups.has(source) && known.names.size > 0) groups.set(source, new Set());
      for (const [source, group] of groups) {
        let known = bySource.get(source);
        if (known === undefined)
          bySource.set(source, (known = { subscription: source.subscribe(typeUrl, take, observer), names: new Set() }));
        for (const name of group) {
          if (known.names.has(name)) continue;
          const timeout = timeoutOf(this.#places.get(`${typeUrl} ${name}`)!);
          const gone = (): void => {
            waiting.delete(name);
            handler({ resources: [], removed: [name], late: true });
          };
          waiting.set(name, new FirstAnswer(this.#options.clock, timeout, gone));
        }
        if (source.controlPlane !== undefined) observer?.served(group, source.controlPlane);
        known.names = group;
        known.subscription.follow(group);
      }
      this.#answer(mine, own, told, handler);
    };
    return { follow };
  }

  /** Of a kind, those with these names stay. */
  #forgetPlaces(typeUrl: string, names: ReadonlySet<string>): void {
    const prefix = `${typeUrl} `;
    for (const key of this.#places.keys())
      if (key.startsWith(prefix) && !names.has(key.slice(prefix.length))) this.#places.delete(key);
  }

  #answer(
    names: readonly string[],
    own: ReadonlyMap<string, XdsUpdate['resources'][number]>,
    told: Set<string>,
    handler: XdsHandler,
  ): void {
    if (names.length === 0) return;
    for (const name of names) told.add(name);
    const update = {
      resources: names.flatMap((name) => own.get(name) ?? []),
      removed: names.filter((name) => !own.has(name)),
      own: true,
    };
    for (const nack of handler(update)) this.#options.onRefused(nack);
  }

  #static(typeUrl: string): XdsUpdate['resources'] {
    return (this.#options.resources[typeUrl] ?? []).map(({ name, resource }) => ({
      name,
      version: 'static',
      static: true,
      resource,
    }));
  }

  #open(typeUrl: string, source: types.core.ConfigSource): XdsSource {
    const opened = this.#options.open(typeUrl, source);
    this.#opened.add(opened);
    return opened;
  }
}

function timeoutOf(source: types.core.ConfigSource): number {
  return milliseconds(source.initialFetchTimeout, FETCH_TIMEOUT);
}

/** Calls once when nothing has arrived in time; a timeout of 0 waits for ever. */
class FirstAnswer {
  readonly #timer: Timer | undefined;

  constructor(clock: Clock, timeout: number, onLate: () => void) {
    this.#timer = timeout === 0 ? undefined : clock.after(timeout, onLate);
  }

  arrived(): void {
    this.#timer?.cancel();
  }
}
