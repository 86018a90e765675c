import type { JsonObject, JsonValue } from '@mizzen/xds';
import { isWritten } from './double-text.ts';
import type { OperatorValue } from './operators/operator.ts';

/** Text of a value: what is absent becomes `absent`; objects and lists are JSON. */
export function asText(value: OperatorValue, absent: string): string {
  if (typeof value === 'string') return value;
  if (value === undefined || value === null) return absent;
  return typeof value === 'object' ? sortedJson(value) : String(value);
}

/** JSON with the keys of every object sorted, as Envoy prints structures. */
export function sortedJson(value: JsonValue): string {
  return JSON.stringify(value, (_, part: JsonValue) =>
    typeof part === 'object' && part !== null && !Array.isArray(part) && !isWritten(part)
      ? Object.fromEntries(Object.entries(part as JsonObject).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
