import { TypeUrl } from '@mizzen/xds';
import type { Clock, Timer } from '../clock.ts';
import type { NodeResources } from './node-resources.ts';
import { referencesOf } from './references.ts';
import type { VersionedResource } from './resource.ts';
import { TypeState } from './type-state.ts';
import type { Difference, TypeSync } from './type-state.ts';
import type { DeltaRequest, Refusal, SyncState, Transport } from './types.ts';

/** How long the rest waits for a proxy to ask for what it was just told of. */
const REFERENCE_GRACE = 500;

/**
 * Make before break (xDS protocol, "eventual consistency considerations"): a cluster is there before its endpoints, both
 * before a listener or route leads to them, and it goes when no route leads to it any more. A step begins when the
 * one before it is acknowledged. Secrets wait for nobody.
 */
const STEPS: readonly { readonly typeUrl: string; readonly part: 'upserts' | 'removals' | 'all' }[] = [
  { typeUrl: TypeUrl.cluster, part: 'upserts' },
  { typeUrl: TypeUrl.endpoint, part: 'upserts' },
  { typeUrl: TypeUrl.listener, part: 'all' },
  { typeUrl: TypeUrl.route, part: 'all' },
  { typeUrl: TypeUrl.cluster, part: 'removals' },
  { typeUrl: TypeUrl.endpoint, part: 'removals' },
];
const LISTENER_STEP = 2;
const FIRST_REMOVAL_STEP = 4;

export interface StreamHooks {
  /** Everything known so far was sent and acknowledged. */
  onIdle(stream: XdsStream): void;
  onRefusal(stream: XdsStream, refusals: readonly Refusal[]): void;
}

/** One proxy's incremental stream: what it follows, what it has, and what it is to get next. */
export class XdsStream {
  readonly node: string;
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #hooks: StreamHooks;
  readonly #types = new Map<string, TypeState>();
  #resources: NodeResources | undefined;
  #nonce = 0;
  #closed = false;
  /** What the proxy will ask for because of resources it took: `type name`. */
  readonly #awaited = new Map<string, { readonly typeUrl: string }>();
  #grace: Timer | undefined;

  constructor(node: string, transport: Transport, clock: Clock, hooks: StreamHooks) {
    this.node = node;
    this.#transport = transport;
    this.#clock = clock;
    this.#hooks = hooks;
  }

  /** Gives the proxy's resources; `flush` then sends what differs. */
  assign(resources: NodeResources): void {
    this.#resources = resources;
  }

  /** A secret was replaced; `flush` then sends it. */
  lookAgain(): void {
    this.#types.get(TypeUrl.secret)?.lookAgain();
  }

