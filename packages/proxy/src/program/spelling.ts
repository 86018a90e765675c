/**
 * What Envoy's reader of JSON takes besides protobuf's own JSON mapping: one value for a list of one, booleans and numbers
 * in quotes, enum values in any case, `{value: …}` for wrappers, `{seconds, nanos}` for durations. Files that people wrote
 * for Envoy have all of it. Here it becomes the one spelling that everything else reads; what is wrong stays as it is.
 */
import { schema, type FieldSchema } from './schema.ts';

type Raw = Readonly<Record<string, unknown>>;

/** A message as the API spells it. Untouched parts are shared. */
export function respell(type: string, message: Raw): Raw {
  const known = schema().messages[type];
  return known === undefined ? message : mapped(message, (key, value) => field(fieldOf(known, key), value));
}

/** The field of a name in either spelling. */
function fieldOf(known: Readonly<Record<string, FieldSchema>>, key: string): FieldSchema | undefined {
  return known[key] ?? known[key.replace(/_([a-zA-Z0-9])/g, (_, letter: string) => letter.toUpperCase())];
}

function field(of: FieldSchema | undefined, value: unknown): unknown {
  if (of === undefined || value === null || value === undefined) return value;
  if (of.k !== undefined) return isObject(value) ? mapped(value, (_, item) => one(of.t, item)) : value;
  if (of.r === undefined) return one(of.t, value);
  if (Array.isArray(value) && !value.some(Array.isArray)) {
    const items = (value as readonly unknown[]).map((item) => one(of.t, item));
    return items.every((item, i) => item === value[i]) ? value : items;
  }
  const items: readonly unknown[] = Array.isArray(value) ? value.flat(Infinity) : [value];
  return items.map((item) => one(of.t, item));
}

function one(type: string, value: unknown): unknown {
  const wrapped = WRAPPED[type];
  if (wrapped !== undefined) return scalar(wrapped, isObject(value) ? unwrapped(wrapped, value) : value);
  if (type === 'google.protobuf.Duration') return isObject(value) ? duration(value) : value;
  const values = schema().enums[type];
  if (values !== undefined) return enumeration(values, value);
  if (!isObject(value)) return scalar(type, value);
  if (type === 'google.protobuf.Any') {
    const url = value['@type'];
    if (typeof url !== 'string') return value;
    const typeName = messageOf(url);
    return TYPED_STRUCTS.has(typeName) ? typedStruct(value) : respell(typeName, value);
  }
  return respell(type, value);
}

/** The fields of a TypedStruct's value are those of the type it names. */
function typedStruct(struct: Raw): Raw {
  const url = struct['typeUrl'] ?? struct['type_url'];
  if (typeof url !== 'string') return struct;
  return mapped(struct, (key, value) => (key === 'value' && isObject(value) ? respell(messageOf(url), value) : value));
}

/** The message that a type URL names, whatever is before its last slash. */
export function messageOf(typeUrl: string): string {
  return typeUrl.slice(typeUrl.lastIndexOf('/') + 1);
}

export const TYPED_STRUCTS: ReadonlySet<string> = new Set(['xds.type.v3.TypedStruct', 'udpa.type.v1.TypedStruct']);

const WRAPPED: Readonly<Record<string, string>> = {
  'google.protobuf.BoolValue': 'bool',
  'google.protobuf.StringValue': 'string',
  'google.protobuf.BytesValue': 'bytes',
  'google.protobuf.DoubleValue': 'double',
  'google.protobuf.FloatValue': 'float',
  'google.protobuf.UInt32Value': 'uint32',
  'google.protobuf.UInt64Value': 'uint64',
  'google.protobuf.Int32Value': 'int32',
  'google.protobuf.Int64Value': 'int64',
};

function unwrapped(type: string, wrapper: Raw): unknown {
  const keys = Object.keys(wrapper);
  if (keys.some((key) => key !== 'value')) return wrapper;
  return wrapper['value'] ?? (type === 'bool' ? false : type === 'string' || type === 'bytes' ? '' : 0);
}

function scalar(type: string, value: unknown): unknown {
  if (typeof value !== 'string') return value;
  if (type === 'bool') {
    const lower = value.toLowerCase();
    return lower === 'true' ? true : lower === 'false' ? false : value;
  }
  if (!NUMBERS.has(type) || PLAIN.test(value)) return value;
  const number = Number(value.startsWith('+') ? value.slice(1) : value);
  return value.trim() === value && value !== '' && Number.isFinite(number) ? number : value;
}

const NUMBERS = new Set([
  'uint32',
  'uint64',
  'int32',
  'int64',
  'sint32',
  'sint64',
  'fixed32',
  'fixed64',
  'double',
  'float',
]);
/** Stays text: it may be longer than numbers are exact. */
const PLAIN = /^-?\d+$/;

function enumeration(values: Readonly<Record<string, number>>, value: unknown): unknown {
  if (typeof value !== 'string' || value in values) return value;
  const upper = value.toUpperCase();
  if (upper in values) return upper;
  const number = /^\d+$/.test(value) ? Number(value) : undefined;
  return Object.keys(values).find((name) => values[name] === number || name.toUpperCase() === upper) ?? value;
}

function duration(parts: Raw): unknown {
  if (Object.keys(parts).some((key) => key !== 'seconds' && key !== 'nanos')) return parts;
  const seconds = Number(parts['seconds'] ?? 0);
  const nanos = Number(parts['nanos'] ?? 0);
  if (!Number.isSafeInteger(seconds) || !Number.isInteger(nanos) || Math.abs(nanos) > 999_999_999) return parts;
  if (seconds * nanos < 0) return parts;
  const sign = seconds < 0 || nanos < 0 ? '-' : '';
  const part = nanos === 0 ? '' : `.${String(Math.abs(nanos)).padStart(9, '0')}`;
  return `${sign}${Math.abs(seconds)}${part}s`;
}

function isObject(value: unknown): value is Raw {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An object with other values where `change` gives others. */
function mapped(of: Raw, change: (key: string, value: unknown) => unknown): Raw {
  let copy: Record<string, unknown> | undefined;
  for (const key of Object.keys(of)) {
    const value = change(key, of[key]);
    if (value !== of[key]) (copy ??= { ...of })[key] = value;
  }
  return copy ?? of;
}
