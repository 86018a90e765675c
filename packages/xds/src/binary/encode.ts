import { writeStruct, writeValue, writeValues } from './encode-struct.ts';
import { Fault, shown, XdsCodecError } from './error.ts';
import { fieldMask } from './field-mask.ts';
import { type Fields, isObject } from './json-object.ts';
import { MAX_BYTES, MAX_DEPTH } from './limits.ts';
import {
  completeEnum,
  completeMessage,
  Form,
  Kind,
  messageOf,
  planOf,
  Wire,
  type FieldPlan,
  type MessagePlan,
} from './plan.ts';
import { base64, float, halves, integer, integer64 } from './scalars.ts';
import { duration, timestamp, type Moment } from './time.ts';
import { Writer } from './writer.ts';

/**
 * A message that is encoded already, to stand where JSON would have an Any: a control plane encodes a resource once and
 * sends it to many proxies.
 */
export class EncodedAny {
  readonly '@type': string;
  readonly bytes: Uint8Array;

  /** `type` is a type URL, `bytes` the message it names in binary. */
  constructor(type: string, bytes: Uint8Array) {
    this['@type'] = type;
    this.bytes = bytes;
  }
}

const writer = new Writer();

function writeSigned(value: number): void {
  if (value < 0) writer.varint64(value, 0xffff_ffff);
  else writer.varint(value);
}

/** Writes a scalar after `tag` (none when that is 0); leaves out the default value unless `always`. */
function writeScalar(field: FieldPlan, value: unknown, tag: number, always: boolean): void {
  switch (field.kind) {
    case Kind.string: {
      if (typeof value !== 'string') throw new Fault(`${shown(value)} is not a string`);
      if (value === '' && !always) return;
      if (tag !== 0) writer.varint(tag);
      writer.string(value);
      return;
    }
    case Kind.bool: {
      if (typeof value !== 'boolean') throw new Fault(`${shown(value)} is not \`true\` or \`false\``);
      if (!value && !always) return;
      if (tag !== 0) writer.varint(tag);
      writer.varint(value ? 1 : 0);
      return;
    }
    case Kind.enum: {
      const number = enumNumber(field, value);
      if (number === 0 && !always) return;
      if (tag !== 0) writer.varint(tag);
      writeSigned(number);
      return;
    }
    case Kind.null: {
      if (value !== null && value !== 'NULL_VALUE' && value !== 0) throw new Fault(`${shown(value)} is not null`);
      if (!always) return;
      if (tag !== 0) writer.varint(tag);
      writer.varint(0);
      return;
    }
    case Kind.bytes: {
      const bytes = base64(value);
      if (bytes.length === 0 && !always) return;
      if (tag !== 0) writer.varint(tag);
      writer.bytes(bytes);
      return;
    }
    case Kind.double:
    case Kind.float: {
      const number = float(value, field.kind === Kind.float);
      if (Object.is(number, 0) && !always) return;
      if (tag !== 0) writer.varint(tag);
      if (field.kind === Kind.float) writer.float(number);
      else writer.double(number);
      return;
    }
    case Kind.int32:
    case Kind.sint32:
    case Kind.sfixed32: {
      const number = integer(value, -0x8000_0000, 0x7fff_ffff);
      if (number === 0 && !always) return;
      if (tag !== 0) writer.varint(tag);
      if (field.kind === Kind.int32) writeSigned(number);
      else if (field.kind === Kind.sint32) writer.varint((number << 1) ^ (number >> 31));
      else writer.fixed32(number);
      return;
    }
    case Kind.uint32:
    case Kind.fixed32: {
      const number = integer(value, 0, 0xffff_ffff);
      if (number === 0 && !always) return;
      if (tag !== 0) writer.varint(tag);
      if (field.kind === Kind.uint32) writer.varint(number);
      else writer.fixed32(number);
      return;
    }
    default: {
      const unsigned = field.kind === Kind.uint64 || field.kind === Kind.fixed64;
      const low = integer64(value, !unsigned);
      const { high } = halves;
      if (low === 0 && high === 0 && !always) return;
      if (tag !== 0) writer.varint(tag);
      if (field.kind === Kind.int64 || field.kind === Kind.uint64) writer.varint64(low, high);
      else if (field.kind === Kind.sint64) {
        const sign = high >> 31;
        writer.varint64((low << 1) ^ sign, ((high << 1) | (low >>> 31)) ^ sign);
      } else writer.fixed64(low, high);
    }
  }
}

