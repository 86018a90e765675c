import type { JsonValue } from '@mizzen/xds';
import { readYaml } from '../program/yaml.ts';

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

/**
 * An entry that somebody wrote as text: a file of a disk layer, or a value given to `/runtime_modify`.
 * @throws LayerError when it is no YAML
 */
export function entryOfText(text: string): Entry {
  let value: unknown;
  try {
    value = NOTHING.test(text) ? null : readYaml(text);
  } catch (error) {
    throw new LayerError(error instanceof Error ? error.message : String(error), { cause: error });
  }
  // What YAML takes for text is a number if all of it, quotes included, is one.
  const plain = typeof value === 'string' || value === null || Array.isArray(value);
  return { ...entryOf(plain ? text : (value as JsonValue)), raw: text };
}

function entryOf(value: JsonValue): Entry {
  const entry = { raw: '', number: undefined, integer: undefined, flag: undefined, fraction: undefined };
  switch (typeof value) {
    case 'number':
      return { ...entry, raw: shortNumber(value), ...numbers(value) };
    case 'boolean':
      return { ...entry, raw: String(value), flag: value };
    case 'string': {
      const number = numberOf(value);
      return Number.isNaN(number) ? { ...entry, raw: value } : { ...entry, raw: value, ...numbers(number) };
    }
    default:
      return { ...entry, raw: JSON.stringify(value), ...fractionOf(value) };
  }
}

function numbers(number: number): Pick<Entry, 'number' | 'integer' | 'flag'> {
  return { number, integer: number >= 0 && number <= 2 ** 64 ? Math.trunc(number) : undefined, flag: number !== 0 };
}

/** No document at all: remarks and directives. */
const NOTHING = /^\s*(?:[#%][^\r\n]*(?:[\r\n]\s*|$))*$/;
const DECIMAL = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;
const HEXADECIMAL = /^([+-]?)0x(?=\.?[\da-f])([\da-f]*)(?:\.([\da-f]*))?(?:p([+-]?\d+))?$/i;

/** The number that a text is, as C++ reads them; NaN: it is none. */
function numberOf(given: string): number {
  const text = given.trim();
  if (DECIMAL.test(text)) return Number(text);
  const [, sign, whole = '', part = '', exponent = '0'] = HEXADECIMAL.exec(text) ?? [];
  if (sign === undefined) return Number.NaN;
  const size = Number(`0x${whole}${part}`) * 2 ** (Number(exponent) - 4 * part.length);
  return sign === '-' ? -size : size;
}

const DENOMINATORS: Readonly<Record<string, number>> = {
  HUNDRED: 100,
  TEN_THOUSAND: 10_000,
  MILLION: 1_000_000,
};

/** Undefined: other fields are in it, or a denominator that there is not. A numerator that is no number is 0, as in Envoy. */
function fractionOf(value: JsonValue): Pick<Entry, 'fraction' | 'parts'> | undefined {
  if (!isStruct(value)) return undefined;
  const { numerator = 0, denominator = 'HUNDRED', ...others } = value;
  const parts = typeof denominator === 'string' ? DENOMINATORS[denominator] : undefined;
  // 32 bits, without a sign.
  const count = typeof numerator === 'number' ? numerator >>> 0 : 0;
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

function isStruct(value: unknown): value is { readonly [key: string]: JsonValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
