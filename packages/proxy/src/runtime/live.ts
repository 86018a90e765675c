import type { types } from '@mizzen/xds';
import { DENOMINATORS, fraction } from '../program/values.ts';
import type { Entry } from './entry.ts';
import type { Runtime } from './runtime.ts';

/** A value that a runtime key may set. Reading it costs a comparison. */
export interface Live<T> {
  readonly value: T;
}

class Keyed<T> implements Live<T> {
  readonly #runtime: Runtime;
  readonly #read: (runtime: Runtime) => T;
  #version = 0;
  #value: T | undefined;

  constructor(runtime: Runtime, read: (runtime: Runtime) => T) {
    this.#runtime = runtime;
    this.#read = read;
  }

  get value(): T {
    if (this.#version !== this.#runtime.version) {
      this.#version = this.#runtime.version;
      this.#value = this.#read(this.#runtime);
    }
    return this.#value as T;
  }
}

/** Read again whenever a value of the runtime has changed; where there is no runtime, `fixed`. */
export function live<T>(runtime: Runtime | undefined, fixed: T, read: (runtime: Runtime) => T): Live<T> {
  return runtime === undefined ? { value: fixed } : new Keyed(runtime, read);
}

function keyed<T>(
  runtime: Runtime | undefined,
  key: string | undefined,
  fallback: T,
  read: (entry: Entry) => T | undefined,
): Live<T> {
  if (key === undefined || key === '') return { value: fallback };
  return live(runtime, fallback, (from) => {
    const entry = from.get(key);
    return entry === undefined ? fallback : (read(entry) ?? fallback);
  });
}

/** A chance in [0, 1]; a whole number in the runtime is a percentage. */
export function liveChance(runtime: Runtime | undefined, key: string | undefined, fallback: number): Live<number> {
  return keyed(runtime, key, fallback, (entry) => entry.fraction ?? percentage(entry.integer));
}

/** What `fraction` may be asked for of a RuntimeFractionalPercent. */
export function liveFraction(
  runtime: Runtime | undefined,
  config: types.core.RuntimeFractionalPercent | undefined,
  fallback: number,
): Live<number> {
  return liveChance(runtime, config?.runtimeKey, config === undefined ? fallback : fraction(config.defaultValue, 0));
}

/** So many of so many parts, for whoever chooses by a hash and not by chance. */
export interface Share {
  readonly count: number;
  readonly parts: number;
}

/** What a RuntimeFractionalPercent says; a whole number in the runtime is a percentage. */
export function liveShare(runtime: Runtime | undefined, config: types.core.RuntimeFractionalPercent): Live<Share> {
  const { numerator = 0, denominator = 'HUNDRED' } = config.defaultValue ?? {};
  const own: Share = { count: numerator, parts: DENOMINATORS[denominator] };
  return keyed(runtime, config.runtimeKey, own, ({ fraction: found, parts = 1, integer }) => {
    if (found !== undefined) return { count: Math.round(found * parts), parts };
    return integer === undefined ? undefined : { count: integer, parts: 100 };
  });
}

/** A chance whose key takes whole percentages alone. */
export function livePercentage(runtime: Runtime | undefined, key: string | undefined, fallback: number): Live<number> {
  return keyed(runtime, key, fallback, (entry) => percentage(entry.integer));
}

export function liveInteger(runtime: Runtime | undefined, key: string | undefined, fallback: number): Live<number> {
  return keyed(runtime, key, fallback, (entry) => entry.integer);
}

export function liveNumber(runtime: Runtime | undefined, key: string | undefined, fallback: number): Live<number> {
  return keyed(runtime, key, fallback, (entry) => entry.number);
}

export function liveFlag(runtime: Runtime | undefined, key: string | undefined, fallback: boolean): Live<boolean> {
  return keyed(runtime, key, fallback, (entry) => entry.flag);
}

function percentage(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Math.min(1, value / 100);
}

/** The object with fields that runtime keys may set; it is itself where there is no runtime. */
export function withLive<T extends object>(
  runtime: Runtime | undefined,
  program: T,
  fields: (runtime: Runtime) => { readonly [K in keyof T]?: Live<T[K]> },
): T {
  if (runtime === undefined) return program;
  const copy = { ...program };
  for (const [name, value] of Object.entries(fields(runtime)) as [string, Live<unknown>][])
    Object.defineProperty(copy, name, { get: () => value.value, enumerable: true });
  return copy;
}
