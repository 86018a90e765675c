import type { JsonObject, JsonValue } from '../json.ts';
import { Fault } from './error.ts';
import { MAX_DEPTH } from './limits.ts';
import type { Reader } from './reader.ts';

export type Fields = Record<string, JsonValue | undefined>;

/** Own properties only, whatever the name: `__proto__` is a key like others. */
export function put(target: Fields, name: string, value: JsonValue): void {
  if (name === '__proto__') {
    Object.defineProperty(target, name, { value, enumerable: true, configurable: true, writable: true });
  } else target[name] = value;
}

/** google.protobuf.Struct, read into `out`. */
export function readStruct(reader: Reader, end: number, out: Fields, depth: number): JsonObject {
  let name = '';
  let inside = false;
  try {
    while (reader.position < end) {
      const tag = reader.tag(end);
      if (tag !== 0x0a) {
        reader.skip(tag, end);
        continue;
      }
      const stop = reader.length(end);
      name = '';
      inside = true;
      let value: JsonValue | undefined;
      while (reader.position < stop) {
        const part = reader.tag(stop);
        if (part === 0x0a) name = reader.text(reader.length(stop));
        else if (part === 0x12) value = readValue(reader, reader.length(stop), value, depth + 1);
        else reader.skip(part, stop);
      }
      put(out, name, value ?? null);
      inside = false;
    }
  } catch (error) {
    throw error instanceof Fault && inside ? error.at(name) : error;
  }
  return out as JsonObject;
}

/** google.protobuf.ListValue, added to `list`. */
export function readValues(reader: Reader, end: number, list: JsonValue[], depth: number): readonly JsonValue[] {
  while (reader.position < end) {
    const tag = reader.tag(end);
    if (tag !== 0x0a) {
      reader.skip(tag, end);
      continue;
    }
    try {
      list.push(readValue(reader, reader.length(end), undefined, depth + 1));
    } catch (error) {
      throw error instanceof Fault ? error.at(list.length) : error;
    }
  }
  return list;
}

/** google.protobuf.Value: any JSON. One without a kind is null. */
export function readValue(reader: Reader, end: number, before: JsonValue | undefined, depth: number): JsonValue {
  if (depth > MAX_DEPTH) throw new Fault(`is nested more than ${MAX_DEPTH} deep`);
  let value = before ?? null;
  while (reader.position < end) {
    const tag = reader.tag(end);
    switch (tag) {
      case 0x08:
        reader.varint64(end);
        value = null;
        break;
      case 0x11:
        value = reader.double(end);
        if (!Number.isFinite(value)) throw new Fault(`${value} has no form in JSON`);
        break;
      case 0x1a:
        value = reader.text(reader.length(end));
        break;
      case 0x20: {
        const low = reader.varint64(end);
        value = low !== 0 || reader.high !== 0;
        break;
      }
      case 0x2a: {
        const merged = typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
        value = readStruct(reader, reader.length(end), merged as Fields, depth);
        break;
      }
      case 0x32:
        value = readValues(reader, reader.length(end), Array.isArray(value) ? (value as JsonValue[]) : [], depth);
        break;
      default:
        reader.skip(tag, end);
    }
  }
  return value;
}
