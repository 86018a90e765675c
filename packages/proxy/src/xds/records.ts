import type { Clock } from '../deps.ts';
import type { Nack } from '../types.ts';
import type { XdsResource } from './source.ts';

/** What is remembered of a resource beside what it became. */
export interface ResourceRecord {
  /** Version in force; empty when there is none yet. */
  version: string;
  /** It is part of the bootstrap. */
  static: boolean;
  /** When it came into force, milliseconds since the epoch. */
  updated: number;
  /** How many versions came into force, and how many were refused. */
  accepted: number;
  rejected: number;
  /** How often nothing was heard of it in time. */
  late: number;
  /** The last version, if it was refused. */
  refused?: { readonly version: string; readonly details: string; readonly at: number; readonly resource: unknown };
}

/** How updates of one type went. */
export interface UpdateCounts {
  update_attempt: number;
  update_success: number;
  update_rejected: number;
}

/** Versions, times and refusals of all resources of a proxy, for whoever looks. */
export class ResourceRecords {
  readonly #clock: Clock;
  readonly #records = new Map<string, ResourceRecord>();
  readonly #counts = new Map<string, UpdateCounts>();
  readonly #versions = new Map<string, string>();

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

  counts(kind: string): UpdateCounts {
    let counts = this.#counts.get(kind);
    if (counts === undefined)
      this.#counts.set(kind, (counts = { update_attempt: 0, update_success: 0, update_rejected: 0 }));
    return counts;
  }

  /** Of the last update of a type that was not from the bootstrap. */
  version(kind: string): string {
    return this.#versions.get(kind) ?? '';
  }

  accepted(kind: string, { name, version, static: own = false }: XdsResource): void {
    if (!own) this.#versions.set(kind, version);
    const { accepted = 0, rejected = 0, late = 0 } = this.get(kind, name) ?? {};
    this.#records.set(`${kind} ${name}`, {
      version: own ? '' : version,
      static: own,
      updated: this.#clock.wall(),
      accepted: accepted + 1,
      rejected,
      late,
    });
  }

  refused(kind: string, { name, version, resource }: XdsResource, nacks: readonly Nack[]): void {
    const details = nacks.map(({ field, message }) => (field === '' ? message : `${field}: ${message}`)).join('; ');
    const record = this.#record(kind, name);
    record.rejected++;
    record.refused = { version, details, at: this.#clock.wall(), resource };
  }

  /** Nothing was heard of it in time. */
  late(kind: string, name: string): void {
    this.#record(kind, name).late++;
  }

  #record(kind: string, name: string): ResourceRecord {
    const key = `${kind} ${name}`;
    let record = this.#records.get(key);
    if (record === undefined)
      this.#records.set(key, (record = { version: '', static: false, updated: 0, accepted: 0, rejected: 0, late: 0 }));
    return record;
  }

  forget(kind: string, name: string): void {
    this.#records.delete(`${kind} ${name}`);
  }
}
