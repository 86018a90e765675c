import { hash } from 'node:crypto';
import { TypeUrl } from '@mizzen/xds';
import type { VersionedResource } from '../xds/resource.ts';
import type { DeltaRequest, DeltaResponse, RefusedResource } from '../xds/types.ts';
import { refusedResources } from './refusal.ts';
import type { WorldRequest } from './requests.ts';

/** Of these a response holds all there are, and what is not in it is gone. Of all others it holds what is new. */
const WHOLE: readonly string[] = [TypeUrl.listener, TypeUrl.cluster];

/** A response of the state-of-the-world protocol. */
export interface WorldResponse {
  readonly typeUrl: string;
  readonly nonce: string;
  readonly versionInfo: string;
  readonly resources: readonly VersionedResource[];
}

interface Followed {
  /** Names asked for; `*` stands for all. */
  names: ReadonlySet<string>;
  /** Some request named something: from then on an empty list means nothing (xDS protocol, "resource hints"). */
  named: boolean;
  /** Nonce of the latest response; a request with another one was written before that response arrived. */
  nonce: string | undefined;
  /** Responses that the proxy has not answered, the oldest first. */
  unanswered: readonly Sent[];
  readonly whole: WholeSet | undefined;
}

/** A response: all that is in it, and of that what was new. */
interface Sent {
  readonly nonce: string;
  readonly all: readonly VersionedResource[];
  readonly latest: readonly VersionedResource[];
}

/** So many responses without an answer are told apart; of those before them the last ones are not waited for. */
const MAX_UNANSWERED = 4;

/**
 * The state-of-the-world protocol in terms of the incremental one, for one stream: turns lists of names into subscriptions
 * and changes into whole sets where the protocol wants these.
 */
export class WorldSession {
  readonly #types = new Map<string, Followed>();

  /** How many names the stream follows. */
  get size(): number {
    let size = 0;
    for (const { names } of this.#types.values()) size += names.size;
    return size;
  }

  /**
   * Of a request that a later response has made out of date only the verdict counts; undefined when it has none: the proxy
   * will answer the later one, too, and say then what it wants.
   */
  request({ typeUrl, versionInfo, names, nonce, error }: WorldRequest): DeltaRequest | undefined {
    let state = this.#types.get(typeUrl);
    if (state === undefined) {
      // A proxy that had a version from an earlier stream still has resources.
      const whole = WHOLE.includes(typeUrl) ? new WholeSet(versionInfo === '') : undefined;
      state = { names: new Set(), named: false, nonce: undefined, unanswered: [], whole };
      this.#types.set(typeUrl, state);
    }
    const answers = state.nonce !== undefined;
    const late = answers && nonce !== state.nonce;
    if (late && !state.unanswered.some((each) => each.nonce === nonce)) return undefined;
    const refusal = answers ? this.#answer(typeUrl, state, nonce, error) : undefined;
    const answer = answers ? { responseNonce: nonce, ...(refusal === undefined ? {} : { refusal }) } : {};
    if (late) return { typeUrl, ...answer };
    state.named ||= names.length > 0;
    const wanted = new Set(names.length === 0 && !state.named && WHOLE.includes(typeUrl) ? ['*'] : names);
    const subscribe = [...wanted].filter((name) => !state.names.has(name));
    const unsubscribe = [...state.names].filter((name) => !wanted.has(name));
    state.names = wanted;
    if (unsubscribe.length > 0 && !wanted.has('*')) state.whole?.keep(wanted);
    return {
      typeUrl,
      ...(subscribe.length > 0 ? { subscribe } : {}),
      ...(unsubscribe.length > 0 ? { unsubscribe } : {}),
      ...answer,
    };
  }

  response({ typeUrl, nonce, resources, removed }: DeltaResponse): WorldResponse {
    const state = this.#types.get(typeUrl)!;
    state.whole?.change(resources, removed);
    const all = state.whole?.toSend() ?? [...resources, ...withoutEndpoints(typeUrl, removed)];
    state.nonce = nonce;
    state.unanswered = [...state.unanswered, { nonce, all, latest: resources }].slice(-MAX_UNANSWERED);
    const versionInfo = hash('sha256', all.map((each) => `${each.name} ${each.version}`).join('\n'), 'base64url');
    return { typeUrl, nonce, versionInfo: versionInfo.slice(0, 22), resources: all };
  }

  /** The answer to one response is the answer to those before it. */
  #answer(typeUrl: string, state: Followed, nonce: string, error: string | undefined): DeltaRequest['refusal'] {
    const { whole } = state;
    const upTo = state.unanswered.findIndex((each) => each.nonce === nonce) + 1;
    const answered = state.unanswered.slice(0, upTo);
    state.unanswered = state.unanswered.slice(upTo);
    const latest = [...new Map(answered.flatMap((each) => each.latest).map((each) => [each.name, each])).values()];
    if (error === undefined) {
      whole?.answer(latest, []);
      return undefined;
    }
    const all = answered.at(-1)?.all ?? [];
    const latestNames = latest.map(({ name }) => name);
    const allNames = all.map(({ name }) => name);
    let resources = refusedResources(typeUrl, error, allNames);
    // What is known to be refused was in it: that says nothing about the rest.
    if (resources === undefined && whole?.fresh === true && all.some((each) => whole.refuses(each)))
      return { message: error, resources: [], unjudged: latestNames };
    // What was taken before is not what is refused now.
    resources ??= refusedResources(typeUrl, error, latestNames);
    // Nothing can be tried by itself where all that the proxy has must be named each time.
    if (resources === undefined && whole?.fresh === false)
      resources = latestNames.map((resource) => ({ resource, field: '', message: error }));
    whole?.answer(latest, resources);
    return { message: error, ...(resources === undefined ? {} : { resources }) };
  }
}

