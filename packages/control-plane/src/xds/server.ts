import { TypeUrl } from '@mizzen/xds';
import type { Clock } from '../clock.ts';
import type { XdsObserver } from '../metrics/observer.ts';
import { IndexEncoder, NodeResources } from './node-resources.ts';
import { ResourceEncoder } from './resource.ts';
import { XdsStream } from './stream.ts';
import type { TypeSync } from './type-state.ts';
import type { NodeConfig, ProxyStatus, Refusal, SyncState, Transport } from './types.ts';

/** A change on its way to the proxies it concerns. Times in milliseconds of the clock. */
interface Round {
  readonly startedAt: number;
  concerned: number;
  readonly waiting: Set<XdsStream>;
  /** Of those concerned, who refused something of it. */
  readonly refused: Set<XdsStream>;
  readonly onConverged: ((convergence: Convergence) => void) | undefined;
}

export interface CommitOptions {
  /** When the change happened, by the server's clock; now unless given. */
  readonly startedAt?: number;
  /** Every connected proxy that the commit concerned has answered: acknowledged or refused it. */
  readonly onConverged?: (convergence: Convergence) => void;
}

export interface Convergence {
  /** Proxies that the change concerned, that were connected and that stayed so. */
  readonly proxies: number;
  /** Those of them that refused something while they were sent it, and still do. */
  readonly refused: number;
  readonly milliseconds: number;
}

export interface XdsServerOptions {
  readonly clock: Clock;
  /** Called for each response refused, with all that the proxy refuses of that type now. */
  readonly onRefusal?: (node: string, refusals: readonly Refusal[]) => void;
  readonly observer?: XdsObserver | undefined;
}

/** When this many changes wait for slow proxies, the oldest are no longer reported. */
const MAX_ROUNDS = 64;

const TYPES: readonly (readonly [string, string])[] = [
  ['cluster', TypeUrl.cluster],
  ['endpoint', TypeUrl.endpoint],
  ['listener', TypeUrl.listener],
  ['route', TypeUrl.route],
  ['secret', TypeUrl.secret],
  ['extension', TypeUrl.extension],
];

/**
 * Who is to have what, and who has it: the part of an xDS server that knows no transport. Transports open a stream per
 * proxy and pass on its requests; whoever translates commits configurations.
 */
export class XdsServer {
  readonly #options: XdsServerOptions;
  readonly #encoder = new IndexEncoder(new ResourceEncoder());
  readonly #nodes = new Map<string, NodeResources>();
  readonly #streams = new Map<string, Set<XdsStream>>();
  #rounds: Round[] = [];

  constructor(options: XdsServerOptions) {
    this.#options = options;
  }

  /** A proxy connected. It gets nothing until its configuration is committed, which may be before or after. */
  open(node: string, transport: Transport): XdsStream {
    const stream = new XdsStream(node, transport, this.#options.clock, {
      onIdle: (idle) => this.#onIdle(idle),
      observer: this.#options.observer,
      onRefusal: (refusing, typeUrl, refusals) => {
        this.#options.observer?.onRefused(typeUrl);
        for (const round of this.#rounds) if (round.waiting.has(refusing)) round.refused.add(refusing);
        this.#options.onRefusal?.(refusing.node, refusals);
      },
    });
    const resources = this.#nodes.get(node);
    if (resources !== undefined) stream.assign(resources);
    const streams = this.#streams.get(node) ?? new Set();
    this.#streams.set(node, streams.add(stream));
    return stream;
  }

  close(stream: XdsStream): void {
    stream.close();
    const streams = this.#streams.get(stream.node);
    streams?.delete(stream);
    if (streams?.size === 0) this.#streams.delete(stream.node);
    // What it had not acknowledged is not in force there.
    for (const round of this.#rounds) {
      if (!round.waiting.has(stream)) continue;
      round.concerned -= 1;
      round.refused.delete(stream);
    }
    this.#onIdle(stream);
  }

