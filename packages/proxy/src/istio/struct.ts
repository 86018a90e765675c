import type { JsonObject } from '@mizzen/xds';
import { readStruct } from '@mizzen/xds/binary/decode-struct.ts';
import { writeStruct } from '@mizzen/xds/binary/encode-struct.ts';
import { Fault } from '@mizzen/xds/binary/error.ts';
import { Reader } from '@mizzen/xds/binary/reader.ts';
import { Writer } from '@mizzen/xds/binary/writer.ts';

/** google.protobuf.Struct, in which peers tell of each other. */
export function encodeStruct(value: JsonObject): Buffer {
  const writer = new Writer();
  writeStruct(writer, value, 0);
  return Buffer.from(writer.finish());
}

/** Undefined: these bytes are none. */
export function decodeStruct(bytes: Uint8Array): JsonObject | undefined {
  try {
    return readStruct(new Reader(bytes), bytes.length, {}, 0);
  } catch (error) {
    if (error instanceof Fault) return undefined;
    throw error;
  }
}