/**
 * Nothing in this protocol says that a resource does not exist, and an Envoy waits for the endpoints of a cluster until it
 * has them: it is told that there are none.
 */
function withoutEndpoints(typeUrl: string, names: readonly string[]): VersionedResource[] {
  if (typeUrl !== TypeUrl.endpoint) return [];
  return names.map((clusterName) => {
    const resource = { clusterName };
    return { name: clusterName, version: '', resource, json: JSON.stringify(resource) };
  });
}

/** All resources of one type that a proxy is to have, and the last version it took of those it refuses. */
class WholeSet {
  /** The proxy began with nothing, so that leaving something out takes nothing from it. */
  readonly fresh: boolean;
  readonly #wanted = new Map<string, VersionedResource>();
  readonly #taken = new Map<string, VersionedResource>();
  readonly #refused = new Set<string>();

  constructor(fresh: boolean) {
    this.fresh = fresh;
  }

  change(resources: readonly VersionedResource[], removed: readonly string[]): void {
    for (const resource of resources) {
      this.#wanted.set(resource.name, resource);
      this.#refused.delete(resource.name);
    }
    for (const name of removed) this.#forget(name);
  }

  /**
   * Of a refused resource the last good version, so that the rest is not refused with it. A proxy that came with resources
   * may have a good version that only an earlier process knew: it is kept by naming it again, although it is refused again.
   */
  toSend(): VersionedResource[] {
    const all: VersionedResource[] = [];
    for (const [name, wanted] of this.#wanted) {
      const resource = this.#refused.has(name) ? (this.#taken.get(name) ?? (this.fresh ? undefined : wanted)) : wanted;
      if (resource !== undefined) all.push(resource);
    }
    return all;
  }

  /** Whether this version of it was refused, and never taken. */
  refuses({ name, version }: VersionedResource): boolean {
    const taken = this.#taken.get(name)?.version === version;
    return !taken && this.#refused.has(name) && this.#wanted.get(name)?.version === version;
  }

  /** `refused`: undefined when all that was new may be meant. */
  answer(pending: readonly VersionedResource[], refused: readonly RefusedResource[] | undefined): void {
    const names = refused === undefined ? undefined : new Set(refused.map((each) => each.resource));
    for (const resource of pending) {
      if (names === undefined || names.has(resource.name)) this.#refused.add(resource.name);
      else this.#taken.set(resource.name, resource);
    }
  }

  keep(names: ReadonlySet<string>): void {
    for (const name of this.#wanted.keys()) if (!names.has(name)) this.#forget(name);
  }

  #forget(name: string): void {
    this.#wanted.delete(name);
    this.#taken.delete(name);
    this.#refused.delete(name);
  }
}
