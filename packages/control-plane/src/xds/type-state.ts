import type { VersionedResource } from './resource.ts';
import type { Refusal, SyncState } from './types.ts';

/** Version recorded for a name the proxy was told does not exist. */
const ABSENT = '';

/**
 * Looks up what a name should be now. `keep`: whatever the proxy has is right. What it answers changes only when somebody
 * says so (`TypeState.lookAgain`).
 */
export interface Desired {
  /** All names that a wildcard covers. */
  names(): Iterable<string>;
  get(name: string, have: string | undefined): VersionedResource | 'keep' | undefined;
  /** All names of which `get` may answer otherwise than `before` did. Undefined, or absent: any. */
  since?(before: Desired): readonly string[] | undefined;
}

export interface Difference {
  readonly upserts: readonly VersionedResource[];
  /** Names asked for that do not exist: said at once, for the proxy waits for an answer. */
  readonly absent: readonly string[];
  /** Names that the proxy has and should not have any more. */
  readonly removed: readonly string[];
}

/** What one proxy was sent of one type, and what it answered. */
export interface TypeSync {
  readonly typeUrl: string;
  readonly state: SyncState;
  /** Nonce of the last response; empty before the first. */
  readonly sent: string;
  /** Nonce of the last response that the proxy took whole; empty before the first. */
  readonly acked: string;
  /** Name → version last sent; empty: the proxy was told that there is no such resource. */
  readonly versions: ReadonlyMap<string, string>;
  /** Names in a response that the proxy has not answered yet. */
  readonly pending: readonly string[];
}

/** So many responses are told apart when the proxy takes too long over each; the oldest count as one. */
const MAX_OUTSTANDING = 4;

/** So many more responses may be spent on finding out which resources of one are refused. */
const SEARCH_BUDGET = 64;

/** A response under way. */
interface Outstanding {
  readonly nonce: string;
  readonly resources: readonly VersionedResource[];
}

const NOTHING: Difference = { upserts: [], absent: [], removed: [] };

/**
 * What one proxy follows of one type and what it was last sent. One response is under way at a time, unless its answer is
 * overdue: whatever changes meanwhile is merged into the next, so a slow proxy costs no memory and skips what is out of
 * date.
 */
export class TypeState {
  readonly typeUrl: string;
  #wildcard = false;
  readonly #names = new Set<string>();
  readonly #sent = new Map<string, string>();
  readonly #refused = new Map<string, Refusal>();
  #outstanding: Outstanding[] = [];
  #overdue = false;
  /** Parts of responses that were refused without a word about which resource is meant: each is tried by itself. */
  #doubtful: (readonly VersionedResource[])[] = [];
  #budget = SEARCH_BUDGET;
  #sentNonce = '';
  #ackedNonce = '';
  /** A first wildcard request is answered even when there is nothing to send. */
  #owesAnswer = false;
  /** What the proxy was last known to have all of: only what differs from it has to be compared. */
  #settled: Desired | undefined;
  /** Names about which something else has changed since. */
  readonly #touched = new Set<string>();

  constructor(typeUrl: string) {
    this.typeUrl = typeUrl;
  }

  get subscribed(): boolean {
    return this.#wildcard || this.#names.size > 0;
  }
  get outstanding(): boolean {
    return this.#outstanding.length > 0;
  }
  /** The answer to a response is waited for before there is another. */
  get blocked(): boolean {
    return this.outstanding && !this.#overdue;
  }
  get owesAnswer(): boolean {
    return this.#owesAnswer;
  }
  get refusals(): Iterable<Refusal> {
    return this.#refused.values();
  }

