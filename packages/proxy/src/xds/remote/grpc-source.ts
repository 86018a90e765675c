import { encode, XdsCodecError } from '@mizzen/xds/binary/index.ts';
import type { JsonObject } from '@mizzen/xds';
import type { Deps, Timer } from '../../deps.ts';
import { GrpcStream } from '../../grpc/stream.ts';
import type { Nack, UpstreamCluster } from '../../types.ts';
import {
  namesOf,
  type ControlPlaneStats,
  type XdsHandler,
  type XdsObserver,
  type XdsSource,
  type XdsSubscription,
  type XdsUpdate,
} from '../source.ts';
import type { XdsProtocol } from './protocol.ts';
import { refusalText } from './refusal-text.ts';

/** While the cluster of the server is not usable, it is looked for again after this long, milliseconds. */
const CLUSTER_WAIT = 50;

/** First and longest wait before the same refusal is said again, milliseconds. */
const REFUSED_AGAIN_FIRST = 100;
const REFUSED_AGAIN_MAX = 10_000;

export interface GrpcXdsOptions {
  readonly deps: Deps;
  readonly protocol: XdsProtocol;
  /** `/package.Service/Method`. */
  readonly path: string;
  /** What the server is called in log messages. */
  readonly server: string;
  readonly cluster: () => UpstreamCluster | undefined;
  readonly authority: string;
  readonly metadata: readonly (readonly [string, string])[];
  readonly maxMessage: number;
  /** Envoy's JSON of the node. */
  readonly node: JsonObject;
  readonly nodeOnFirstOnly: boolean;
  /** Waits between attempts, milliseconds. */
  readonly backOff: { readonly base: number; readonly max: number };
  /** Of the stream. */
  readonly stats: ControlPlaneStats;
  /** It is that of all resources. */
  readonly aggregated: boolean;
  readonly onLog: (level: 'info' | 'warning', message: string) => void;
}

/**
 * A management server over gRPC, in either form of the protocol. While the stream is down all that is in force stays in
 * force; it is tried again with growing, random waits, and what is followed is asked for again.
 */
export class GrpcXdsSource implements XdsSource {
  readonly #options: GrpcXdsOptions;
  readonly #handlers = new Map<string, XdsHandler>();
  readonly #observers = new Map<string, XdsObserver>();
  #stream: GrpcStream | undefined;
  #first = true;
  #started = false;
  #closed = false;
  #wait: number;
  /** The last refusal of each type, while it is the last answer. */
  readonly #refusals = new Map<string, { readonly error: string; wait: number }>();
  #timer: Timer | undefined;
  /** While a response is being taken in, what follows from it is sent after its answer. */
  #held: object[] | undefined;

  /** Of resources that may be used for a time only. */
  readonly #lives = new Map<string, Timer>();

  constructor(options: GrpcXdsOptions) {
    this.#options = options;
    this.#wait = options.backOff.base;
  }

  get controlPlane(): ControlPlaneStats | undefined {
    return this.#options.aggregated ? undefined : this.#options.stats;
  }

