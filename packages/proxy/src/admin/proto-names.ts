import { messageSchema, type FieldSchema } from '@mizzen/xds/binary/schema.ts';

type Raw = Readonly<Record<string, unknown>>;

/** A message with its fields named as in the .proto file, which is how Envoy prints them. Either spelling is read. */
export function protoNames(message: string, value: unknown): unknown {
  if (!isObject(value)) return value;
  const fields = messageSchema(message);
  if (fields === undefined) return value;
  const out: Record<string, unknown> = {};
  for (const [key, given] of Object.entries(value)) {
    if (given === undefined || given === null) continue;
    const name = key in fields ? key : camelCase(key);
    const field = fields[name];
    if (field === undefined) out[key] = given;
    else out[field.s ?? snakeCase(name)] = read(field, given);
  }
  return out;
}

function read(field: FieldSchema, value: unknown): unknown {
  if (field.k !== undefined) {
    if (!isObject(value)) return value;
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, one(field.t, item)]));
  }
  if (field.r === 1 && Array.isArray(value)) return value.map((item) => one(field.t, item));
  return one(field.t, value);
}

function one(type: string, value: unknown): unknown {
  if (!isObject(value)) return value;
  if (type !== 'google.protobuf.Any') return protoNames(type, value);
  const url = value['@type'];
  return typeof url === 'string' ? protoNames(url.slice(url.lastIndexOf('/') + 1), value) : value;
}

function isObject(value: unknown): value is Raw {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function camelCase(name: string): string {
  return name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
