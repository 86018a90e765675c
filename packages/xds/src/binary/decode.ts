import type { JsonObject, JsonValue } from '../json.ts';
import { type Fields, put, readStruct, readValue, readValues } from './decode-struct.ts';
import { Fault, XdsCodecError } from './error.ts';
import { fieldPathToJson } from './field-mask.ts';
import { MAX_BYTES, MAX_DEPTH } from './limits.ts';
import {
  completeEnum,
  completeMessage,
  Form,
  Kind,
  messageOf,
  planOf,
  type EnumPlan,
  type FieldPlan,
  type MessagePlan,
} from './plan.ts';
import { Reader } from './reader.ts';
import { doubleToJson, floatToJson, integer64ToJson } from './scalars.ts';
import { duration, durationToJson, timestamp, timestampToJson } from './time.ts';

/** What an absent field of a scalar kind means. */
function defaultOf(field: FieldPlan): JsonValue {
  switch (field.kind) {
    case Kind.string:
    case Kind.bytes:
      return '';
    case Kind.bool:
      return false;
    case Kind.enum:
      return field.enumeration!.names.get(0) ?? 0;
    case Kind.null:
      return null;
    case Kind.int64:
    case Kind.uint64:
    case Kind.sint64:
    case Kind.fixed64:
    case Kind.sfixed64:
      return '0';
    default:
      return 0;
  }
}

function isDefault(field: FieldPlan, value: JsonValue): boolean {
  return Object.is(value, defaultOf(field));
}

function enumName(plan: EnumPlan, number: number): string | undefined {
  const name = plan.names.get(number);
  return name === undefined && completeEnum(plan) ? plan.names.get(number) : name;
}

/** Reads one scalar. Undefined for the number of an enum's value that has no name here, unless those are kept. */
function readScalar(reader: Reader, field: FieldPlan, end: number): JsonValue | undefined {
  switch (field.kind) {
    case Kind.string:
      return reader.text(reader.length(end));
    case Kind.bytes:
      return reader.base64(reader.length(end));
    case Kind.bool: {
      const low = reader.varint64(end);
      return low !== 0 || reader.high !== 0;
    }
    case Kind.enum: {
      const number = reader.varint(end) | 0;
      return enumName(field.enumeration!, number) ?? (reader.keepsNumbers ? number : undefined);
    }
    case Kind.null:
      reader.varint64(end);
      return null;
    case Kind.double:
      return doubleToJson(reader.double(end));
    case Kind.float:
      return floatToJson(reader.float(end));
    case Kind.int32:
      return reader.varint(end) | 0;
    case Kind.uint32:
      return reader.varint(end) >>> 0;
    case Kind.sint32: {
      const value = reader.varint(end);
      return (value >>> 1) ^ -(value & 1);
    }
    case Kind.fixed32:
      return reader.fixed32(end);
    case Kind.sfixed32:
      return reader.fixed32(end) | 0;
    case Kind.int64: {
      const low = reader.varint64(end);
      return integer64ToJson(low, reader.high, true);
    }
    case Kind.uint64: {
      const low = reader.varint64(end);
      return integer64ToJson(low, reader.high, false);
    }
    case Kind.sint64: {
      const low = reader.varint64(end);
      const { high } = reader;
      const sign = -(low & 1);
      return integer64ToJson(((low >>> 1) | (high << 31)) ^ sign, (high >>> 1) ^ sign, true);
    }
    case Kind.fixed64: {
      const low = reader.fixed64(end);
      return integer64ToJson(low, reader.high, false);
    }
    default: {
      const low = reader.fixed64(end);
      return integer64ToJson(low, reader.high, true);
    }
  }
}

/** Reads one value, merging a message into what was read of it before, as protobuf has it. */
function readOne(
  reader: Reader,
  field: FieldPlan,
  end: number,
  before: JsonValue | undefined,
  depth: number,
): JsonValue | undefined {
  if (field.kind !== Kind.message) return readScalar(reader, field, end);
  return readMessage(reader, field.message ?? messageOf(field), reader.length(end), before, depth + 1);
}

function readElement(reader: Reader, field: FieldPlan, end: number, list: JsonValue[], depth: number): void {
  try {
    const value = readOne(reader, field, end, undefined, depth);
    if (value !== undefined) list.push(value);
  } catch (error) {
    throw error instanceof Fault ? error.at(list.length) : error;
  }
}