  subscribe(typeUrl: string, handler: XdsHandler, observer?: XdsObserver): XdsSubscription {
    this.#handlers.set(typeUrl, handler);
    if (observer !== undefined) this.#observers.set(typeUrl, observer);
    return { follow: (names) => this.#follow(typeUrl, names) };
  }

  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    for (const timer of this.#lives.values()) timer.cancel();
    this.#stream?.close();
  }

  #follow(typeUrl: string, names: ReadonlySet<string> | '*'): void {
    const { protocol } = this.#options;
    const before = protocol.followed(typeUrl);
    const requests = protocol.follow(typeUrl, names);
    const had = (name: string): boolean => (before === '*' ? name === '*' : before.has(name));
    this.#observers.get(typeUrl)?.asked(namesOf(names).filter((name) => !had(name)));
    if (this.#stream !== undefined) return this.#send(requests);
    if (!this.#started && requests.length > 0) {
      this.#started = true;
      this.#connect();
    }
  }

  #connect(): void {
    if (this.#closed) return;
    const { cluster: find, path, authority, metadata, maxMessage, protocol } = this.#options;
    const cluster = find();
    if (cluster === undefined) {
      this.#timer = this.#options.deps.clock.after(CLUSTER_WAIT, () => this.#connect());
      return;
    }
    this.#first = true;
    // As Envoy has it: from the attempt on, until it fails.
    this.#options.stats.connected_state = 1;
    const stream: GrpcStream = new GrpcStream(
      cluster,
      { path, authority, metadata, maxMessage },
      {
        onMessage: (message) => this.#receive(message),
        onEnd: (status, message) => this.#ended(status, message),
      },
    );
    this.#stream = stream;
    this.#send(protocol.open());
  }

  #ended(status: number, message: string): void {
    this.#stream = undefined;
    this.#held = undefined;
    this.#options.stats.connected_state = 0;
    if (this.#closed) return;
    const { deps, backOff, onLog, server, protocol } = this.#options;
    for (const [typeUrl, observer] of this.#observers) observer.failed(namesOf(protocol.followed(typeUrl)));
    onLog('warning', `the stream to \`${server}\` ended: ${status}, ${message}; configuration stays as it is`);
    const wait = deps.random.float() * this.#wait;
    this.#wait = Math.min(backOff.max, this.#wait * 2);
    this.#timer = deps.clock.after(wait, () => this.#connect());
  }

  #receive(bytes: Buffer): void {
    const { protocol, backOff, onLog, server } = this.#options;
    this.#wait = backOff.base;
    let received;
    try {
      received = protocol.read(bytes);
    } catch (error) {
      if (!(error instanceof XdsCodecError)) throw error;
      onLog('warning', `\`${server}\` sent what cannot be read: ${error.message}`);
      this.#stream?.close();
      return this.#ended(13, 'a response that cannot be read');
    }
    if (received === undefined) return;
    const { typeUrl, update, lifetimes } = received;
    this.#options.stats.identifier = received.server ?? this.#options.stats.identifier;
    for (const [name, lives] of lifetimes) this.#live(typeUrl, name, lives);
    this.#held = [];
    const nacks = this.#apply(typeUrl, update);
    const held = this.#held ?? [];
    this.#held = undefined;
    const error = nacks.length === 0 ? undefined : refusalText(typeUrl, nacks);
    if (error !== undefined) this.#refuseOthers(typeUrl, nacks);
    const answer = protocol.answer({ refused: new Set(nacks.map(({ resource }) => resource)), error });
    const wait = this.#refusedAgain(typeUrl, error);
    if (wait === undefined) {
      if (error !== undefined) onLog('warning', `refused what \`${server}\` sent: ${error}`);
      return this.#send([answer, ...held]);
    }
    this.#send(held);
    const stream = this.#stream;
    this.#options.deps.clock.after(wait, () => {
      if (this.#stream === stream) this.#send([answer]);
    });
  }

  /** A fault of this proxy's own refuses what met with it: the server is told, and the stream goes on. */
  #apply(typeUrl: string, update: XdsUpdate): readonly Nack[] {
    try {
      return this.#handlers.get(typeUrl)?.(update) ?? [];
    } catch (thrown) {
      const { onLog, server } = this.#options;
      const message = `internal error: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
      onLog(
        'warning',
        `what \`${server}\` sent could not be applied: ${thrown instanceof Error ? thrown.stack : message}`,
      );
      return update.resources.map(({ name }) => ({ typeUrl, resource: name, field: '', message }));
    }
  }

  /** An answer that is refused counts as refused for all that follow its type by name. */
  #refuseOthers(typeUrl: string, nacks: readonly Nack[]): void {
    const followed = this.#options.protocol.followed(typeUrl);
    if (followed === '*') return;
    const counted = new Set(nacks.map(({ resource }) => resource));
    this.#observers.get(typeUrl)?.refused([...followed].filter((name) => !counted.has(name)));
  }

  /** A resource that may be used for so long has been heard of; 0: for ever. */
  #live(typeUrl: string, name: string, lives: number): void {
    const key = `${typeUrl} ${name}`;
    this.#lives.get(key)?.cancel();
    this.#lives.delete(key);
    if (lives > 0)
      this.#lives.set(
        key,
        this.#options.deps.clock.after(lives, () => this.#expire(typeUrl, name)),
      );
  }

  #expire(typeUrl: string, name: string): void {
    this.#lives.delete(`${typeUrl} ${name}`);
    if (this.#closed) return;
    const { protocol, onLog, server } = this.#options;
    onLog('warning', `\`${server}\` has not been heard of \`${name}\` for its time: it is gone`);
    protocol.forget(typeUrl, name);
    this.#handlers.get(typeUrl)?.({ resources: [], removed: [name] });
  }

  /**
   * How long to keep the answer back, milliseconds: some servers send again at once what was refused, for ever. Undefined
   * when it says something new.
   */
  #refusedAgain(typeUrl: string, error: string | undefined): number | undefined {
    const last = this.#refusals.get(typeUrl);
    if (error === undefined) {
      this.#refusals.delete(typeUrl);
      return undefined;
    }
    if (last?.error !== error) {
      this.#refusals.set(typeUrl, { error, wait: REFUSED_AGAIN_FIRST });
      return undefined;
    }
    const { wait } = last;
    last.wait = Math.min(REFUSED_AGAIN_MAX, wait * 2);
    return wait;
  }

  #send(requests: readonly object[]): void {
    if (this.#held !== undefined) {
      this.#held.push(...requests);
      return;
    }
    const { protocol, node, nodeOnFirstOnly } = this.#options;
    for (const request of requests) {
      const whole = this.#first || !nodeOnFirstOnly ? { node, ...request } : request;
      this.#first = false;
      this.#stream?.send(encode(protocol.request, whole));
    }
  }
}
