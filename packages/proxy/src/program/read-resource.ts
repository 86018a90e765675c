/**
 * Reads a resource by the schema of its type: names become camelCase, enum numbers become names, and every field must be
 * in the table (fields/). What comes back is safe to use as the generated interface of that type.
 */
import { TYPE_PREFIX } from '@mizzen/xds';
import type { Nack } from '../types.ts';
import { fields, noEffectTypes } from './fields/index.ts';
import { formatPath, type Path } from './path.ts';
import { schema, type FieldSchema } from './schema.ts';

type Raw = Readonly<Record<string, unknown>>;

/** Every field of `resource` that is unknown, of the wrong type, or refused. Empty: it may be compiled. */
export function checkFields(typeUrl: string, resource: unknown): readonly Nack[] {
  return readResource(typeUrl, resource).nacks;
}

/** The resource with names as the generated types have them, and what is wrong with it. Untouched parts are shared. */
export function readResource(
  typeUrl: string,
  resource: unknown,
): { readonly resource: Raw; readonly nacks: readonly Nack[] } {
  const reader = new Reader(typeUrl, nameOf(resource));
  const message = typeUrl.startsWith(TYPE_PREFIX) ? typeUrl.slice(TYPE_PREFIX.length) : typeUrl;
  if (typeof resource !== 'object' || resource === null || Array.isArray(resource)) {
    reader.refuse([], `must be an object with the fields of ${message}`);
    return { resource: {}, nacks: reader.nacks };
  }
  return { resource: reader.message(message, resource as Raw, []), nacks: reader.nacks };
}

/** What a resource is called in xDS: `name`, or `clusterName` of an assignment. */
export function nameOf(resource: unknown): string {
  if (typeof resource !== 'object' || resource === null) return '';
  const { name, clusterName, cluster_name } = resource as Raw;
  return [name, clusterName, cluster_name].find((n): n is string => typeof n === 'string') ?? '';
}

class Reader {
  readonly nacks: Nack[] = [];
  readonly #typeUrl: string;
  readonly #resource: string;

  constructor(typeUrl: string, resource: string) {
    this.#typeUrl = typeUrl;
    this.#resource = resource;
  }

  refuse(path: Path, message: string, unreadable = false): void {
    const nack = { typeUrl: this.#typeUrl, resource: this.#resource, field: formatPath(path), message };
    this.nacks.push(unreadable ? { ...nack, unreadable } : nack);
  }

  message(type: string, value: Raw, path: Path): Raw {
    const known = schema().messages[type];
    const table = fields.get(type);
    if (known === undefined || table === undefined) {
      this.refuse(path, `\`${type}\` is not supported`);
      return value;
    }
    let copy: Record<string, unknown> | undefined;
    let oneofs: Record<string, string> | undefined;
    for (const key of Object.keys(value)) {
      const given = value[key];
      if (key === '@type') continue;
      const name = key in known ? key : camelCase(key);
      const field = known[name];
      if (field === undefined) {
        this.refuse([...path, key], `\`${type}\` has no such field`);
        continue;
      }
      if (given === null || given === undefined) {
        copy ??= { ...value };
        delete copy[key];
        continue;
      }
      if (field.o !== undefined) {
        oneofs ??= {};
        const other = oneofs[field.o];
        if (other !== undefined) this.refuse([...path, name], `cannot be set beside \`${other}\``);
        oneofs[field.o] = name;
      }
      const read = this.#classified(type, name, field, given, [...path, name]);
      if (read !== given || name !== key) {
        copy ??= { ...value };
        if (name !== key) delete copy[key];
        copy[name] = read;
      }
    }
    return copy ?? value;
  }

  #classified(type: string, name: string, field: FieldSchema, value: unknown, path: Path): unknown {
    const fieldClass = fields.get(type)?.get(name);
    if (fieldClass === undefined) {
      this.refuse(path, 'not supported');
      return value;
    }
    if (fieldClass.class === 'no effect') return value;
    if (fieldClass.class === 'refused') {
      // A default that is spelled out asks for nothing.
      if (value === false || value === 0 || value === '' || (Array.isArray(value) && value.length === 0))
        return undefined;
      this.refuse(path, fieldClass.reason);
      return undefined;
    }
    const read = this.#field(field, value, path);
    const refused = fieldClass.refusedValues;
    if (refused !== undefined) {
      for (const each of Array.isArray(read) ? (read as unknown[]) : [read])
        if (typeof each === 'string' && each in refused) this.refuse(path, `\`${each}\`: ${refused[each]}`);
    }
    return read;
  }