  describe(state: SyncState): TypeSync {
    const { typeUrl } = this;
    const pending = newest(this.#outstanding).map(({ name }) => name);
    return { typeUrl, state, sent: this.#sentNonce, acked: this.#ackedNonce, versions: this.#sent, pending };
  }

  follows(name: string): boolean {
    return this.#wildcard || this.#names.has(name);
  }

  /** The answer to what is under way is no longer waited for. */
  giveUpWaiting(): void {
    this.#overdue = true;
  }

  /** The proxy waits for it anew, changed or not. */
  sendAgain(name: string): void {
    this.#touch(name);
    this.#sent.delete(name);
  }

  /** Something that `Desired` looks up may have been replaced. */
  lookAgain(): void {
    this.#settled = undefined;
  }

  #touch(name: string): void {
    if (name === '*') this.#settled = undefined;
    else if (this.#settled !== undefined) this.#touched.add(name);
  }

  subscribe(names: readonly string[], initial: Readonly<Record<string, string>>): void {
    for (const name of [...names, ...Object.keys(initial)]) this.#touch(name);
    for (const name of names) {
      if (name === '*') {
        this.#wildcard = true;
        this.#owesAnswer = Object.keys(initial).length === 0;
      } else {
        this.#names.add(name);
        // Asking again for a name means wanting it again.
        this.#sent.delete(name);
      }
    }
    for (const [name, version] of Object.entries(initial)) {
      if (this.follows(name)) this.#sent.set(name, version);
    }
  }

  unsubscribe(names: readonly string[]): void {
    for (const name of names) {
      this.#touch(name);
      if (name === '*') this.#wildcard = false;
      else this.#names.delete(name);
    }
    for (const name of [...this.#sent.keys(), ...this.#refused.keys()]) {
      if (this.follows(name)) continue;
      this.#sent.delete(name);
      this.#refused.delete(name);
    }
  }

  difference(desired: Desired): Difference {
    const doubtful = this.#nextDoubtful(desired);
    if (doubtful !== undefined) return { upserts: doubtful, absent: [], removed: [] };
    if (desired === this.#settled && this.#touched.size === 0) return NOTHING;
    const upserts: VersionedResource[] = [];
    const absent: string[] = [];
    const removed: string[] = [];
    for (const name of this.#toCompare(desired)) {
      if (!this.follows(name)) continue;
      const have = this.#sent.get(name);
      const want = desired.get(name, have === ABSENT ? undefined : have);
      if (want === 'keep') continue;
      if (want !== undefined) {
        if (want.version !== have) upserts.push(want);
      } else if (have === undefined) {
        if (this.#names.has(name)) absent.push(name);
      } else if (have !== ABSENT) removed.push(name);
    }
    if (upserts.length > 0 || absent.length > 0 || removed.length > 0) return { upserts, absent, removed };
    this.#settled = desired;
    this.#touched.clear();
    return NOTHING;
  }

  /** Names of which the proxy may not have what it should. */
  #toCompare(desired: Desired): Iterable<string> {
    const settled = this.#settled;
    const changed = settled === undefined ? undefined : desired === settled ? [] : desired.since?.(settled);
    if (changed !== undefined) return this.#touched.size === 0 ? changed : new Set([...changed, ...this.#touched]);
    return this.#wildcard ? new Set([...desired.names(), ...this.#sent.keys(), ...this.#names]) : this.#names;
  }

  /** What was refused and may not have been meant, as far as it is still wanted. */
  #nextDoubtful(desired: Desired): readonly VersionedResource[] | undefined {
    const wanted = ({ name, version }: VersionedResource): boolean => {
      if (!this.follows(name)) return false;
      const want = desired.get(name, version);
      return want !== undefined && want !== 'keep' && want.version === version;
    };
    while (this.#doubtful.length > 0) {
      const group = this.#doubtful[0]!.filter(wanted);
      if (group.length > 0) return group;
      this.#doubtful.shift();
    }
    return undefined;
  }

  /** True when halves of what was refused are to be tried first. */
  #split(refused: readonly VersionedResource[], message: string): boolean {
    if (refused.length < 2) return false;
    if (this.#budget > 0) {
      this.#budget -= 2;
      const middle = refused.length >> 1;
      this.#doubtful.unshift(refused.slice(0, middle), refused.slice(middle));
      return true;
    }
    for (const { name, version } of this.#doubtful.splice(0).flat()) {
      this.#refused.set(name, { resource: name, field: '', message, typeUrl: this.typeUrl, version });
    }
    return false;
  }

  /** Remembers a response as sent. Returns the resources of which the proxy had another version. */
  send(
    nonce: string,
    resources: readonly VersionedResource[],
    removed: readonly string[],
  ): readonly VersionedResource[] {
    if (this.#doubtful.length === 0) this.#budget = SEARCH_BUDGET;
    else if (resources.length > 0) this.#doubtful.shift();
    const replaced: VersionedResource[] = [];
    for (const resource of resources) {
      this.#touch(resource.name);
      const had = this.#sent.get(resource.name);
      if (had !== undefined && had !== ABSENT) replaced.push(resource);
      this.#sent.set(resource.name, resource.version);
    }
    for (const name of removed) {
      this.#touch(name);
      if (this.#names.has(name)) this.#sent.set(name, ABSENT);
      else this.#sent.delete(name);
      this.#refused.delete(name);
    }
    this.#owesAnswer = false;
    this.#sentNonce = nonce;
    this.#outstanding.push({ nonce, resources });
    if (this.#outstanding.length > MAX_OUTSTANDING) {
      const [first, second] = this.#outstanding.splice(0, 2);
      this.#outstanding.unshift({ nonce: second!.nonce, resources: newest([first!, second!]) });
    }
    this.#overdue = false;
    return replaced;
  }

  /**
   * The resources that the proxy took, or undefined when the nonce is not that of a response under way. The answer to one
   * is the answer to those before it. What was `unjudged` is sent again.
   */
  acknowledge(
    nonce: string,
    refusals: ReadonlyMap<string, Refusal> | 'all',
    message: string,
    unjudged: readonly string[] = [],
  ): readonly VersionedResource[] | undefined {
    const index = this.#outstanding.findIndex((each) => each.nonce === nonce);
    if (index < 0) return undefined;
    const responses = this.#outstanding.splice(0, index + 1);
    if (refusals !== 'all' && refusals.size === 0 && message === '') this.#ackedNonce = nonce;
    const answered = newest(responses);
    if (refusals === 'all' && this.#split(answered, message)) return [];
    const taken: VersionedResource[] = [];
    for (const resource of answered) {
      const { name, version } = resource;
      if (unjudged.includes(name)) {
        this.sendAgain(name);
        continue;
      }
      const refusal =
        refusals === 'all'
          ? { resource: name, field: '', message, typeUrl: this.typeUrl, version }
          : refusals.get(name);
      if (refusal === undefined) {
        this.#refused.delete(name);
        taken.push(resource);
      } else if (this.follows(name)) this.#refused.set(name, { ...refusal, version });
    }
    return taken;
  }
}

/** Of each resource the version last sent. */
function newest(responses: readonly Outstanding[]): readonly VersionedResource[] {
  if (responses.length === 1) return responses[0]!.resources;
  const byName = new Map<string, VersionedResource>();
  for (const { resources } of responses) for (const resource of resources) byName.set(resource.name, resource);
  return [...byName.values()];
}