function enumNumber(field: FieldPlan, value: unknown): number {
  if (typeof value === 'string') {
    const { numbers } = field.enumeration!;
    let number = numbers.get(value);
    if (number === undefined && completeEnum(field.enumeration!)) number = numbers.get(value);
    if (number === undefined) throw new Fault(`${field.type} has no value ${shown(value)}`);
    return number;
  }
  return integer(value, -0x8000_0000, 0x7fff_ffff);
}

/** Writes one value after its tag: scalars that `presence` allows to be left out, messages always. */
function writeOne(field: FieldPlan, value: unknown, tag: number, always: boolean, depth: number): void {
  if (field.kind !== Kind.message) {
    writeScalar(field, value, tag, always);
    return;
  }
  writer.varint(tag);
  const start = writer.open();
  writeMessage(field.message ?? messageOf(field), value, depth + 1);
  writer.close(start);
}

/** A null in JSON is an absent field, except where null is a value. */
function isNullValue(field: FieldPlan): boolean {
  return field.kind === Kind.null || field.type === 'google.protobuf.Value';
}

function writeList(field: FieldPlan, value: unknown, depth: number): void {
  if (!Array.isArray(value)) throw new Fault(`${shown(value)} is not a list`);
  if (value.length === 0) return;
  let index = 0;
  try {
    if (field.kind === Kind.message || (field.tag & 7) === Wire.bytes) {
      for (; index < value.length; index++) writeOne(field, value[index], field.tag, true, depth);
      return;
    }
    writer.varint(field.packedTag);
    const start = writer.open();
    for (; index < value.length; index++) writeScalar(field, value[index], 0, true);
    writer.close(start);
  } catch (error) {
    throw error instanceof Fault ? error.at(index) : error;
  }
}

function mapKey(key: FieldPlan, text: string): unknown {
  if (key.kind === Kind.string) return text;
  if (key.kind === Kind.bool) {
    if (text !== 'true' && text !== 'false') throw new Fault(`the key ${shown(text)} is not \`true\` or \`false\``);
    return text === 'true';
  }
  if (!/^-?\d+$/.test(text)) throw new Fault(`the key ${shown(text)} is not an integer`);
  return text;
}

function writeMap(field: FieldPlan, value: unknown, depth: number): void {
  if (!isObject(value)) throw new Fault(`${shown(value)} is not an object`);
  let at = '';
  try {
    for (const name of Object.keys(value)) {
      at = name;
      const item = value[name];
      if (item === undefined) continue;
      writer.varint(field.tag);
      const start = writer.open();
      writeScalar(field.key!, mapKey(field.key!, name), field.key!.tag, true);
      writeOne(field.value!, item, field.value!.tag, true, depth);
      writer.close(start);
    }
  } catch (error) {
    throw error instanceof Fault ? error.at(at) : error;
  }
}

