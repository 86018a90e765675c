import { readFileSync } from 'node:fs';

/** One field of a message, as tools/gen writes it. */
export interface FieldSchema {
  /** Field number. */
  readonly n: number;
  /** Full message or enum name, or a scalar's name. */
  readonly t: string;
  /** Repeated. */
  readonly r?: 1;
  /** Key type of a map. */
  readonly k?: string;
  /** Name of the oneof it belongs to. */
  readonly o?: string;
  /** Name in the .proto file, where it is not the JSON name with `_` before each capital. */
  readonly s?: string;
}
export type MessageSchema = Readonly<Record<string, FieldSchema>>;
export type EnumSchema = Readonly<Record<string, number>>;
interface Schema {
  readonly messages: Readonly<Record<string, MessageSchema>>;
  readonly enums: Readonly<Record<string, EnumSchema>>;
}
interface Rest extends Schema {
  /** Fields that messages of the first file have been given since. */
  readonly more: Readonly<Record<string, MessageSchema>>;
  /** The same for the values of enums. */
  readonly moreEnums: Readonly<Record<string, EnumSchema>>;
}

let first: Schema | undefined;
let rest: Rest | undefined;

function read<T>(file: string): T {
  return JSON.parse(readFileSync(new URL(file, import.meta.url), 'utf8')) as T;
}

/** What proxies and control planes exchange every day, and what the translator writes. */
function common(): Schema {
  return (first ??= read<Schema>('../gen/schema.gen.json'));
}

/** All other messages of Envoy's v3 API. Read when somebody asks for one of them: most processes never do. */
function others(): Rest {
  return (rest ??= read<Rest>('../gen/rest.gen.json'));
}

/** Own properties only: the name may come from anybody. */
function own<T>(table: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

/** The fields of a message by JSON name; undefined for a type that is in no schema file. */
export function messageSchema(name: string): MessageSchema | undefined {
  return own(common().messages, name) ?? own(others().messages, name);
}

/** The numbers of an enum's values by name; undefined for a type that is in no schema file. */
export function enumSchema(name: string): EnumSchema | undefined {
  return own(common().enums, name) ?? own(others().enums, name);
}

/** Fields of a message, among them those that `messageSchema` does not have because they are newer. */
export function newerFields(name: string): MessageSchema | undefined {
  // A message that has come into the first file since the other was written is still whole in that one.
  return own(others().more, name) ?? own(others().messages, name);
}

/** Values of an enum that `enumSchema` does not have, because they are newer. */
export function newerValues(name: string): EnumSchema | undefined {
  return own(others().moreEnums, name);
}
