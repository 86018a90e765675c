import type { Clock } from '../deps.ts';
import type { Nack } from '../types.ts';
import type { ControlPlaneStats, XdsResource } from './source.ts';

/** What is remembered of a resource beside what it became. */
export interface ResourceRecord {
  /** Version in force; empty when there is none yet. */
  version: string;
  /** It is part of the bootstrap. */
  static: boolean;
  /** When it came into force, milliseconds since the epoch. */
  updated: number;
  /** The last version, if it was refused. */
  refused?: { readonly version: string; readonly details: string; readonly at: number; readonly resource: unknown };
}

/** What Envoy counts of one subscription: of all resources of a type, or of one by name. */
export interface UpdateCounts {
  update_attempt: number;
  update_success: number;
  update_failure: number;
  update_rejected: number;
  init_fetch_timeout: number;
}

/** How one subscription goes. */
export interface SubscriptionRecord {
  readonly counts: UpdateCounts;
  /** Answers that had nothing in them. */
  empty: number;
  /** How often what its files became could not be used. */
  rotationsFailed: number;
  /** How often what is in force became another. */
  reloads: number;
  /** How often what was taken, from the server or from its files, was another than what had come before it, be that refused. */
  others: number;
  refusedLast: boolean;
  /** Of the last answer that was taken, and when that was, milliseconds since the epoch. */
  version: string;
  updated: number;
  /** When what is in force became what it is. */
  reloaded: number;
  /** Of route configurations: the stat prefix of the connection manager that was the first to follow it. */
  countedFor?: string;
  /** Of the stream it comes over, where that is not the one of all resources. */
  controlPlane?: ControlPlaneStats;
}

/** Versions, times and refusals of all resources of a proxy, for whoever looks. */
export class ResourceRecords {
  readonly #clock: Clock;
  readonly #records = new Map<string, ResourceRecord>();
  readonly #subscriptions = new Map<string, SubscriptionRecord>();
  readonly #versions = new Map<string, string>();
  readonly #byResource = new WeakMap<object, ResourceRecord>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get(kind: string, name: string): ResourceRecord | undefined {
    return this.#records.get(`${kind} ${name}`);
  }

  /** All of a kind, by name. */
  *all(kind: string): Iterable<readonly [string, ResourceRecord]> {
    const prefix = `${kind} `;
    for (const [key, record] of this.#records) if (key.startsWith(prefix)) yield [key.slice(prefix.length), record];
  }

  /** By name, or `*` for all there are. */
  subscription(kind: string, name: string): SubscriptionRecord {
    const key = `${kind} ${name}`;
    let record = this.#subscriptions.get(key);
    if (record === undefined) {
      const counts = {
        update_attempt: 0,
        update_success: 0,
        update_failure: 0,
        update_rejected: 0,
        init_fetch_timeout: 0,
      };
      record = {
        counts,
        empty: 0,
        rotationsFailed: 0,
        reloads: 0,
        others: 0,
        refusedLast: false,
        version: '',
        updated: 0,
        reloaded: 0,
      };
      this.#subscriptions.set(key, record);
    }
    return record;
  }

  /** What is remembered of this very version of a resource, be it in force or not. */
  of(resource: unknown): ResourceRecord | undefined {
    return this.#byResource.get(resource as object);
  }

  /** Of a kind, by name. */
  *subscriptions(kind: string): Iterable<readonly [string, SubscriptionRecord]> {
    const prefix = `${kind} `;
    for (const [key, record] of this.#subscriptions)
      if (key.startsWith(prefix)) yield [key.slice(prefix.length), record];
  }

  /** Of the last answer that changed something, of a kind of which all there are is followed. */
  version(kind: string): string {
    return this.#versions.get(kind) ?? '';
  }

  /** Of a kind, those with these names stay. */
  keepSubscriptions(kind: string, names: ReadonlySet<string>): void {
    const prefix = `${kind} `;
    for (const key of this.#subscriptions.keys())
      if (key.startsWith(prefix) && !names.has(key.slice(prefix.length))) this.#subscriptions.delete(key);
  }

  asked(kind: string, name: string): void {
    this.subscription(kind, name).counts.update_attempt++;
  }

  /** An answer was taken: `reloads` says whether anything became another by it. */
  succeeded(kind: string, name: string, version: string, reloads: boolean): void {
    const record = this.subscription(kind, name);
    record.counts.update_attempt++;
    record.counts.update_success++;
    record.version = version;
    record.updated = this.#clock.wall();
    if (reloads || record.refusedLast) record.others++;
    record.refusedLast = false;
    if (!reloads) return;
    record.reloads++;
    record.reloaded = record.updated;
  }

  /** An answer changed what is in force. */
  applied(kind: string, version: string): void {
    this.#versions.set(kind, version);
  }

  unsuccessful(kind: string, name: string, how: 'update_failure' | 'update_rejected' | 'init_fetch_timeout'): void {
    const record = this.subscription(kind, name);
    record.counts.update_attempt++;
    record.counts[how]++;
    record.refusedLast ||= how === 'update_rejected';
  }

  accepted(kind: string, { name, version, resource, static: own = false }: XdsResource): void {
    const record = { version: own ? '' : version, static: own, updated: this.#clock.wall() };
    this.#records.set(`${kind} ${name}`, record);
    if (typeof resource === 'object' && resource !== null) this.#byResource.set(resource, record);
  }

  refused(kind: string, { name, version, resource }: XdsResource, nacks: readonly Nack[]): void {
    const details = nacks.map(({ field, message }) => (field === '' ? message : `${field}: ${message}`)).join('; ');
    const key = `${kind} ${name}`;
    let record = this.#records.get(key);
    if (record === undefined) this.#records.set(key, (record = { version: '', static: false, updated: 0 }));
    record.refused = { version, details, at: this.#clock.wall(), resource };
  }

  forget(kind: string, name: string): void {
    this.#records.delete(`${kind} ${name}`);
  }
}