  #field(field: FieldSchema, value: unknown, path: Path): unknown {
    if (field.k !== undefined) {
      if (typeof value !== 'object' || value === null || Array.isArray(value))
        return this.#wrong(path, 'must be an object');
      let copy: Record<string, unknown> | undefined;
      for (const [key, item] of Object.entries(value as Raw)) {
        const read = this.#value(field.t, item, [...path, key]);
        if (read !== item) (copy ??= { ...(value as Raw) })[key] = read;
      }
      return copy ?? value;
    }
    if (field.r !== undefined) {
      if (!Array.isArray(value)) return this.#wrong(path, 'must be a list');
      let copy: unknown[] | undefined;
      for (let i = 0; i < value.length; i++) {
        const read = this.#value(field.t, value[i], [...path, i]);
        if (read !== value[i]) (copy ??= [...(value as unknown[])])[i] = read;
      }
      return copy ?? value;
    }
    return this.#value(field.t, value, path);
  }

  #value(type: string, value: unknown, path: Path): unknown {
    switch (type) {
      case 'string':
      case 'google.protobuf.StringValue':
        return typeof value === 'string' ? value : this.#wrong(path, 'must be a string');
      case 'bytes':
      case 'google.protobuf.BytesValue':
        return typeof value === 'string' ? value : this.#wrong(path, 'must be base64 in a string');
      case 'bool':
      case 'google.protobuf.BoolValue':
        return typeof value === 'boolean' ? value : this.#wrong(path, 'must be true or false');
      case 'google.protobuf.Duration':
        return typeof value === 'string' && DURATION.test(value)
          ? value
          : this.#wrong(path, 'must be seconds, such as `1.5s`');
      case 'google.protobuf.Timestamp':
        return typeof value === 'string' ? value : this.#wrong(path, 'must be a time in RFC 3339');
      case 'google.protobuf.Struct':
        return typeof value === 'object' && value !== null && !Array.isArray(value)
          ? value
          : this.#wrong(path, 'must be an object');
      case 'google.protobuf.Value':
      case 'google.protobuf.Empty':
        return value;
      case 'google.protobuf.Any':
        return this.#any(value, path);
      default:
        break;
    }
    const integers = INTEGERS[type];
    if (integers !== undefined) return this.#integer(integers, value, path);
    if (FLOATS.has(type)) {
      const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
      return typeof number === 'number' && !Number.isNaN(number) ? number : this.#wrong(path, 'must be a number');
    }
    const enumeration = schema().enums[type];
    if (enumeration !== undefined) return this.#enum(type, enumeration, value, path);
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return this.#wrong(path, 'must be an object');
    return this.message(type, value as Raw, path);
  }

  /** 64-bit values come as strings or numbers and stay exact as numbers up to 2^53, which is enough for every field. */
  #integer([min, max]: readonly [number, number], value: unknown, path: Path): unknown {
    const number = typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value;
    if (typeof number === 'number' && Number.isInteger(number) && number >= min && number <= max) return number;
    return this.#wrong(path, `must be a whole number from ${min} to ${max}`);
  }

  #enum(type: string, enumeration: Readonly<Record<string, number>>, value: unknown, path: Path): unknown {
    if (typeof value === 'string' && value in enumeration) return value;
    if (typeof value === 'number') {
      for (const name of Object.keys(enumeration)) if (enumeration[name] === value) return name;
    }
    return this.#wrong(path, `\`${String(value)}\` is not a ${type}`);
  }

  #any(value: unknown, path: Path): unknown {
    const any = unwrapTypedStruct(value);
    const typeUrl = any?.['@type'];
    if (any === undefined || typeof typeUrl !== 'string') return this.#wrong(path, 'must name its type in `@type`');
    const type = messageOf(typeUrl);
    if (type in noEffectTypes) return any;
    if (type === 'google.protobuf.StringValue') {
      const { value: text } = any;
      return text === undefined || typeof text === 'string' ? any : this.#wrong(path, 'must have a string in `value`');
    }
    if (!fields.has(type)) {
      this.refuse(path, `\`${type}\` is not supported`, schema().messages[type] === undefined);
      return any;
    }
    return this.message(type, any, path);
  }

  #wrong(path: Path, message: string): undefined {
    this.refuse(path, message, true);
    return undefined;
  }
}

/** The message that a type URL names, whatever is before its last slash. */
export function messageOf(typeUrl: string): string {
  return typeUrl.slice(typeUrl.lastIndexOf('/') + 1);
}

const TYPED_STRUCTS = new Set(['xds.type.v3.TypedStruct', 'udpa.type.v1.TypedStruct']);

/** A TypedStruct stands for the type it names, with the fields of its value. */
function unwrapTypedStruct(value: unknown): Raw | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const any = value as Raw;
  const typeUrl = any['@type'];
  if (typeof typeUrl !== 'string' || !TYPED_STRUCTS.has(messageOf(typeUrl))) return any;
  const inner = any['typeUrl'] ?? any['type_url'];
  const struct = any['value'];
  return { ...(typeof struct === 'object' && struct !== null ? (struct as Raw) : {}), '@type': inner };
}

const DURATION = /^-?\d+(\.\d{1,9})?s$/;
const MAX32 = 0xffffffff;
const INTEGERS: Readonly<Record<string, readonly [number, number]>> = {
  uint32: [0, MAX32],
  fixed32: [0, MAX32],
  'google.protobuf.UInt32Value': [0, MAX32],
  int32: [-0x80000000, 0x7fffffff],
  sint32: [-0x80000000, 0x7fffffff],
  'google.protobuf.Int32Value': [-0x80000000, 0x7fffffff],
  uint64: [0, Number.MAX_SAFE_INTEGER],
  'google.protobuf.UInt64Value': [0, Number.MAX_SAFE_INTEGER],
  int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  'google.protobuf.Int64Value': [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
};
const FLOATS = new Set(['double', 'float', 'google.protobuf.DoubleValue', 'google.protobuf.FloatValue']);

function camelCase(name: string): string {
  return name.includes('_') ? name.replace(/_([a-zA-Z0-9])/g, (_, letter: string) => letter.toUpperCase()) : name;
}
