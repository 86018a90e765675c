import { enumSchema, type FieldSchema, messageSchema } from '@mizzen/xds/binary/schema.ts';
import order from './gen/field-order.gen.json' with { type: 'json' };
import { isObject, type Raw, typeOf } from './read-dump.ts';

/**
 * A message as Go's protojson writes it: fields in the order of their declaration, without those that have their default
 * value and no presence, keys of maps sorted, 64-bit integers as texts. What the schema does not know follows as it is.
 */
export function canonicalMessage(type: string, value: Raw): Raw {
  const fields = messageSchema(type);
  const out: Record<string, unknown> = {};
  if (value['@type'] !== undefined) out['@type'] = value['@type'];
  for (const [name, field] of declared(type)) {
    const given = value[name];
    if (given === undefined || isUnset(field, given)) continue;
    out[name] = canonicalField(field, given);
  }
  for (const [name, given] of Object.entries(value)) {
    if (name !== '@type' && fields?.[name] === undefined) out[name] = given;
  }
  return out;
}

const DECLARED: Readonly<Record<string, readonly number[]>> = order;
const orders = new Map<string, readonly (readonly [string, FieldSchema])[]>();

/** The fields of a message in the order of their declaration. */
function declared(type: string): readonly (readonly [string, FieldSchema])[] {
  let fields = orders.get(type);
  if (fields === undefined) {
    const numbers = Object.hasOwn(DECLARED, type) ? DECLARED[type]! : [];
    const place = new Map(numbers.map((number, index) => [number, index]));
    const rank = ({ n }: FieldSchema): number => place.get(n) ?? n + numbers.length;
    fields = Object.entries(messageSchema(type) ?? {}).toSorted(([, a], [, b]) => rank(a) - rank(b));
    orders.set(type, fields);
  }
  return fields;
}

/** An Any: `@type` first. */
export function canonicalAny(value: Raw): Raw {
  return canonicalMessage(typeOf(value), value);
}

/** The default of a field that nobody can tell from one that is not set. */
function isUnset(field: FieldSchema, value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  if (field.k !== undefined) return isObject(value) && Object.keys(value).length === 0;
  if (field.o !== undefined || field.t.startsWith('google.protobuf.')) return false;
  if (value === '' || value === false || value === 0) return true;
  const names = enumSchema(field.t);
  if (names !== undefined) return typeof value === 'string' && names[value] === 0;
  return WIDE.has(field.t) && value === '0';
}

const WIDE = new Set(['int64', 'uint64', 'fixed64', 'sint64', 'sfixed64']);

function canonicalField(field: FieldSchema, value: unknown): unknown {
  if (field.k !== undefined && isObject(value)) {
    const byKey = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(byKey.map(([key, item]) => [key, canonicalValue(field.t, item)]));
  }
  if (Array.isArray(value)) return value.map((item) => canonicalValue(field.t, item));
  return canonicalValue(field.t, value);
}

function canonicalValue(type: string, value: unknown): unknown {
  if (WIDE.has(type) || type === 'google.protobuf.UInt64Value' || type === 'google.protobuf.Int64Value') {
    return typeof value === 'number' ? String(value) : value;
  }
  if (type === 'google.protobuf.Duration') return typeof value === 'string' ? duration(value) : value;
  if (type === 'google.protobuf.Struct' || type === 'google.protobuf.Value') return sortedKeys(value);
  if (!isObject(value)) return value;
  return type === 'google.protobuf.Any' ? canonicalAny(value) : canonicalMessage(type, value);
}

/** None, 3, 6 or 9 digits after the point. */
function duration(value: string): string {
  const match = /^(-?\d+)(?:\.(\d{1,9}))?s$/.exec(value);
  if (match === null) return value;
  const digits = (match[2] ?? '').replace(/0+$/, '');
  if (digits === '') return `${match[1]}s`;
  return `${match[1]}.${digits.padEnd(Math.ceil(digits.length / 3) * 3, '0')}s`;
}

function sortedKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortedKeys);
  if (!isObject(value)) return value;
  const byKey = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(byKey.map(([key, item]) => [key, sortedKeys(item)]));
}
