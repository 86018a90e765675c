export type Fields = Readonly<Record<string, unknown>>;

/** An object of JSON, as against a list or null. */
export function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
