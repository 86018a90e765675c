import { Fault, shown } from './error.ts';
import { isObject } from './json-object.ts';
import { MAX_DEPTH } from './limits.ts';
import type { Writer } from './writer.ts';

/** google.protobuf.Struct: an object of any JSON. */
export function writeStruct(writer: Writer, value: unknown, depth: number): void {
  if (!isObject(value)) throw new Fault(`${shown(value)} is not an object (google.protobuf.Struct)`);
  let at = '';
  try {
    for (const name of Object.keys(value)) {
      at = name;
      const item = value[name];
      if (item === undefined) continue;
      writer.varint(0x0a);
      const entry = writer.open();
      writer.varint(0x0a);
      writer.string(name);
      writer.varint(0x12);
      const start = writer.open();
      writeValue(writer, item, depth + 1);
      writer.close(start);
      writer.close(entry);
    }
  } catch (error) {
    throw error instanceof Fault ? error.at(at) : error;
  }
}

/** google.protobuf.ListValue: a list of any JSON. */
export function writeValues(writer: Writer, value: unknown, depth: number): void {
  if (!Array.isArray(value)) throw new Fault(`${shown(value)} is not a list`);
  let index = 0;
  try {
    for (; index < value.length; index++) {
      writer.varint(0x0a);
      const start = writer.open();
      writeValue(writer, value[index], depth + 1);
      writer.close(start);
    }
  } catch (error) {
    throw error instanceof Fault ? error.at(index) : error;
  }
}

/** google.protobuf.Value: any JSON. */
export function writeValue(writer: Writer, value: unknown, depth: number): void {
  if (depth > MAX_DEPTH) throw new Fault(`is nested more than ${MAX_DEPTH} deep`);
  if (typeof value === 'string') {
    writer.varint(0x1a);
    writer.string(value);
  } else if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new Fault(`${String(value)} has no form in JSON`);
    writer.varint(0x11);
    writer.double(value);
  } else if (typeof value === 'boolean') {
    writer.varint(0x20);
    writer.varint(value ? 1 : 0);
  } else if (value === null) {
    writer.varint(0x08);
    writer.varint(0);
  } else if (typeof value === 'object') {
    writer.varint(Array.isArray(value) ? 0x32 : 0x2a);
    const start = writer.open();
    if (Array.isArray(value)) writeValues(writer, value, depth);
    else writeStruct(writer, value, depth);
    writer.close(start);
  } else throw new Fault(`${shown(value)} is not JSON`);
}
