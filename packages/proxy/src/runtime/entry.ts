import { load } from 'js-yaml';
import type { JsonValue } from '@mizzen/xds';

/** One value of a runtime layer, in every form it has. */
export interface Entry {
  /** As `/runtime` shows it. */
  readonly raw: string;
  readonly number: number | undefined;
  /** The number as a whole one; absent where it is negative or too big. */
  readonly integer: number | undefined;
  readonly flag: boolean | undefined;
  /** A chance in [0, 1] that was written as a FractionalPercent. */
  readonly fraction: number | undefined;
  /** Of how many parts that is so many. */
  readonly parts?: number | undefined;
}

export type Entries = ReadonlyMap<string, Entry>;

/** A layer that Envoy would not load. */
export class LayerError extends Error {
  readonly code = 'BAD_RUNTIME_LAYER';
}

/**
 * Entries of a layer that is a structure: `{a: {b: 1}}` is `a.b`. What looks like a FractionalPercent is one value.
 * @throws LayerError
 */
export function entriesOf(layer: JsonValue | undefined, prefix = ''): Map<string, Entry> {
  const entries = new Map<string, Entry>();
  walk(layer, prefix, entries);
  return entries;
}

function walk(value: JsonValue | undefined, name: string, into: Map<string, Entry>): void {
  if (
    isStruct(value) &&
    !('numerator' in value || 'denominator' in value) &&
    (name === '' || Object.keys(value).length > 0)
  ) {
    for (const [key, item] of Object.entries(value)) walk(item, name === '' ? key : `${name}.${key}`, into);
    return;
  }
  if (value === null || value === undefined || Array.isArray(value))
    throw new LayerError(`\`${name}\` must be a number, a string, true or false, or a structure`);
  into.set(name, entryOf(value));
}

/** An entry that somebody wrote as text: a file of a disk layer, or a value given to `/runtime_modify`. */
export function entryOfText(text: string): Entry {
  let value: unknown;
  try {
    value = load(text);
  } catch {
    value = text;
  }
  return { ...entryOf(isScalar(value) || isStruct(value) ? value : text), raw: text };
}

function entryOf(value: JsonValue): Entry {
  const entry = { raw: '', number: undefined, integer: undefined, flag: undefined, fraction: undefined };
  switch (typeof value) {
    case 'number':
      return { ...entry, raw: shortNumber(value), ...numbers(value) };
    case 'boolean':
      return { ...entry, raw: String(value), flag: value };
    case 'string': {
      const number = value.trim() === '' ? Number.NaN : Number(value);
      return Number.isNaN(number) ? { ...entry, raw: value } : { ...entry, raw: value, ...numbers(number) };
    }
    default:
      return { ...entry, raw: JSON.stringify(value), ...fractionOf(value) };
  }
}

function numbers(number: number): Pick<Entry, 'number' | 'integer' | 'flag'> {
  return { number, integer: number >= 0 && number < 2 ** 64 ? Math.trunc(number) : undefined, flag: number !== 0 };
}

const DENOMINATORS: Readonly<Record<string, number>> = {
  HUNDRED: 100,
  TEN_THOUSAND: 10_000,
  MILLION: 1_000_000,
  0: 100,
  1: 10_000,
  2: 1_000_000,
};

/** Undefined: other fields are in it, or fields of other types. */
function fractionOf(value: JsonValue): Pick<Entry, 'fraction' | 'parts'> | undefined {
  if (!isStruct(value)) return undefined;
  const { numerator = 0, denominator = 'HUNDRED', ...others } = value;
  const parts =
    typeof denominator === 'string' || typeof denominator === 'number' ? DENOMINATORS[denominator] : undefined;
  const count = typeof numerator === 'string' ? Number(numerator) : numerator;
  if (typeof count !== 'number' || !Number.isInteger(count) || count < 0) return undefined;
  if (parts === undefined || Object.keys(others).length > 0) return undefined;
  return { fraction: Math.min(1, count / parts), parts };
}

/** Six digits, as C++ prints a double. */
function shortNumber(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return String(value);
  const [digits = '', exponent] = value.toExponential(5).split('e');
  const power = Number(exponent);
  if (power >= -4 && power < 6) return String(Number(value.toPrecision(6)));
  const size = String(Math.abs(power)).padStart(2, '0');
  return `${digits.replace(/\.?0+$/, '')}e${power < 0 ? '-' : '+'}${size}`;
}

function isScalar(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

function isStruct(value: unknown): value is { readonly [key: string]: JsonValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
