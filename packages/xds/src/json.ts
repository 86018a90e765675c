/** JSON as data: what a Struct, a Value or an Any carries. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: JsonValue | undefined;
}

/** A span of time as proto3 JSON writes it: decimal seconds and `s`, e.g. `"1.5s"`. */
export type Duration = string;

/** A point in time in RFC 3339, e.g. `"2026-01-31T12:00:00Z"`. */
export type Timestamp = string;

/** A message whose type its `@type` names (`type.googleapis.com/` and the full message name). */
export interface Any {
  readonly '@type': string;
  readonly [field: string]: unknown;
}

/** A message without fields. */
export type Empty = Readonly<Record<string, never>>;