function readList(reader: Reader, field: FieldPlan, tag: number, end: number, out: Fields, depth: number): void {
  const list = (out[field.name] ??= []) as JsonValue[];
  if (tag === field.tag) {
    readElement(reader, field, end, list, depth);
  } else {
    const stop = reader.length(end);
    while (reader.position < stop) readElement(reader, field, stop, list, depth);
  }
  if (list.length === 0) delete out[field.name];
}

/** A map's key as JSON has it. */
function keyText(key: JsonValue | undefined): string {
  return typeof key === 'string' ? key : JSON.stringify(key);
}

/** False for an entry that is passed over: an enum's value that has no name here. */
function readEntry(reader: Reader, field: FieldPlan, end: number, map: Fields, depth: number): boolean {
  const stop = reader.length(end);
  let name = keyText(defaultOf(field.key!));
  let value: JsonValue | undefined;
  let unknown = false;
  try {
    while (reader.position < stop) {
      const tag = reader.tag(stop);
      if (tag === field.key!.tag) name = keyText(readScalar(reader, field.key!, stop));
      else if (tag === field.value!.tag) {
        value = readOne(reader, field.value!, stop, value, depth);
        unknown = value === undefined;
      } else reader.skip(tag, stop);
    }
    if (unknown) return false;
    if (value === undefined && field.value!.kind === Kind.message) {
      value = readMessage(reader, messageOf(field.value!), stop, undefined, depth + 1);
    }
  } catch (error) {
    throw error instanceof Fault ? error.at(name) : error;
  }
  put(map, name, value ?? defaultOf(field.value!));
  return true;
}

/** Reads fields into `out`, which holds some already when `merging`. */
function readFields(
  reader: Reader,
  plan: MessagePlan,
  end: number,
  out: Fields,
  merging: boolean,
  depth: number,
): void {
  let at = '';
  let seen = merging ? -1 : 0;
  try {
    while (reader.position < end) {
      at = '';
      const tag = reader.tag(end);
      let field = plan.byNumber[tag >>> 3];
      if (field === undefined && completeMessage(plan)) field = plan.byNumber[tag >>> 3];
      if (field === undefined || (tag !== field.tag && !(field.repeated && tag === field.packedTag))) {
        reader.skip(tag, end);
        continue;
      }
      at = field.name;
      if (field.key !== undefined) {
        const map = (out[at] ?? {}) as Fields;
        if (readEntry(reader, field, end, map, depth)) out[at] = map as JsonObject;
        continue;
      }
      if (field.repeated) {
        readList(reader, field, tag, end, out, depth);
        continue;
      }
      const value = readOne(reader, field, end, out[at], depth);
      if (value === undefined) continue;
      if (field.oneof >= 0) {
        const bit = 1 << field.oneof;
        if ((seen & bit) !== 0) {
          for (const other of field.rivals) if (other !== at && other in out) delete out[other];
        }
        seen |= bit;
      }
      if (field.presence || !isDefault(field, value)) out[at] = value;
      else if (at in out) delete out[at];
    }
  } catch (error) {
    throw error instanceof Fault ? error.within(at) : error;
  }
}

function readMessage(
  reader: Reader,
  plan: MessagePlan,
  end: number,
  before: JsonValue | undefined,
  depth: number,
): JsonValue {
  if (depth > MAX_DEPTH) throw new Fault(`is nested more than ${MAX_DEPTH} deep`);
  switch (plan.form) {
    case Form.fields: {
      const out = (before ?? {}) as Fields;
      readFields(reader, plan, end, out, before !== undefined, depth);
      return out as JsonObject;
    }
    case Form.any:
      return readAny(reader, end, before as JsonObject | undefined, depth);
    case Form.struct:
      return readStruct(reader, end, (before ?? {}) as Fields, depth);
    case Form.value:
      return readValue(reader, end, before, depth);
    case Form.list:
      return readValues(reader, end, (before ?? []) as JsonValue[], depth);
    case Form.duration:
      return durationToJson(readMoment(reader, end, before === undefined ? ZERO : duration(before)));
    case Form.timestamp:
      return timestampToJson(readMoment(reader, end, before === undefined ? ZERO : timestamp(before)));
    case Form.fieldMask:
      return readFieldMask(reader, end, (before ?? '') as string);
    case Form.wrapper:
      return readWrapper(reader, plan.wrapped!, end, before);
  }
}

