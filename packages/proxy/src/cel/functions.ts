import { characters } from './characters.ts';
import { compare, equal } from './compare.ts';
import { captureAll, captureFirst, extractBy, matchesRegex } from './regex.ts';
import { parseDuration, printSeconds } from './duration.ts';
import { dayOfYear, timePart, wholeUnits } from './time-parts.ts';
import { difference, parseTimestamp, printTimestamp, secondsOf, sum } from './timestamp.ts';
import {
  Bytes,
  CelMap,
  Duration,
  Failure,
  MAX_INT,
  MIN_INT,
  NOT_CONVERTED,
  NO_KEY,
  NO_OVERLOAD,
  Timestamp,
  TypeName,
  Uint,
  keyOf,
  type Value,
} from './values.ts';

/** Of a function's values, the receiver of a method first. None of them is a failure. */
export type CelFunction = (a: Value, b: Value, c: Value, d?: Value) => Value;

const MAX_UINT = 0xffffffffffffffffn;
const OVERFLOW = new Failure('overflows');
const BY_ZERO = new Failure('divides by zero');

function int(value: bigint): Value {
  return value > MAX_INT || value < MIN_INT ? OVERFLOW : value;
}
function uint(value: bigint): Value {
  return value > MAX_UINT || value < 0n ? OVERFLOW : new Uint(value);
}

function arithmetic(
  whole: (a: bigint, b: bigint) => bigint,
  fraction: ((a: number, b: number) => number) | undefined,
  divides = false,
): CelFunction {
  return (a, b) => {
    if (typeof a === 'bigint' && typeof b === 'bigint') return divides && b === 0n ? BY_ZERO : int(whole(a, b));
    if (typeof a === 'number' && typeof b === 'number') return fraction === undefined ? NO_OVERLOAD : fraction(a, b);
    if (a instanceof Uint && b instanceof Uint)
      return divides && b.value === 0n ? BY_ZERO : uint(whole(a.value, b.value));
    return NO_OVERLOAD;
  };
}
const plus = arithmetic(
  (a, b) => a + b,
  (a, b) => a + b,
);
const minus = arithmetic(
  (a, b) => a - b,
  (a, b) => a - b,
);

const add: CelFunction = (a, b, c) => {
  if (a instanceof Duration && b instanceof Duration) return new Duration(sum(a.nanos, b.nanos));
  if (a instanceof Timestamp && b instanceof Duration) return new Timestamp(sum(a.nanos, b.nanos));
  if (a instanceof Duration && b instanceof Timestamp) return new Timestamp(sum(a.nanos, b.nanos));
  return plus(a, b, c);
};
const subtract: CelFunction = (a, b, c) => {
  if (a instanceof Duration && b instanceof Duration) return new Duration(difference(a.nanos, b.nanos));
  if (a instanceof Timestamp && b instanceof Duration) return new Timestamp(difference(a.nanos, b.nanos));
  if (a instanceof Timestamp && b instanceof Timestamp) return new Duration(difference(a.nanos, b.nanos));
  return minus(a, b, c);
};

function relation(holds: (order: number) => boolean): CelFunction {
  return (a, b) => {
    const order = compare(a, b);
    return order === undefined ? NO_OVERLOAD : holds(order);
  };
}

const index: CelFunction = (a, b) => {
  if (a instanceof CelMap) {
    const found = a.get(b);
    return found === undefined ? NO_KEY : found;
  }
  if (!Array.isArray(a)) return NO_OVERLOAD;
  const at = keyOf(b);
  if (typeof at !== 'bigint') return NO_OVERLOAD;
  return at >= 0n && at < BigInt(a.length) ? (a[Number(at)] as Value) : NO_KEY;
};

const within: CelFunction = (a, b) => {
  if (b instanceof CelMap) return b.get(a) !== undefined;
  if (!Array.isArray(b)) return NO_OVERLOAD;
  return b.some((item: Value) => equal(a, item) === true);
};

const size: CelFunction = (a) => {
  if (typeof a === 'string') return BigInt(characters(a).length);
  if (a instanceof Bytes) return BigInt(a.text.length);
  if (Array.isArray(a)) return BigInt(a.length);
  return a instanceof CelMap ? BigInt(a.size) : NO_OVERLOAD;
};

function ofText(test: (a: string, b: string) => Value): CelFunction {
  return (a, b) => (typeof a === 'string' && typeof b === 'string' ? test(a, b) : NO_OVERLOAD);
}

