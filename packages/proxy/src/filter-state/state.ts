import type { JsonObject, JsonValue } from '@mizzen/xds';
import type { ConnectionInfo } from '../types.ts';

/** What stands under a key of the filter state. Text is as on the wire: one character a byte. */
export interface FilterStateObject {
  /** What was given, for whoever knows the key. */
  readonly value: string;
  /** As text; undefined: it has none, and matches nothing. */
  readonly text: string | undefined;
  /** In its type; undefined: it has none. */
  readonly json: JsonValue | undefined;
  /** Parts that go by a name of their own. */
  readonly fields?: Readonly<Record<string, string | number>>;
  /** What it is made of, where it is an object itself. */
  readonly struct?: JsonObject;
  /** It is a text, for those who want no other kind. */
  readonly isString?: boolean;
  /** What it is hashed by; undefined: it cannot be hashed. */
  readonly hashed?: string;
  /** The address it is. */
  readonly address?: string;
}

/** How far an object goes with what is sent upstream to a listener of this proxy: not, to that one, or on from there. */
export type Sharing = 'NONE' | 'ONCE' | 'TRANSITIVE';

interface Entry {
  readonly key: string;
  object: FilterStateObject;
  sharing: Sharing;
  readonly next: Entry | undefined;
}

/** Objects that filters leave for each other, of a connection or of a request. */
export class FilterState {
  /** A list, the newest first: there are few, and a request's are made and dropped with it. */
  #first: Entry | undefined;
  #size = 0;
  /** Of the connection, for that of a request. */
  readonly #outer: FilterState | undefined;

  constructor(outer?: FilterState) {
    this.#outer = outer;
  }

  get(key: string): FilterStateObject | undefined {
    return this.#find(key)?.object;
  }

  #find(key: string): Entry | undefined {
    let entry = this.#first;
    while (entry !== undefined && entry.key !== key) entry = entry.next;
    return entry;
  }

  /** What the connection has, its requests do not set. */
  set(key: string, object: FilterStateObject, sharing: Sharing): void {
    if (this.#outer?.get(key) !== undefined) return;
    const entry = this.#find(key);
    if (entry === undefined) {
      this.#first = { key, object, sharing, next: this.#first };
      this.#size++;
    } else {
      entry.object = object;
      entry.sharing = sharing;
    }
  }

  /** Puts what goes on into the state of a connection to a listener of this proxy. */
  shareInto(other: FilterState): void {
    for (let entry = this.#first; entry !== undefined; entry = entry.next) {
      const { key, object, sharing } = entry;
      if (sharing !== 'NONE') other.set(key, object, sharing === 'ONCE' ? 'NONE' : sharing);
    }
  }

  get size(): number {
    return this.#size;
  }
}

/** Where filter state is looked up: a request's own, then its connection's. */
export interface HasFilterState {
  readonly connection: ConnectionInfo;
  readonly filterState?: FilterState | undefined;
}

export function filterStateOf(info: HasFilterState, key: string): FilterStateObject | undefined {
  return info.filterState?.get(key) ?? info.connection.filterState?.get(key);
}

/** What a connection to a listener of this proxy begins with; undefined: nothing. */
export function sharedState({ filterState, connection }: HasFilterState): FilterState | undefined {
  if (filterState === undefined && connection.filterState === undefined) return undefined;
  const shared = new FilterState();
  filterState?.shareInto(shared);
  connection.filterState?.shareInto(shared);
  return shared.size === 0 ? undefined : shared;
}
