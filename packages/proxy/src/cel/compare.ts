import {
  Bytes,
  CelMap,
  Duration,
  LiteralMap,
  NO_OVERLOAD,
  Timestamp,
  TypeName,
  Uint,
  type Failure,
  type Value,
} from './values.ts';

/** Less than 0, 0, more than 0; NaN where numbers cannot be compared; undefined where nothing of the kind is possible. */
export function compare(a: Value, b: Value): number | undefined {
  const left = a instanceof Uint ? a.value : a;
  const right = b instanceof Uint ? b.value : b;
  const numbers =
    (typeof left === 'bigint' || typeof left === 'number') && (typeof right === 'bigint' || typeof right === 'number');
  if (
    numbers ||
    (typeof left === 'string' && typeof right === 'string') ||
    (typeof left === 'boolean' && typeof right === 'boolean')
  )
    return left < right ? -1 : left > right ? 1 : left >= right ? 0 : Number.NaN;
  if (left instanceof Bytes && right instanceof Bytes) return compare(left.text, right.text);
  if (
    (left instanceof Duration && right instanceof Duration) ||
    (left instanceof Timestamp && right instanceof Timestamp)
  )
    return compare(left.nanos, right.nanos);
  return undefined;
}

/** Values of different types are different, numbers apart. */
export function equal(a: Value, b: Value): boolean | Failure {
  const order = compare(a, b);
  if (order !== undefined) return order === 0;
  if (Array.isArray(a) && Array.isArray(b)) {
    if (a.length !== b.length) return false;
    for (let i = 0; i < a.length; i++) {
      const same = equal(a[i] as Value, b[i] as Value);
      if (same !== true) return same;
    }
    return true;
  }
  if (a instanceof LiteralMap && b instanceof LiteralMap) {
    if (a.size !== b.size) return false;
    for (const [key, value] of a.entries()) {
      const other = b.get(key);
      const same = other !== undefined && equal(value, other);
      if (same !== true) return same;
    }
    return true;
  }
  if (a instanceof TypeName && b instanceof TypeName) return a.name === b.name;
  if (a instanceof CelMap && b instanceof CelMap) return a === b ? true : NO_OVERLOAD;
  return a === null && b === null;
}
