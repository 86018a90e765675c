import { readFileSync } from 'node:fs';

/** One field of a message, as packages/xds/src/gen/schema.gen.json has it. */
export interface Field {
  /** A scalar kind, or the full name of a message or an enumeration. */
  readonly t: string;
  readonly r?: 1;
  /** For maps: the kind of the keys; `t` is that of the values. */
  readonly k?: string;
  /** The `oneof` it belongs to. */
  readonly o?: string;
}
export type Message = Readonly<Record<string, Field>>;

interface Schema {
  readonly messages: Readonly<Record<string, Message>>;
  readonly enums: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

let loaded: Schema | undefined;

/** Envoy's API as data. Read on first use: most meshes have no EnvoyFilter. */
function schema(): Schema {
  loaded ??= JSON.parse(
    readFileSync(new URL(import.meta.resolve('@mizzen/xds/gen/schema.gen.json')), 'utf8'),
  ) as Schema;
  return loaded;
}

export function messageOf(name: string): Message | undefined {
  const { messages } = schema();
  return Object.hasOwn(messages, name) ? messages[name] : undefined;
}

export function enumOf(name: string): Readonly<Record<string, number>> | undefined {
  const { enums } = schema();
  return Object.hasOwn(enums, name) ? enums[name] : undefined;
}

/** The message that an Any holds: what follows the last slash of its `@type`. */
export function anyType(url: string): string {
  return url.slice(url.lastIndexOf('/') + 1);
}
