/**
 * Reads a resource by the schema of its type: names become camelCase, enum numbers become names, and every field must be
 * in the table (fields/). What comes back is safe to use as the generated interface of that type.
 */
import { TYPE_PREFIX } from '@mizzen/xds';
import type { Nack } from '../types.ts';
import { fields, noEffectTypes } from './fields/index.ts';
import { formatPath, type Path } from './path.ts';
import { checkRules } from './rules.ts';
import { schema, type FieldSchema } from './schema.ts';
import { messageOf, respell, TYPED_STRUCTS } from './spelling.ts';

export { messageOf };

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
  /** Within a field that is of no effect. */
  #unused = false;

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
    if (known === undefined || (table === undefined && !this.#unused)) {
      if (!this.#unused) this.refuse(path, `\`${type}\` is not supported`);
      return value;
    }
    const before = this.nacks.length;
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
      if ((given === null && field.t !== NULL) || given === undefined) {
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
      // Where a filter is off, its configuration is not looked at; a filter that is on need not have one.
      if (type === FILTER_CONFIG && name === 'config' && (value['disabled'] === true || isEmpty(given))) continue;
      const read = this.#classified(type, name, field, given, [...path, name]);
      if (read !== given || name !== key) {
        copy ??= { ...value };
        if (name !== key) delete copy[key];
        copy[name] = read;
      }
    }
    const result = copy ?? value;
    if (this.nacks.length === before) checkRules(type, result, path, this.#broken);
    return result;
  }

  readonly #broken = (path: Path, problem: string): void => this.refuse(path, problem);

  #classified(type: string, name: string, field: FieldSchema, value: unknown, path: Path): unknown {
    if (CONSTANTS.has(type)) {
      const exact = exactConstant(name, value);
      if (exact !== undefined) return exact;
    }
    if (this.#unused) return this.#field(field, value, path);
    const fieldClass = fields.get(type)?.get(name);
    if (fieldClass === undefined) {
      this.refuse(path, 'not supported');
      return value;
    }
    if (fieldClass.class === 'no effect') {
      // What it holds is nobody's business, but it must be what the API has there.
      this.#unused = true;
      const read = this.#field(field, value, path);
      this.#unused = false;
      return read;
    }
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
        return typeof value === 'string' && BASE64.test(value)
          ? value
          : this.#wrong(path, 'must be base64 in a string');
      case 'bool':
      case 'google.protobuf.BoolValue':
        return typeof value === 'boolean' ? value : this.#wrong(path, 'must be true or false');
      case 'google.protobuf.Duration':
        return this.#duration(value, path);
      case 'google.protobuf.Timestamp':
        return isTimestamp(value) ? value : this.#wrong(path, 'must be a time in RFC 3339');
      case NULL:
        return value === null || value === 0 || value === 'NULL_VALUE' ? null : this.#wrong(path, 'must be null');
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

  #duration(value: unknown, path: Path): unknown {
    if (typeof value !== 'string' || !DURATION.test(value)) return this.#wrong(path, 'must be seconds, such as `1.5s`');
    const seconds = Number(value.slice(0, -1));
    if (seconds < 0) this.refuse(path, 'must not be negative');
    if (seconds >= MAX_SECONDS) this.refuse(path, `must be less than ${MAX_SECONDS}s`);
    return value;
  }

  /** 64-bit values come as strings or numbers and are exact up to 2^53; who says more means that there is no limit. */
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
    return this.#wrong(path, `\`${String(value)}\` is no value of ${type}`);
  }

  #any(value: unknown, path: Path): unknown {
    const any = unwrapTypedStruct(value);
    const typeUrl = any?.['@type'];
    if (any === undefined || typeof typeUrl !== 'string' || !/.\//.test(typeUrl))
      return this.#wrong(path, 'must name its type in `@type`');
    const type = messageOf(typeUrl);
    if (Object.hasOwn(noEffectTypes, type)) return any;
    if (type === 'google.protobuf.StringValue') {
      const { value: text } = any;
      return text === undefined || typeof text === 'string' ? any : this.#wrong(path, 'must have a string in `value`');
    }
    if (this.#unused) return this.message(type, any, path);
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

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0;
}

/** A TypedStruct stands for the type it names, with the fields of its value. */
function unwrapTypedStruct(value: unknown): Raw | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const any = value as Raw;
  const typeUrl = any['@type'];
  if (typeof typeUrl !== 'string' || !TYPED_STRUCTS.has(messageOf(typeUrl))) return any;
  const inner = any['typeUrl'] ?? any['type_url'];
  const struct = any['value'];
  const within = typeof struct === 'object' && struct !== null ? (struct as Raw) : {};
  return { ...(typeof inner === 'string' ? respell(messageOf(inner), within) : within), '@type': inner };
}

const FILTER_CONFIG = 'envoy.config.route.v3.FilterConfig';
const DURATION = /^-?\d+(\.\d{1,9})?s$/;
/** Standard or for URLs, with or without padding. */
const BASE64 = /^(?:[\w+/-]{4})*(?:[\w+/-]{2,3}={0,2})?$/;
/** As many nanoseconds as a 64-bit number can hold. */
const MAX_SECONDS = 9_223_372_036;
const MAX32 = 0xffffffff;
const INTEGERS: Readonly<Record<string, readonly [number, number]>> = {
  uint32: [0, MAX32],
  fixed32: [0, MAX32],
  'google.protobuf.UInt32Value': [0, MAX32],
  int32: [-0x80000000, 0x7fffffff],
  sint32: [-0x80000000, 0x7fffffff],
  'google.protobuf.Int32Value': [-0x80000000, 0x7fffffff],
  uint64: [0, 2 ** 64],
  'google.protobuf.UInt64Value': [0, 2 ** 64],
  int64: [-(2 ** 63), 2 ** 63],
  'google.protobuf.Int64Value': [-(2 ** 63), 2 ** 63],
};
/** What JSON has null for, too. */
const NULL = 'google.protobuf.NullValue';
/** Constants of expressions: their numbers are kept to the last digit. */
const CONSTANTS = new Set(['cel.expr.Constant', 'google.api.expr.v1alpha1.Constant']);
const WHOLE: Readonly<Record<string, readonly [bigint, bigint]>> = {
  int64Value: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64Value: [0n, 2n ** 64n - 1n],
};

/** What numbers of other fields are not: whole ones of 64 bits as they are written, and one that is none. */
function exactConstant(name: string, value: unknown): unknown {
  if (name === 'doubleValue') return value === 'NaN' ? NaN : undefined;
  const bounds = WHOLE[name];
  if (bounds === undefined || typeof value !== 'string' || !/^-?\d+$/.test(value)) return undefined;
  const whole = BigInt(value);
  return whole >= bounds[0] && whole <= bounds[1] ? value : undefined;
}

const TIMESTAMP = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/;

function isTimestamp(value: unknown): boolean {
  return typeof value === 'string' && TIMESTAMP.test(value) && !Number.isNaN(Date.parse(value.replace(/\.\d+/, '')));
}

const FLOATS = new Set(['double', 'float', 'google.protobuf.DoubleValue', 'google.protobuf.FloatValue']);

function camelCase(name: string): string {
  return name.includes('_') ? name.replace(/_([a-zA-Z0-9])/g, (_, letter: string) => letter.toUpperCase()) : name;
}
