import type { Timer } from '../deps.ts';
import type { InternalListener } from '../http/runtime.ts';
import type { AddressProgram, ListenerProgram } from '../program/types.ts';
import type { BindFailure } from './binding.ts';
import type { DrainPolicy } from './drain.ts';
import { Listener } from './listener.ts';
import type { HandOver, ListenerServices } from './services.ts';

export interface ListenerManagerOptions {
  readonly services: ListenerServices;
  /** Everything the listener names has been answered for. */
  readonly ready: (program: ListenerProgram) => boolean;
  readonly drain: DrainPolicy;
  /** How long one may wait for what it names before it is used without, milliseconds; 0: for ever. */
  readonly fetchTimeout: number;
  readonly onChange: () => void;
  /** The drain time of one that was replaced or removed is over: nothing it named is of use any more. */
  readonly onDrained: () => void;
  readonly onBindFailure: (listener: string, failure: BindFailure) => void;
}

export interface DrainRequest {
  readonly inboundOnly: boolean;
  readonly graceful: boolean;
  readonly skipExit: boolean;
}

interface Waiting {
  readonly program: ListenerProgram;
  readonly resource: unknown;
  readonly timer: Timer | undefined;
}

/** All listeners of a proxy. A new or changed one takes effect once what it refers to is there. */
export class ListenerManager {
  /** Envoy's names. */
  readonly counts = {
    listener_added: 0,
    listener_modified: 0,
    listener_removed: 0,
    listener_in_place_updated: 0,
    listener_create_success: 0,
    listener_stopped: 0,
  };
  /** How many are on their way out, under Envoy's names. */
  readonly draining = { total_filter_chains_draining: 0, total_listeners_draining: 0 };
  readonly #options: ListenerManagerOptions;
  readonly #active = new Map<string, { listener: Listener; resource: unknown }>();
  readonly #waiting = new Map<string, Waiting>();
  /** Replaced or removed; connections may be left that go on with what these name. */
  readonly #draining = new Map<ListenerProgram, { readonly whole: boolean; readonly resource: unknown }>();
  #closed = false;
  /** Which listeners are taken: those that were told to stop stay as they are. */
  #takes: 'all' | 'not-inbound' | 'none' = 'all';
  /** Which listeners drain gracefully. */
  #gracefully: 'none' | 'inbound' | 'all' = 'none';

  constructor(options: ListenerManagerOptions) {
    this.#options = options;
  }

  get anyWaiting(): boolean {
    return this.#waiting.size > 0;
  }