const toInt: CelFunction = (a) => {
  if (typeof a === 'bigint') return a;
  if (a instanceof Uint) return int(a.value);
  if (typeof a === 'number') return Number.isFinite(a) && Math.abs(a) < 2 ** 63 ? BigInt(Math.trunc(a)) : OVERFLOW;
  if (typeof a === 'string')
    return /^\s*[+-]?\d+\s*$/.test(a) ? int(BigInt(a.trim().replace(/^\+/, ''))) : NOT_CONVERTED;
  return a instanceof Timestamp ? secondsOf(a.nanos) : NO_OVERLOAD;
};
const toUint: CelFunction = (a) => {
  if (a instanceof Uint) return a;
  if (typeof a === 'bigint') return uint(a);
  if (typeof a === 'number')
    return Number.isFinite(a) && a > -1 && a < 2 ** 64 ? uint(BigInt(Math.trunc(a))) : OVERFLOW;
  if (typeof a === 'string')
    return /^\s*\+?\d+\s*$/.test(a) ? uint(BigInt(a.trim().replace(/^\+/, ''))) : NOT_CONVERTED;
  return NO_OVERLOAD;
};
const toDouble: CelFunction = (a) => {
  if (typeof a === 'number') return a;
  if (typeof a === 'bigint') return Number(a);
  if (a instanceof Uint) return Number(a.value);
  if (typeof a !== 'string') return NO_OVERLOAD;
  const number = Number(a);
  return a.trim() === '' || Number.isNaN(number) ? NOT_CONVERTED : number;
};
const toDuration: CelFunction = (a) => {
  if (a instanceof Duration) return a;
  if (typeof a !== 'string') return NO_OVERLOAD;
  const nanos = parseDuration(a);
  return nanos === undefined ? NOT_CONVERTED : new Duration(nanos);
};
const toTimestamp: CelFunction = (a) => {
  if (a instanceof Timestamp) return a;
  if (typeof a === 'bigint') return new Timestamp(a * 1_000_000_000n);
  if (typeof a !== 'string') return NO_OVERLOAD;
  const nanos = parseTimestamp(a);
  return nanos === undefined ? NOT_CONVERTED : new Timestamp(nanos);
};
export const toText: CelFunction = (a) => {
  if (typeof a === 'string') return a;
  if (typeof a === 'bigint' || typeof a === 'number' || typeof a === 'boolean') return String(a);
  if (a instanceof Uint) return String(a.value);
  if (a instanceof Bytes) return a.text;
  if (a instanceof Duration) return printSeconds(a.nanos);
  return a instanceof Timestamp ? printTimestamp(a.nanos).replace('+00:00', 'Z') : NO_OVERLOAD;
};

function typeOf(a: Value): string {
  if (a === null) return 'null_type';
  if (typeof a === 'boolean') return 'bool';
  if (typeof a === 'number') return 'double';
  if (typeof a === 'bigint') return 'int';
  if (typeof a === 'string') return 'string';
  if (a instanceof Uint) return 'uint';
  if (a instanceof Bytes) return 'bytes';
  if (a instanceof Duration) return 'google.protobuf.Duration';
  if (a instanceof Timestamp) return 'google.protobuf.Timestamp';
  if (a instanceof TypeName) return 'type';
  return Array.isArray(a) ? 'list' : 'map';
}

/** What every expression may call, by name; methods and functions are not told apart, as their values do that. */
export const FUNCTIONS: Readonly<Record<string, CelFunction>> = {
  '_+_': add,
  '_-_': subtract,
  '_*_': arithmetic(
    (a, b) => a * b,
    (a, b) => a * b,
  ),
  '_/_': arithmetic(
    (a, b) => a / b,
    (a, b) => a / b,
    true,
  ),
  '_%_': arithmetic((a, b) => a % b, undefined, true),
  '-_': (a) => (typeof a === 'bigint' ? int(-a) : typeof a === 'number' ? -a : NO_OVERLOAD),
  '!_': (a) => (typeof a === 'boolean' ? !a : NO_OVERLOAD),
  '_==_': equal,
  '_!=_': (a, b) => {
    const same = equal(a, b);
    return typeof same === 'boolean' ? !same : same;
  },
  '_<_': relation((order) => order < 0),
  '_<=_': relation((order) => order <= 0),
  '_>_': relation((order) => order > 0),
  '_>=_': relation((order) => order >= 0),
  '_[_]': index,
  '@in': within,
  size,
  contains: ofText((a, b) => a.includes(b)),
  startsWith: ofText((a, b) => a.startsWith(b)),
  endsWith: ofText((a, b) => a.endsWith(b)),
  matches: ofText(matchesRegex),
  're.extract': (a, b, c) =>
    typeof a === 'string' && typeof b === 'string' && typeof c === 'string' ? extractBy(a, b, c) : NO_OVERLOAD,
  're.capture': ofText(captureFirst),
  're.captureN': ofText(captureAll),
  int: toInt,
  uint: toUint,
  double: toDouble,
  duration: toDuration,
  timestamp: toTimestamp,
  bytes: (a) => (a instanceof Bytes ? a : typeof a === 'string' ? new Bytes(a) : NO_OVERLOAD),
  dyn: (a) => a,
  type: (a) => new TypeName(typeOf(a)),
  getFullYear: timePart(({ year }) => year),
  getMonth: timePart(({ date }) => date.getUTCMonth()),
  getDayOfYear: timePart(dayOfYear),
  getDayOfMonth: timePart(({ date }) => date.getUTCDate() - 1),
  getDate: timePart(({ date }) => date.getUTCDate()),
  getDayOfWeek: timePart(({ date }) => date.getUTCDay()),
  getHours: timePart(
    ({ date }) => date.getUTCHours(),
    (nanos) => wholeUnits(nanos, 3_600_000_000_000n),
  ),
  getMinutes: timePart(
    ({ date }) => date.getUTCMinutes(),
    (nanos) => wholeUnits(nanos, 60_000_000_000n),
  ),
  getSeconds: timePart(
    ({ date }) => date.getUTCSeconds(),
    (nanos) => wholeUnits(nanos, 1_000_000_000n),
  ),
  getMilliseconds: timePart(
    ({ milliseconds }) => milliseconds,
    (nanos) => wholeUnits(nanos, 1_000_000n) % 1000n,
  ),
};