  request(request: DeltaRequest): void {
    const state = this.#state(request.typeUrl);
    if (request.responseNonce !== undefined && request.responseNonce !== '') this.#acknowledge(state, request);
    if (request.subscribe !== undefined || request.initialResourceVersions !== undefined) {
      state.subscribe(request.subscribe ?? [], request.initialResourceVersions ?? {});
      if (request.subscribe?.includes('*') === true) this.#forgetAwaited(request.typeUrl);
      for (const name of request.subscribe ?? []) this.#awaited.delete(`${request.typeUrl} ${name}`);
      if (this.#awaited.size === 0) this.#endGrace();
    }
    if (request.unsubscribe !== undefined) state.unsubscribe(request.unsubscribe);
    this.flush();
  }

  /** Sends what may be sent now. */
  flush(): void {
    if (this.#closed || this.#resources === undefined) return;
    if (!this.#transport.writable()) return;
    if (!this.#flushSecrets() || !this.#flushSteps()) return;
    if (this.idle) this.#hooks.onIdle(this);
  }

  /** Nothing to send, nothing under way. */
  get idle(): boolean {
    if (this.#awaited.size > 0 || this.#resources === undefined) return false;
    for (const state of this.#types.values()) {
      if (state.outstanding || this.#hasDifference(state)) return false;
    }
    return true;
  }

  close(): void {
    this.#closed = true;
    this.#endGrace();
  }

  get refusals(): readonly Refusal[] {
    return [...this.#types.values()].flatMap((state) => [...state.refusals]);
  }

  sync(typeUrl: string): SyncState {
    const state = this.#types.get(typeUrl);
    if (state === undefined || !state.subscribed) return 'not subscribed';
    if (state.outstanding || this.#hasDifference(state)) return 'pending';
    for (const _ of state.refusals) return 'refused';
    return 'synced';
  }

  /** Every type that the proxy follows. */
  describe(): TypeSync[] {
    const followed = [...this.#types.values()].filter((state) => state.subscribed);
    return followed.map((state) => state.describe(this.sync(state.typeUrl)));
  }

  #state(typeUrl: string): TypeState {
    let state = this.#types.get(typeUrl);
    if (state === undefined) this.#types.set(typeUrl, (state = new TypeState(typeUrl)));
    return state;
  }

  #hasDifference(state: TypeState): boolean {
    if (this.#resources === undefined) return true;
    if (!state.subscribed) return false;
    const { upserts, absent, removed } = state.difference(this.#resources.of(state.typeUrl));
    return state.owesAnswer || upserts.length > 0 || absent.length > 0 || removed.length > 0;
  }

  /** True when nothing stopped it. */
  #flushSecrets(): boolean {
    const state = this.#types.get(TypeUrl.secret);
    if (state === undefined || !state.subscribed || state.outstanding) return true;
    this.#send(state, 'all');
    return this.#transport.writable();
  }

  #flushSteps(): boolean {
    for (const [index, step] of STEPS.entries()) {
      if (index === LISTENER_STEP && this.#awaits(TypeUrl.endpoint, TypeUrl.secret)) return false;
      if (index === FIRST_REMOVAL_STEP && this.#awaited.size > 0) return false;
      const state = this.#types.get(step.typeUrl);
      if (state === undefined || !state.subscribed) continue;
      if (state.outstanding || this.#send(state, step.part)) return false;
    }
    return true;
  }

  /** Sends the part of the difference that its turn has come for; false when there is none. */
  #send(state: TypeState, part: 'upserts' | 'removals' | 'all'): boolean {
    const difference: Difference = state.difference(this.#resources!.of(state.typeUrl));
    const resources: readonly VersionedResource[] = part === 'removals' ? [] : difference.upserts;
    const removed = [
      ...(part === 'removals' ? [] : difference.absent),
      ...(part === 'upserts' ? [] : difference.removed),
    ];
    if (resources.length === 0 && removed.length === 0 && !(state.owesAnswer && part !== 'removals')) return false;
    this.#nonce += 1;
    const nonce = String(this.#nonce);
    state.send(nonce, resources, removed);
    this.#transport.send({ typeUrl: state.typeUrl, nonce, resources, removed });
    return true;
  }

  #acknowledge(state: TypeState, request: DeltaRequest): void {
    const { typeUrl } = state;
    const refusal = request.refusal;
    const named = new Map(
      (refusal?.resources ?? []).map((each) => [each.resource, { ...each, typeUrl, version: '' }] as const),
    );
    const refused = refusal !== undefined && refusal.resources === undefined ? 'all' : named;
    const taken = state.acknowledge(request.responseNonce ?? '', refused, refusal?.message ?? '');
    if (taken === undefined) return;
    for (const resource of taken) {
      for (const reference of referencesOf(typeUrl, resource)) {
        const followed = this.#types.get(reference.typeUrl)?.follows(reference.name) === true;
        if (!followed) this.#await(`${reference.typeUrl} ${reference.name}`, reference.typeUrl);
      }
    }
    if (refusal !== undefined) this.#hooks.onRefusal(this, [...state.refusals]);
  }

  #await(key: string, typeUrl: string): void {
    this.#awaited.set(key, { typeUrl });
    this.#grace?.cancel();
    this.#grace = this.#clock.after(REFERENCE_GRACE, () => {
      this.#grace = undefined;
      this.#awaited.clear();
      this.flush();
    });
  }

  #endGrace(): void {
    this.#grace?.cancel();
    this.#grace = undefined;
  }

  #awaits(...typeUrls: readonly string[]): boolean {
    for (const each of this.#awaited.values()) if (typeUrls.includes(each.typeUrl)) return true;
    return false;
  }

  #forgetAwaited(typeUrl: string): void {
    for (const [key, each] of this.#awaited) if (each.typeUrl === typeUrl) this.#awaited.delete(key);
  }
}
