import { enumSchema, messageSchema, newerFields, newerValues, type FieldSchema, type MessageSchema } from './schema.ts';

/** How a field's values are written: protobuf's scalar types, and what is special in JSON. */
export const Kind = {
  double: 1,
  float: 2,
  int32: 3,
  uint32: 4,
  sint32: 5,
  fixed32: 6,
  sfixed32: 7,
  int64: 8,
  uint64: 9,
  sint64: 10,
  fixed64: 11,
  sfixed64: 12,
  bool: 13,
  string: 14,
  bytes: 15,
  enum: 16,
  /** google.protobuf.NullValue: an enum that JSON writes as null. */
  null: 17,
  message: 18,
} as const;
export type Kind = (typeof Kind)[keyof typeof Kind];

/** Messages that JSON writes in a way of their own. */
export const Form = {
  fields: 0,
  any: 1,
  struct: 2,
  value: 3,
  list: 4,
  duration: 5,
  timestamp: 6,
  fieldMask: 7,
  wrapper: 8,
} as const;
export type Form = (typeof Form)[keyof typeof Form];

/** Wire types of the protobuf encoding. */
export const Wire = { varint: 0, fixed64: 1, bytes: 2, groupStart: 3, groupEnd: 4, fixed32: 5 } as const;

export interface EnumPlan {
  readonly type: string;
  readonly numbers: Map<string, number>;
  readonly names: Map<number, string>;
  /** Values that the schema was given later are in. */
  complete: boolean;
}

export interface FieldPlan {
  /** JSON name. */
  readonly name: string;
  readonly number: number;
  readonly kind: Kind;
  /** Number and wire type of one value, as the varint before it on the wire. */
  readonly tag: number;
  /** The same for many values in one, where the kind can be packed. */
  readonly packedTag: number;
  readonly repeated: boolean;
  /** Kind of the key, for a map. */
  readonly key: FieldPlan | undefined;
  /** The value of a map's entry. */
  readonly value: FieldPlan | undefined;
  /** Absent differs from the default value. */
  readonly presence: boolean;
  /** Position of its oneof in the message, or -1; at most 31. */
  readonly oneof: number;
  /** All fields of that oneof. */
  readonly rivals: readonly string[];
  /** Full name of the message or enum. */
  readonly type: string;
  /** Filled when first used, because messages contain each other. */
  message: MessagePlan | undefined;
  readonly enumeration: EnumPlan | undefined;
}

/** All that encoding and decoding need to know of a message, made from the schema once. */
export interface MessagePlan {
  readonly type: string;
  readonly form: Form;
  /** By JSON name and by the name in the .proto file. */
  readonly byName: Map<string, FieldPlan>;
  /** At the field's number. */
  readonly byNumber: (FieldPlan | undefined)[];
  /** The names of the fields in each oneof, by its name. */
  readonly oneofs: Map<string, string[]>;
  /** The one field of a wrapper (google.protobuf.UInt32Value, ...). */
  readonly wrapped: FieldPlan | undefined;
  /** Fields that the schema was given later are in. */
  complete: boolean;
}

const WRAPPED: ReadonlyMap<string, keyof typeof Kind> = new Map<string, keyof typeof Kind>([
  ['google.protobuf.DoubleValue', 'double'],
  ['google.protobuf.FloatValue', 'float'],
  ['google.protobuf.Int64Value', 'int64'],
  ['google.protobuf.UInt64Value', 'uint64'],
  ['google.protobuf.Int32Value', 'int32'],
  ['google.protobuf.UInt32Value', 'uint32'],
  ['google.protobuf.BoolValue', 'bool'],
  ['google.protobuf.StringValue', 'string'],
  ['google.protobuf.BytesValue', 'bytes'],
]);
const FORMS: ReadonlyMap<string, Form> = new Map<string, Form>([
  ['google.protobuf.Any', Form.any],
  ['google.protobuf.Struct', Form.struct],
  ['google.protobuf.Value', Form.value],
  ['google.protobuf.ListValue', Form.list],
  ['google.protobuf.Duration', Form.duration],
  ['google.protobuf.Timestamp', Form.timestamp],
  ['google.protobuf.FieldMask', Form.fieldMask],
  ['google.protobuf.Empty', Form.fields],
]);

const WIRES: Readonly<Record<Kind, number>> = {
  [Kind.double]: Wire.fixed64,
  [Kind.float]: Wire.fixed32,
  [Kind.int32]: Wire.varint,
  [Kind.uint32]: Wire.varint,
  [Kind.sint32]: Wire.varint,
  [Kind.fixed32]: Wire.fixed32,
  [Kind.sfixed32]: Wire.fixed32,
  [Kind.int64]: Wire.varint,
  [Kind.uint64]: Wire.varint,
  [Kind.sint64]: Wire.varint,
  [Kind.fixed64]: Wire.fixed64,
  [Kind.sfixed64]: Wire.fixed64,
  [Kind.bool]: Wire.varint,
  [Kind.string]: Wire.bytes,
  [Kind.bytes]: Wire.bytes,
  [Kind.enum]: Wire.varint,
  [Kind.null]: Wire.varint,
  [Kind.message]: Wire.bytes,
};

