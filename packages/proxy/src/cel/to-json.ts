import type { JsonObject, JsonValue } from '@mizzen/xds';
import { isInfinite, printTimestamp } from './timestamp.ts';
import { printSeconds } from './duration.ts';
import { Bytes, CelMap, Duration, Failure, LiteralMap, Timestamp, TypeName, Uint, type Value } from './values.ts';

/** A value as JSON, text one character a byte; undefined: it is none that JSON has. */
export function jsonOf(value: Value): JsonValue | undefined {
  if (value instanceof Failure || value instanceof TypeName) return undefined;
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return value;
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Uint) return Number(value.value);
  if (value instanceof Bytes) return Buffer.from(value.text, 'latin1').toString('base64');
  if (value instanceof Duration) return isInfinite(value.nanos) ? undefined : inThrees(printSeconds(value.nanos));
  if (value instanceof Timestamp)
    return isInfinite(value.nanos) ? undefined : inThrees(printTimestamp(value.nanos)).replace('+00:00', 'Z');
  if (value instanceof CelMap) return objectOf(value);
  const items: JsonValue[] = [];
  for (const each of value) {
    const item = jsonOf(each);
    if (item === undefined) return undefined;
    items.push(item);
  }
  return items;
}

/** Thousandths, millionths or billionths of a second, as many as there are. */
function inThrees(text: string): string {
  return text.replace(/\.(\d+)/, (_, digits: string) => `.${digits.padEnd(Math.ceil(digits.length / 3) * 3, '0')}`);
}

/** Of maps that know all their keys. */
function objectOf(map: CelMap): JsonValue | undefined {
  if (map.json !== undefined) return map.json();
  if (!(map instanceof LiteralMap)) return undefined;
  const object: Record<string, JsonValue> = {};
  for (const [key, each] of map.entries()) {
    const value = jsonOf(each);
    if (value === undefined) return undefined;
    object[key instanceof Uint ? String(key.value) : String(key as string | boolean | bigint)] = value;
  }
  return object as JsonObject;
}
