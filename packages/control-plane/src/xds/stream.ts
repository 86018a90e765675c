import { TypeUrl } from '@mizzen/xds';
import type { Clock, Timer } from '../clock.ts';
import type { NodeResources } from './node-resources.ts';
import type { XdsObserver } from '../metrics/observer.ts';
import { referencesOf } from './references.ts';
import type { VersionedResource } from './resource.ts';
import { TypeState } from './type-state.ts';
import type { Difference, TypeSync } from './type-state.ts';
import type { DeltaRequest, Refusal, SyncState, Transport } from './types.ts';

/** How long the rest waits for a proxy to ask for what it was just told of. */
const REFERENCE_GRACE = 500;

/** How long the rest waits for an Envoy to take changed clusters into use: one that lacks a secret never is. */
const WARMING_GRACE = 2000;

/** They lead nowhere, so they wait for nobody. */
const UNORDERED: readonly string[] = [TypeUrl.secret, TypeUrl.extension];

/**
 * Make before break (xDS protocol, "eventual consistency considerations"): a cluster is there before its endpoints, both
 * before a listener or route leads to them, and it goes when no route leads to it any more. A step begins when the
 * one before it is acknowledged.
 */
const STEPS: readonly { readonly typeUrl: string; readonly part: 'upserts' | 'removals' | 'all' }[] = [
  { typeUrl: TypeUrl.cluster, part: 'upserts' },
  { typeUrl: TypeUrl.endpoint, part: 'upserts' },
  { typeUrl: TypeUrl.listener, part: 'all' },
  { typeUrl: TypeUrl.route, part: 'all' },
  { typeUrl: TypeUrl.cluster, part: 'removals' },
  { typeUrl: TypeUrl.endpoint, part: 'removals' },
];
const CLUSTER_STEP = 0;
const LISTENER_STEP = 2;
const FIRST_REMOVAL_STEP = 4;

export interface StreamHooks {
  /** Everything known so far was sent and acknowledged. */
  onIdle(stream: XdsStream): void;
  onRefusal(stream: XdsStream, typeUrl: string, refusals: readonly Refusal[]): void;
  readonly observer: XdsObserver | undefined;
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
  #warming: Timer | undefined;

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
    if (!this.#flushUnordered() || !this.#flushSteps()) return;
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
    this.#endWarming();
  }

  get closed(): boolean {
    return this.#closed;
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
  #flushUnordered(): boolean {
    for (const typeUrl of UNORDERED) {
      const state = this.#types.get(typeUrl);
      if (state === undefined || !state.subscribed || state.blocked) continue;
      this.#send(state, 'all');
      if (!this.#transport.writable()) return false;
    }
    return true;
  }

  #flushSteps(): boolean {
    let warming = false;
    for (const [index, step] of STEPS.entries()) {
      if (index === LISTENER_STEP && warming) return false;
      if (index === LISTENER_STEP && this.#awaits(TypeUrl.endpoint, TypeUrl.secret)) return false;
      if (index === FIRST_REMOVAL_STEP && this.#awaited.size > 0) return false;
      const state = this.#types.get(step.typeUrl);
      if (state === undefined || !state.subscribed) continue;
      if (!state.blocked && !this.#send(state, step.part)) continue;
      // An Envoy answers when its new clusters are warm, and for that they need their endpoints.
      if (index !== CLUSTER_STEP || this.#transport.warms !== true) return false;
      warming = true;
    }
    return true;
  }

  /** Sends the part of the difference that its turn has come for; false when there is none. */
  #send(state: TypeState, part: 'upserts' | 'removals' | 'all'): boolean {
    const begun = this.#hooks.observer === undefined ? 0 : this.#clock.now();
    const difference: Difference = state.difference(this.#resources!.of(state.typeUrl));
    const resources: readonly VersionedResource[] = part === 'removals' ? [] : difference.upserts;
    const removed = [
      ...(part === 'removals' ? [] : difference.absent),
      ...(part === 'upserts' ? [] : difference.removed),
    ];
    if (resources.length === 0 && removed.length === 0 && !(state.owesAnswer && part !== 'removals')) return false;
    this.#nonce += 1;
    const nonce = String(this.#nonce);
    const { typeUrl } = state;
    const replaced = state.send(nonce, resources, removed);
    const bytes = this.#transport.send({ typeUrl, nonce, resources, removed });
    this.#hooks.observer?.onSent(typeUrl, bytes ?? 0, this.#clock.now() - begun);
    if (typeUrl === TypeUrl.cluster && this.#transport.warms === true) this.#warm(state, replaced);
    return true;
  }

  #acknowledge(state: TypeState, request: DeltaRequest): void {
    const { typeUrl } = state;
    const refusal = request.refusal;
    const named = new Map(
      (refusal?.resources ?? []).map((each) => [each.resource, { ...each, typeUrl, version: '' }] as const),
    );
    const refused = refusal !== undefined && refusal.resources === undefined ? 'all' : named;
    const unjudged = refusal?.unjudged ?? [];
    const taken = state.acknowledge(request.responseNonce ?? '', refused, refusal?.message ?? '', unjudged);
    if (taken === undefined) return this.#hooks.observer?.onExpiredNonce(typeUrl);
    for (const resource of taken) {
      for (const reference of referencesOf(typeUrl, resource)) {
        const followed = this.#types.get(reference.typeUrl)?.follows(reference.name) === true;
        if (!followed) this.#await(`${reference.typeUrl} ${reference.name}`, reference.typeUrl);
      }
    }
    if (typeUrl === TypeUrl.cluster && !state.outstanding) this.#endWarming();
    if (refusal !== undefined) this.#hooks.onRefusal(this, typeUrl, [...state.refusals]);
  }

  /** Changed clusters get their endpoints again, and have some time to become warm. */
  #warm(clusters: TypeState, replaced: readonly VersionedResource[]): void {
    for (const resource of replaced) {
      for (const { typeUrl, name } of referencesOf(TypeUrl.cluster, resource)) {
        if (typeUrl === TypeUrl.endpoint) this.#types.get(typeUrl)?.sendAgain(name);
      }
    }
    this.#endWarming();
    this.#warming = this.#clock.after(WARMING_GRACE, () => {
      this.#warming = undefined;
      clusters.giveUpWaiting();
      this.flush();
    });
  }

  #endWarming(): void {
    this.#warming?.cancel();
    this.#warming = undefined;
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
