import { readFileSync } from 'node:fs';

/** One field of a message, as packages/xds/src/gen/schema.gen.json has it. */
export interface FieldSchema {
  /** Full message or enum name, a scalar's name, or one of google.protobuf's well-known types. */
  readonly t: string;
  /** Repeated. */
  readonly r?: 1;
  /** Key type of a map. */
  readonly k?: string;
  /** Name of the oneof it belongs to. */
  readonly o?: string;
}
export interface Schema {
  readonly messages: Readonly<Record<string, Readonly<Record<string, FieldSchema>>>>;
  readonly enums: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

let loaded: Schema | undefined;

/** Envoy's API as the xds package generates it. Read on first use: it is 180 kB. */
export function schema(): Schema {
  if (loaded !== undefined) return loaded;
  loaded = JSON.parse(readFileSync(new URL(import.meta.resolve('@mizzen/xds/gen/schema.gen.json')), 'utf8')) as Schema;
  // Whoever looks up a name that somebody wrote finds nothing under `constructor`.
  for (const names of [loaded.messages, loaded.enums])
    for (const table of [names, ...Object.values(names)]) Object.setPrototypeOf(table, null);
  return loaded;
}