function writeFields(plan: MessagePlan, value: Fields, isAny: boolean, depth: number): void {
  let at = '';
  let seen = 0;
  try {
    for (const name in value) {
      const item = value[name];
      if (item === undefined) continue;
      at = name;
      let field = plan.byName.get(name);
      if (field === undefined) {
        if (isAny && name === '@type') continue;
        if (completeMessage(plan)) field = plan.byName.get(name);
        if (field === undefined) throw new Fault(`${plan.type} has no such field`);
      }
      at = field.name;
      if (item === null && (field.repeated || !isNullValue(field))) continue;
      if (name !== field.name && value[field.name] !== undefined)
        throw new Fault(`is given twice, also as \`${name}\``);
      if (field.oneof >= 0) {
        const bit = 1 << field.oneof;
        if ((seen & bit) !== 0) {
          const set = Object.keys(value).filter((each) => plan.byName.get(each)?.oneof === field.oneof);
          throw new Fault(`only one of ${set.map((each) => `\`${each}\``).join(', ')} can be set`);
        }
        seen |= bit;
      }
      if (field.key !== undefined) {
        writeMap(field, item, depth);
      } else if (field.repeated) {
        writeList(field, item, depth);
      } else writeOne(field, item, field.tag, field.presence, depth);
    }
  } catch (error) {
    throw error instanceof Fault ? error.within(at) : error;
  }
}

/** Writes what is in a message, without tag and length. */
function writeMessage(plan: MessagePlan, value: unknown, depth: number): void {
  if (depth > MAX_DEPTH) throw new Fault(`is nested more than ${MAX_DEPTH} deep`);
  switch (plan.form) {
    case Form.fields:
      if (!isObject(value)) throw new Fault(`${shown(value)} is not an object (${plan.type})`);
      writeFields(plan, value, false, depth);
      return;
    case Form.any:
      writeAny(value, depth);
      return;
    case Form.struct:
      writeStruct(writer, value, depth);
      return;
    case Form.value:
      writeValue(writer, value, depth);
      return;
    case Form.list:
      writeValues(writer, value, depth);
      return;
    case Form.duration:
      writeMoment(duration(value));
      return;
    case Form.timestamp:
      writeMoment(timestamp(value));
      return;
    case Form.fieldMask:
      for (const path of fieldMask(value)) {
        writer.varint(0x0a);
        writer.string(path);
      }
      return;
    case Form.wrapper:
      writeScalar(plan.wrapped!, value, plan.wrapped!.tag, false);
  }
}

function writeMoment({ seconds, nanos }: Moment): void {
  if (seconds !== 0) {
    writer.varint(0x08);
    writer.varint64(seconds, Math.floor(seconds / 0x1_0000_0000));
  }
  if (nanos !== 0) {
    writer.varint(0x10);
    writeSigned(nanos);
  }
}

function writeAny(value: unknown, depth: number): void {
  if (!isObject(value)) throw new Fault(`${shown(value)} is not an object with \`@type\``);
  const type = value['@type'];
  if (type === undefined) {
    if (Object.keys(value).length === 0) return;
    throw new Fault('has no `@type`');
  }
  if (typeof type !== 'string') throw new Fault(`\`@type\` is ${shown(type)}, which is not a string`);
  const slash = type.lastIndexOf('/');
  if (slash < 0)
    throw new Fault(`\`@type\` is ${shown(type)}, which is not a type URL such as \`type.googleapis.com/…\``);
  writer.varint(0x0a);
  writer.string(type);
  if (value instanceof EncodedAny) {
    if (value.bytes.length === 0) return;
    writer.varint(0x12);
    writer.bytes(value.bytes);
    return;
  }
  const plan = planOf(type.slice(slash + 1));
  if (plan === undefined) throw new Fault(`the type ${shown(type)} is not known`);
  const before = writer.position;
  writer.varint(0x12);
  const start = writer.open();
  writeEmbedded(plan, value, true, depth + 1);
  if (writer.position === start + 1) writer.position = before;
  else writer.close(start);
}

/** A message as an Any has it in JSON: its fields, or `value` when its JSON is not an object with fields. */
function writeEmbedded(plan: MessagePlan, value: Fields, isAny: boolean, depth: number): void {
  if (depth > MAX_DEPTH) throw new Fault(`is nested more than ${MAX_DEPTH} deep`);
  const empty = plan.type === 'google.protobuf.Empty';
  if (plan.form === Form.fields && !(empty && value['value'] !== undefined)) {
    writeFields(plan, value, isAny, depth);
    return;
  }
  for (const name of Object.keys(value)) {
    if (name !== 'value' && !(isAny && name === '@type'))
      throw new Fault(`${plan.type} has no such field`).within(name);
  }
  if (value['value'] === undefined) throw new Fault(`${plan.type} has its content in \`value\`, which is missing`);
  try {
    writeMessage(plan, value['value'], depth);
  } catch (error) {
    throw error instanceof Fault ? error.within('value') : error;
  }
}

/**
 * A message in binary. `type` is its full name, e.g. `envoy.config.cluster.v3.Cluster`; `value` its proto3 JSON, with
 * names in camelCase or as in the .proto file. A message whose JSON is not an object with fields of its own
 * (google.protobuf.Duration, ...) is given as an Any has it: `{value: "1.5s"}`. An EncodedAny may stand for an Any.
 * @throws XdsCodecError for a type that is not known, and for a value that is no such message.
 */
export function encode(type: string, value: object): Uint8Array {
  const plan = planOf(type);
  if (plan === undefined) throw new XdsCodecError(type, '', 'the type is not known');
  try {
    if (plan.form === Form.any) writeMessage(plan, value, 0);
    else if (isObject(value)) writeEmbedded(plan, value, false, 0);
    else throw new Fault(`${shown(value)} is not an object`);
    if (writer.position > MAX_BYTES) throw new Fault(`is larger than ${MAX_BYTES} bytes`);
    return writer.finish();
  } catch (error) {
    writer.reset();
    throw error instanceof Fault ? error.toError(type) : error;
  }
}