const enums = new Map<string, EnumPlan>();
const plans = new Map<string, MessagePlan>();

function addValues(plan: EnumPlan, values: Readonly<Record<string, number>>): void {
  for (const [name, number] of Object.entries(values)) {
    plan.numbers.set(name, number);
    // Where two names have one number, the first is the one that is printed.
    if (!plan.names.has(number)) plan.names.set(number, name);
  }
}

function enumPlan(type: string): EnumPlan | undefined {
  const known = enums.get(type);
  if (known !== undefined) return known;
  const schema = enumSchema(type);
  if (schema === undefined) return undefined;
  const plan: EnumPlan = { type, numbers: new Map(), names: new Map(), complete: false };
  addValues(plan, schema);
  enums.set(type, plan);
  return plan;
}

/** Adds the values that the schema was given later; false when they are in already. */
export function completeEnum(plan: EnumPlan): boolean {
  if (plan.complete) return false;
  plan.complete = true;
  addValues(plan, newerValues(plan.type) ?? {});
  return true;
}

function kindOf(type: string): Kind {
  if (!type.includes('.')) return Kind[type as Exclude<keyof typeof Kind, 'enum' | 'null' | 'message'>];
  if (type === 'google.protobuf.NullValue') return Kind.null;
  return WRAPPED.has(type) || FORMS.has(type) || messageSchema(type) !== undefined ? Kind.message : Kind.enum;
}

const NO_RIVALS: readonly string[] = [];

interface Place {
  readonly repeated?: boolean;
  readonly key?: FieldPlan;
  readonly value?: FieldPlan;
  readonly oneof?: number;
  readonly rivals?: readonly string[];
}

/** All field plans are made here, so that they have one shape and the code that reads them stays fast. */
function field(name: string, number: number, type: string, presence: boolean, place: Place = {}): FieldPlan {
  const kind = kindOf(type);
  const enumeration = kind === Kind.enum ? enumPlan(type) : undefined;
  if (kind === undefined || (kind === Kind.enum && enumeration === undefined)) {
    throw new Error(`the schema describes no \`${type}\``);
  }
  return {
    name,
    number,
    kind,
    tag: ((number << 3) | (place.key === undefined ? WIRES[kind] : Wire.bytes)) >>> 0,
    packedTag: ((number << 3) | Wire.bytes) >>> 0,
    repeated: place.repeated ?? false,
    key: place.key,
    value: place.value,
    presence: presence || kind === Kind.message,
    oneof: place.oneof ?? -1,
    rivals: place.rivals ?? NO_RIVALS,
    type,
    message: undefined,
    enumeration,
  };
}

function fieldPlan(plan: MessagePlan, name: string, { n, t, r, k, o }: FieldSchema): FieldPlan {
  if (k !== undefined) {
    const place = { repeated: true, key: field('key', 1, k, true), value: field('value', 2, t, true) };
    return field(name, n, t, false, place);
  }
  // What is `optional` in the .proto file has a oneof of its own, which excludes nothing.
  if (o === undefined || o.startsWith('_')) return field(name, n, t, o !== undefined, { repeated: r !== undefined });
  const rivals = plan.oneofs.get(o) ?? [];
  rivals.push(name);
  plan.oneofs.set(o, rivals);
  return field(name, n, t, true, { rivals, oneof: [...plan.oneofs.keys()].indexOf(o) });
}

/** The name a field has in its .proto file when its JSON name is the usual one. */
function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function addFields(plan: MessagePlan, schema: MessageSchema): void {
  for (const [name, row] of Object.entries(schema)) {
    if (plan.byName.has(name)) continue;
    const made = fieldPlan(plan, name, row);
    plan.byName.set(name, made).set(row.s ?? snakeCase(name), made);
    plan.byNumber[row.n] = made;
  }
}

function compile(type: string): MessagePlan | undefined {
  const wrapped = WRAPPED.get(type);
  const form = wrapped === undefined ? FORMS.get(type) : Form.wrapper;
  const plan: MessagePlan = {
    type,
    form: form ?? Form.fields,
    byName: new Map(),
    byNumber: [],
    oneofs: new Map(),
    wrapped: wrapped === undefined ? undefined : field('value', 1, wrapped, false),
    complete: form !== undefined,
  };
  if (form !== undefined) return plan;
  const schema = messageSchema(type);
  if (schema === undefined) return undefined;
  addFields(plan, schema);
  return plan;
}

/** Adds the fields that the schema was given later; false when they are in already. */
export function completeMessage(plan: MessagePlan): boolean {
  if (plan.complete) return false;
  plan.complete = true;
  addFields(plan, newerFields(plan.type) ?? {});
  return true;
}

/** The plan of a message by its full name; undefined for a type that no schema file describes. */
export function planOf(type: string): MessagePlan | undefined {
  const known = plans.get(type);
  if (known !== undefined) return known;
  const plan = compile(type);
  if (plan !== undefined) plans.set(type, plan);
  return plan;
}

/** The plan of the message that a field holds. */
export function messageOf(field: FieldPlan): MessagePlan {
  return (field.message ??= planOf(field.type)!);
}