  get allBound(): boolean {
    return [...this.#active.values()].every(({ listener }) => listener.bound);
  }

  active(): readonly { readonly listener: Listener; readonly resource: unknown }[] {
    return [...this.#active.values()];
  }

  /** Those that wait for what they name. */
  waiting(): readonly { readonly name: string; readonly program: ListenerProgram; readonly resource: unknown }[] {
    return [...this.#waiting].map(([name, { program, resource }]) => ({ name, program, resource }));
  }

  /** Those that were replaced or removed as a whole, until their drain time is over. */
  leaving(): readonly { readonly name: string; readonly resource: unknown }[] {
    return [...this.#draining].flatMap(([{ name }, { whole, resource }]) => (whole ? [{ name, resource }] : []));
  }

  /**
   * As `/drain_listeners`: connections say more and more often with answers that they end, and listeners stop listening at
   * once, or, when `graceful`, after the drain time; with `skipExit` never. Who is draining gracefully goes on with that.
   */
  drain({ inboundOnly, graceful, skipExit }: DrainRequest): void {
    if (graceful) {
      if (this.#gracefully === 'all' || (inboundOnly && this.#gracefully === 'inbound')) return;
      this.#gracefully = inboundOnly ? 'inbound' : 'all';
    }
    const listeners = [...this.#active.values()]
      .map(({ listener }) => listener)
      .filter(({ program }) => !inboundOnly || program.direction === 'INBOUND');
    for (const listener of listeners) listener.announceDrain();
    if (skipExit) return;
    const stop = (): void => {
      this.#takes = inboundOnly && this.#takes !== 'none' ? 'not-inbound' : 'none';
      for (const listener of listeners) if (listener.stopListening()) this.counts.listener_stopped++;
    };
    if (graceful) this.#options.services.deps.clock.after(this.#options.drain.time, stop);
    else stop();
  }

  /** Programs in force, those that wait, and those that connections of before still use: what they refer to is to be followed. */
  followed(): ListenerProgram[] {
    return [...this.programs(), ...this.#draining.keys()];
  }

  /** Programs in force and those that wait. */
  programs(): ListenerProgram[] {
    return [
      ...[...this.#active.values()].map(({ listener }) => listener.program),
      ...[...this.#waiting.values()].map(({ program }) => program),
    ];
  }

  internal(name: string): InternalListener | undefined {
    const entry = this.#active.get(name);
    if (entry === undefined || entry.listener.program.address.kind !== 'internal') return undefined;
    return (socket, info) => entry.listener.acceptInternal(socket, info);
  }

  /** The listener of that address, or of all addresses at that port. */
  at(address: string, port: number): HandOver | undefined {
    let wildcard: Listener | undefined;
    const any = address.includes(':') ? '::' : '0.0.0.0';
    for (const { listener } of this.#active.values()) {
      for (const own of [listener.program.address, ...listener.program.additionalAddresses]) {
        if (own.kind !== 'socket' || own.port !== port) continue;
        if (own.address === address) return listener.takeOver;
        if (own.address === any || (own.address === '::' && own.ipv4Compat)) wildcard ??= listener;
      }
    }
    return wildcard?.takeOver;
  }

  /** Why a listener cannot be beside those there are; undefined: it can. */
  conflict({ name, bindToPort, address, additionalAddresses }: ListenerProgram): string | undefined {
    if (!bindToPort) return undefined;
    const wanted = new Set([address, ...additionalAddresses].filter(isFixed).map((each) => JSON.stringify(each)));
    for (const other of this.programs()) {
      if (other.name === name || !other.bindToPort) continue;
      const taken = [other.address, ...other.additionalAddresses].some((each) => wanted.has(JSON.stringify(each)));
      if (taken) return `is that of listener \`${other.name}\``;
    }
    return undefined;
  }

  update(program: ListenerProgram, resource: unknown): void {
    if (this.#closed || this.#takes === 'none') return;
    if (this.#takes === 'not-inbound' && program.direction === 'INBOUND') return;
    if (this.#active.has(program.name) || this.#waiting.has(program.name)) this.counts.listener_modified++;
    else this.counts.listener_added++;
    this.#waiting.get(program.name)?.timer?.cancel();
    const { services, fetchTimeout } = this.#options;
    const timer =
      fetchTimeout === 0 ? undefined : services.deps.clock.after(fetchTimeout, () => this.#activate(program.name));
    this.#waiting.set(program.name, { program, resource, timer });
    this.refresh();
  }

  /** Listeners with what they were compiled from, in force or waiting. */
  *compiled(): Iterable<{ readonly program: ListenerProgram; readonly resource: unknown }> {
    for (const { listener, resource } of this.#active.values()) yield { program: listener.program, resource };
    yield* this.#waiting.values();
  }

  /** Puts a program in the place of one of the same resource: only what was discovered since is different. */
  adopt(before: ListenerProgram, program: ListenerProgram): void {
    const waiting = this.#waiting.get(before.name);
    if (waiting?.program === before) this.#waiting.set(before.name, { ...waiting, program });
    else this.#active.get(before.name)?.listener.adopt(program);
  }

  remove(name: string): void {
    const waiting = this.#waiting.get(name);
    waiting?.timer?.cancel();
    this.#waiting.delete(name);
    const entry = this.#active.get(name);
    if (waiting === undefined && entry === undefined) return;
    this.counts.listener_removed++;
    if (entry !== undefined) {
      this.#active.delete(name);
      entry.listener.remove();
      this.#drain('total_listeners_draining', 1, entry.listener.program, entry.resource);
    }
    this.#options.onChange();
  }

  /** What goes is there until the drain time is over, as Envoy counts it, whether it has connections or not. */
  #drain(what: keyof ListenerManager['draining'], count: number, program: ListenerProgram, resource: unknown): void {
    if (count === 0) return;
    this.draining[what] += count;
    this.#draining.set(program, { whole: what === 'total_listeners_draining', resource });
    const { services, drain } = this.#options;
    services.deps.clock.after(drain.time, () => {
      this.draining[what] -= count;
      this.#draining.delete(program);
      if (!this.#closed) this.#options.onDrained();
    });
  }

  /** Puts into force what has all it waited for. Called when routes, secrets or clusters arrived. */
  refresh(): void {
    for (const [name, { program }] of this.#waiting) if (this.#options.ready(program)) this.#activate(name);
  }

  async stop(drainMs: number): Promise<void> {
    this.#closed = true;
    // Clients of the mesh give up their idle connections by themselves; others get a moment to.
    const idleMs = Math.min(1000, drainMs / 2);
    for (const { timer } of this.#waiting.values()) timer?.cancel();
    this.#waiting.clear();
    await Promise.all([...this.#active.values()].map(({ listener }) => listener.stop(drainMs, idleMs)));
    this.#active.clear();
  }

  #activate(name: string): void {
    const waiting = this.#waiting.get(name);
    if (waiting === undefined) return;
    waiting.timer?.cancel();
    this.#waiting.delete(name);
    const { program, resource } = waiting;
    const keys = chainKeys(resource);
    const known = this.#active.get(name);
    if (known === undefined) {
      this.counts.listener_create_success++;
      const events = {
        onBound: this.#options.onChange,
        onBindFailure: (failure: BindFailure) => this.#options.onBindFailure(name, failure),
      };
      this.#active.set(name, {
        listener: new Listener(program, keys, this.#options.services, events, this.#options.drain),
        resource,
      });
    } else {
      const inPlace = rest(resource) === rest(known.resource);
      this.counts.listener_create_success++;
      if (inPlace) this.counts.listener_in_place_updated++;
      const { resource: before } = known;
      known.resource = resource;
      const { program: replaced } = known.listener;
      const chains = known.listener.update(program, keys, inPlace);
      if (inPlace) this.#drain('total_filter_chains_draining', chains, replaced, before);
      else this.#drain('total_listeners_draining', 1, replaced, before);
    }
    for (const begin of program.beginnings) begin();
    this.#options.onChange();
  }
}

/** Port 0 is another one each time. */
function isFixed(address: AddressProgram): boolean {
  return address.kind !== 'socket' || address.port !== 0;
}

/** A text that changes with anything but the filter chains: if that does, all connections are drained. */
function rest(resource: unknown): string {
  const {
    filterChains: _chains,
    filter_chains: _snakeChains,
    defaultFilterChain: _default,
    default_filter_chain: _snakeDefault,
    ...others
  } = resource as Readonly<Record<string, unknown>>;
  return JSON.stringify(others);
}

/** A text per filter chain that changes when it does, or when the rest of the listener does; -1 is the default chain. */
function chainKeys(resource: unknown): Map<number, string> {
  const listener = resource as {
    readonly filterChains?: readonly unknown[];
    readonly filter_chains?: readonly unknown[];
    readonly defaultFilterChain?: unknown;
    readonly default_filter_chain?: unknown;
  };
  const keys = new Map<number, string>();
  const others = rest(resource);
  for (const [index, chain] of (listener.filterChains ?? listener.filter_chains ?? []).entries())
    keys.set(index, `${JSON.stringify(chain)} ${others}`);
  const fallback = listener.defaultFilterChain ?? listener.default_filter_chain;
  if (fallback !== undefined) keys.set(-1, `${JSON.stringify(fallback)} ${others}`);
  return keys;
}