const ZERO = { seconds: 0, nanos: 0 };

function readMoment(reader: Reader, end: number, before: { seconds: number; nanos: number }): typeof ZERO {
  let { seconds, nanos } = before;
  while (reader.position < end) {
    const tag = reader.tag(end);
    if (tag === 0x08) {
      const low = reader.varint64(end);
      seconds = (reader.high | 0) * 0x1_0000_0000 + low;
    } else if (tag === 0x10) nanos = reader.varint(end) | 0;
    else reader.skip(tag, end);
  }
  return { seconds, nanos };
}

function readFieldMask(reader: Reader, end: number, before: string): string {
  let mask = before;
  while (reader.position < end) {
    const tag = reader.tag(end);
    if (tag === 0x0a) {
      const path = fieldPathToJson(reader.text(reader.length(end)));
      mask = mask === '' ? path : `${mask},${path}`;
    } else reader.skip(tag, end);
  }
  return mask;
}

function readWrapper(reader: Reader, field: FieldPlan, end: number, before: JsonValue | undefined): JsonValue {
  let value = before ?? defaultOf(field);
  while (reader.position < end) {
    const tag = reader.tag(end);
    if (tag === field.tag) value = readScalar(reader, field, end)!;
    else reader.skip(tag, end);
  }
  return value;
}

function readAny(reader: Reader, end: number, before: JsonObject | undefined, depth: number): JsonObject {
  let type: string | undefined;
  let start = -1;
  let stop = -1;
  while (reader.position < end) {
    const tag = reader.tag(end);
    if (tag === 0x0a) type = reader.text(reader.length(end));
    else if (tag === 0x12) {
      stop = reader.length(end);
      start = reader.position;
      reader.position = stop;
    } else reader.skip(tag, end);
  }
  if (before !== undefined && Object.keys(before).length > 0) {
    if (type === undefined && start < 0) return before;
    if (type === undefined || start < 0) throw new Fault('is an Any given twice, and in parts');
  }
  if (type === undefined || type === '') {
    if (stop > start) throw new Fault('is an Any without a type');
    return {};
  }
  const plan = planOf(type.slice(type.lastIndexOf('/') + 1));
  const out: Fields = { '@type': type };
  if (plan === undefined || !type.includes('/')) {
    if (start < 0) start = stop = end;
    reader.position = start;
    out['value'] = reader.base64(stop);
  } else {
    reader.position = start < 0 ? end : start;
    readEmbedded(reader, plan, start < 0 ? end : stop, out, depth + 1);
  }
  reader.position = end;
  return out as JsonObject;
}

/** A message as an Any has it in JSON: its fields, or `value` when its JSON is not an object with fields. */
function readEmbedded(reader: Reader, plan: MessagePlan, end: number, out: Fields, depth: number): void {
  if (depth > MAX_DEPTH) throw new Fault(`is nested more than ${MAX_DEPTH} deep`);
  if (plan.form === Form.fields) readFields(reader, plan, end, out, false, depth);
  else {
    try {
      out['value'] = readMessage(reader, plan, end, undefined, depth);
    } catch (error) {
      throw error instanceof Fault ? error.within('value') : error;
    }
  }
}

/**
 * The proto3 JSON of a message in binary, names in camelCase. `type` is its full name. Absent fields are left out; fields
 * and enum values that the schema does not have are passed over (`keepsNumbers`: such values are numbers); an Any of a type that is not known keeps its bytes:
 * `{"@type": …, "value": base64}`. A message whose JSON is not an object with fields of its own
 * (google.protobuf.Duration, ...) is given as an Any has it: `{value: "1.5s"}`.
 * @throws XdsCodecError for a type that is not known, and for bytes that are no such message.
 */
export function decode(type: string, bytes: Uint8Array, keepsNumbers = false): JsonObject {
  const plan = planOf(type);
  if (plan === undefined) throw new XdsCodecError(type, '', 'the type is not known');
  try {
    if (bytes.length > MAX_BYTES) throw new Fault(`is larger than ${MAX_BYTES} bytes`);
    const reader = new Reader(bytes, keepsNumbers);
    if (plan.form === Form.any) return readAny(reader, bytes.length, undefined, 0);
    const out: Fields = {};
    readEmbedded(reader, plan, bytes.length, out, 0);
    return out as JsonObject;
  } catch (error) {
    throw error instanceof Fault ? error.toError(type) : error;
  }
}
