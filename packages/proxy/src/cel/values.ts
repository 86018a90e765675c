import type { JsonValue } from '@mizzen/xds';

/**
 * Values: null, booleans and lists are what they are here; numbers with a fraction are numbers, signed whole ones bigints.
 * Text is as on the wire, one character a byte.
 */
export type Value =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint
  | Bytes
  | Duration
  | Timestamp
  | Failure
  | TypeName
  | CelMap
  | readonly Value[];

export const MIN_INT = -0x8000000000000000n;
export const MAX_INT = 0x7fffffffffffffffn;

export class Uint {
  readonly value: bigint;
  constructor(value: bigint) {
    this.value = value;
  }
}
export class Bytes {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}
export class Duration {
  readonly nanos: bigint;
  constructor(nanos: bigint) {
    this.nanos = nanos;
  }
}
export class Timestamp {
  /** Since the epoch. */
  readonly nanos: bigint;
  constructor(nanos: bigint) {
    this.nanos = nanos;
  }
}
export class TypeName {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** What an expression comes to that has no value; it goes through everything but what does not need it. */
export class Failure {
  readonly reason: string;
  constructor(reason: string) {
    this.reason = reason;
  }
}
export const NO_OVERLOAD = new Failure('there is no such operation on values of these types');
export const NO_KEY = new Failure('there is no such key');
export const NOT_CONVERTED = new Failure('cannot be converted');
export const UNKNOWN = new Failure('there is no such attribute');

/** A map, or a message with its fields: what is not there is undefined. */
export abstract class CelMap {
  abstract get(key: Value): Value | undefined;
  abstract readonly size: number;
  /** How a message is printed; undefined: it is a map. */
  readonly print: (() => string) | undefined = undefined;
  /** The whole of it, of what was JSON before. */
  readonly json: (() => JsonValue) | undefined = undefined;
}

/** Keys are texts, booleans and whole numbers: one as an `int` is another key than as a `uint`, and found by either. */
export class LiteralMap extends CelMap {
  readonly #entries: ReadonlyMap<unknown, Value>;
  readonly #uints: ReadonlyMap<bigint, Value>;
  constructor(entries: ReadonlyMap<unknown, Value>, uints: ReadonlyMap<bigint, Value> = NO_UINTS) {
    super();
    this.#entries = entries;
    this.#uints = uints;
  }
  get(key: Value): Value | undefined {
    const whole = keyOf(key);
    if (typeof whole !== 'bigint') return this.#entries.get(whole);
    const [first, second]: readonly [ReadonlyMap<unknown, Value>, ReadonlyMap<unknown, Value>] =
      key instanceof Uint ? [this.#uints, this.#entries] : [this.#entries, this.#uints];
    return first.has(whole) ? first.get(whole) : second.get(whole);
  }
  get size(): number {
    return this.#entries.size + this.#uints.size;
  }
  *entries(): Generator<readonly [Value, Value]> {
    for (const [key, value] of this.#entries) yield [key as Value, value];
    for (const [key, value] of this.#uints) yield [new Uint(key), value];
  }
}

const NO_UINTS: ReadonlyMap<bigint, Value> = new Map();

/** Whole numbers are the same key whatever their type. */
export function keyOf(key: Value): unknown {
  if (key instanceof Uint) return key.value;
  if (typeof key === 'number' && Number.isInteger(key)) return BigInt(key);
  return key;
}

/** One of named values, by text. */
export class NamedValues extends CelMap {
  readonly #get: (name: string) => Value | undefined;
  readonly #size: () => number;
  override readonly json: (() => JsonValue) | undefined;
  constructor(get: (name: string) => Value | undefined, size: () => number, json?: () => JsonValue) {
    super();
    this.#get = get;
    this.#size = size;
    this.json = json;
  }
  get(key: Value): Value | undefined {
    return typeof key === 'string' ? this.#get(key) : undefined;
  }
  get size(): number {
    return this.#size();
  }
}
