import {
  type EnumSchema,
  type FieldSchema,
  type MessageSchema,
  enumSchema,
  messageSchema,
  newerFields,
  newerValues,
} from '@mizzen/xds/binary/schema.ts';

export type Field = FieldSchema;
export type Message = MessageSchema;
export type Enum = EnumSchema;

const messages = new Map<string, Message | undefined>();
const enums = new Map<string, Enum | undefined>();

/** The fields of a message of Envoy's API, of Istio's extensions of it and of what both are made of. */
export function messageOf(name: string): Message | undefined {
  return kept(messages, name, () => joined(messageSchema(name), newerFields(name)));
}

export function enumOf(name: string): Enum | undefined {
  // Most fields are scalars.
  return name.includes('.') ? kept(enums, name, () => joined(enumSchema(name), newerValues(name))) : undefined;
}

function kept<T>(known: Map<string, T | undefined>, name: string, find: () => T | undefined): T | undefined {
  if (!known.has(name)) {
    const found = find();
    // Names are anybody's: only what there is may be kept.
    if (found === undefined) return undefined;
    known.set(name, found);
  }
  return known.get(name);
}

function joined<T extends object>(first: T | undefined, newer: T | undefined): T | undefined {
  return first === undefined || newer === undefined ? (first ?? newer) : { ...newer, ...first };
}

/** The message that an Any holds: what follows the last slash of its `@type`. */
export function anyType(url: string): string {
  return url.slice(url.lastIndexOf('/') + 1);
}