  /**
   * Puts configurations in force, all at once. Nodes not mentioned keep theirs; `undefined` forgets a node. Returns the
   * number of connected proxies that have to be told something.
   */
  commit(changes: ReadonlyMap<string, NodeConfig | undefined>, options: CommitOptions = {}): number {
    const touched: XdsStream[] = [];
    for (const [node, config] of changes) {
      if (config === undefined) {
        this.#nodes.delete(node);
        continue;
      }
      if (this.#nodes.get(node)?.config === config) continue;
      const resources = new NodeResources(config, this.#encoder);
      this.#nodes.set(node, resources);
      for (const stream of this.#streams.get(node) ?? []) {
        stream.assign(resources);
        touched.push(stream);
      }
    }
    return this.#push(touched, options);
  }

  /** Looks again at the secrets of a node, because one of them was replaced. */
  refresh(node: string): number {
    const streams = [...(this.#streams.get(node) ?? [])];
    for (const stream of streams) stream.lookAgain();
    return this.#push(streams, {});
  }

  status(): ProxyStatus[] {
    const nodes = new Set([...this.#nodes.keys(), ...this.#streams.keys()]);
    return [...nodes].toSorted().map((node) => {
      const streams = [...(this.#streams.get(node) ?? [])];
      const types: Record<string, SyncState> = {};
      for (const [name, typeUrl] of TYPES) types[name] = worst(streams.map((stream) => stream.sync(typeUrl)));
      const refusals = streams.flatMap((stream) => stream.refusals);
      return { node, connected: streams.length > 0, types, refusals };
    });
  }

  /** The node of each open stream. */
  *connected(): Generator<string> {
    for (const [node, streams] of this.#streams) for (const _ of streams) yield node;
  }

  /** What proxies refuse now, with their nodes. */
  *refusals(): Generator<readonly [node: string, refusal: Refusal]> {
    for (const [node, streams] of this.#streams)
      for (const stream of streams) for (const refusal of stream.refusals) yield [node, refusal];
  }

  /** What the node is to have; undefined before its first commit. */
  config(node: string): NodeConfig | undefined {
    return this.#nodes.get(node)?.config;
  }

  /** What the node was sent and has answered, on its newest stream; none while it is not connected. */
  sync(node: string): TypeSync[] {
    return [...(this.#streams.get(node) ?? [])].at(-1)?.describe() ?? [];
  }

  #push(streams: readonly XdsStream[], { startedAt = this.#options.clock.now(), onConverged }: CommitOptions): number {
    const waiting = new Set(streams.filter((stream) => !stream.idle));
    const round: Round = { startedAt, concerned: waiting.size, waiting, refused: new Set(), onConverged };
    this.#rounds.push(round);
    if (this.#rounds.length > MAX_ROUNDS) this.#rounds.shift();
    for (const stream of streams) stream.flush();
    this.#finishRounds();
    return round.concerned;
  }

  /** A stream that is idle has everything committed so far, whatever round it came in. */
  #onIdle(stream: XdsStream): void {
    let changed = false;
    const { observer } = this.#options;
    for (const round of this.#rounds) {
      if (!round.waiting.delete(stream)) continue;
      changed = true;
      if (!stream.closed) observer?.onConverged(this.#options.clock.now() - round.startedAt);
    }
    if (changed) this.#finishRounds();
  }

  #finishRounds(): void {
    const done = this.#rounds.filter((round) => round.waiting.size === 0);
    if (done.length === 0) return;
    this.#rounds = this.#rounds.filter((round) => round.waiting.size > 0);
    const now = this.#options.clock.now();
    for (const { concerned, refused, startedAt, onConverged } of done) {
      const refusing = [...refused].filter((stream) => stream.refusals.length > 0).length;
      onConverged?.({ proxies: concerned, refused: refusing, milliseconds: now - startedAt });
    }
  }
}

function worst(states: readonly SyncState[]): SyncState {
  for (const state of ['pending', 'refused', 'synced'] as const) if (states.includes(state)) return state;
  return 'not subscribed';
}
