import { readFileSync } from 'node:fs';

/** One field of a message, as the generator writes it. */
export interface Field {
  /** Its number on the wire. */
  readonly n: number;
  /** A scalar kind (`string`, `int32`, …) or the full name of a message or enumeration. */
  readonly t: string;
  readonly r?: 1;
  /** For maps: the kind of the keys; `t` is that of the values. */
  readonly k?: string;
  readonly o?: string;
}
export type MessageSchema = Readonly<Record<string, Field>>;
interface Schema {
  readonly messages: Readonly<Record<string, MessageSchema>>;
  readonly enums: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

let loaded: Schema | undefined;

/** Istio's API as data. Read on first use: most commands never need it. */
export function schema(): Schema {
  loaded ??= JSON.parse(readFileSync(new URL('./gen/schema.gen.json', import.meta.url), 'utf8')) as Schema;
  return loaded;
}

export function messageSchema(name: string): MessageSchema | undefined {
  return schema().messages[name];
}

export function enumSchema(name: string): Readonly<Record<string, number>> | undefined {
  return schema().enums[name];
}
