/**
 * Points in time of any year, as nanoseconds since the epoch. What would be before the first or after the last second that
 * 64 bits can count is infinitely far away, and stays so.
 */
import { MAX_INT, MIN_INT } from './values.ts';

const SECOND = 1_000_000_000n;
const INFINITE = 2n ** 63n * SECOND;
/** The calendar repeats itself after 400 years. */
const CYCLE_YEARS = 400n;
const CYCLE_SECONDS = 146_097n * 86_400n;
const BASE_YEAR = 2000n;

export function isInfinite(nanos: bigint): boolean {
  return nanos >= INFINITE || nanos < -INFINITE;
}

/** The sum of two times, of which either may be infinite. */
export function sum(a: bigint, b: bigint): bigint {
  if (isInfinite(a)) return a;
  const total = isInfinite(b) ? b : a + b;
  return isInfinite(total) ? infinite(total > 0n) : total;
}

export function difference(a: bigint, b: bigint): bigint {
  return sum(a, isInfinite(b) ? infinite(b < 0n) : -b);
}

function infinite(positive: boolean): bigint {
  return positive ? INFINITE : -INFINITE - 1n;
}

/** The whole of a division, rounded down. */
function floor(a: bigint, b: bigint): bigint {
  return (a - (((a % b) + b) % b)) / b;
}

/** Whole seconds since the epoch, rounded down; as many as can be counted where it is infinite. */
export function secondsOf(nanos: bigint): bigint {
  if (isInfinite(nanos)) return nanos > 0n ? MAX_INT : MIN_INT;
  return floor(nanos, SECOND);
}

/** A time in UTC by the calendar. */
export interface CivilTime {
  readonly year: bigint;
  /** The same time in a year that a `Date` has and whose calendar is the same. */
  readonly date: Date;
  readonly milliseconds: bigint;
}

const LAST: CivilTime = { year: MAX_INT, date: new Date('2026-12-31T23:59:59Z'), milliseconds: MAX_INT };
const FIRST: CivilTime = { year: MIN_INT, date: new Date('2023-01-01T00:00:00Z'), milliseconds: MIN_INT };

export function civilTime(nanos: bigint): CivilTime {
  if (isInfinite(nanos)) return nanos > 0n ? LAST : FIRST;
  const cycles = floor(nanos, CYCLE_SECONDS * SECOND);
  const date = new Date(Number(floor(nanos - cycles * CYCLE_SECONDS * SECOND, 1_000_000n)));
  const year = BigInt(date.getUTCFullYear()) + cycles * CYCLE_YEARS;
  return { year, date, milliseconds: BigInt(date.getUTCMilliseconds()) };
}

const TIME =
  /^\s*(?:infinite-(future|past)|([+-]?\d{1,20})-(\d\d?)-(\d\d?)[Tt](\d\d?):(\d\d?):(\d\d?)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d)(?::?(\d\d))?))\s*$/;

/** A time as RFC 3339 writes it, as leniently as Envoy reads it; undefined: it is none. */
export function parseTimestamp(text: string): bigint | undefined {
  const parts = TIME.exec(text);
  if (parts === null) return undefined;
  const [, far, year = '', month, day, hour, minute, second, digits = '', sign, offsetHours = 0, offsetMinutes = 0] =
    parts;
  if (far !== undefined) return infinite(far === 'future');
  const cycles = floor(BigInt(year.replace('+', '')) - BASE_YEAR, CYCLE_YEARS);
  const inCycle = Number(BigInt(year.replace('+', '')) - cycles * CYCLE_YEARS);
  const date = new Date(Date.UTC(inCycle, Number(month) - 1, Number(day)));
  if (date.getUTCMonth() !== Number(month) - 1 || date.getUTCDate() !== Number(day)) return undefined;
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 60) return undefined;
  if (Number(offsetHours) > 23 || Number(offsetMinutes) > 59) return undefined;
  const offset = (Number(offsetHours) * 60 + Number(offsetMinutes)) * (sign === '-' ? -60 : 60);
  const inDay = Number(hour) * 3600 + Number(minute) * 60 + Number(second) - offset;
  const seconds = BigInt(date.getTime() / 1000 + inDay) + cycles * CYCLE_SECONDS;
  const nanos = seconds * SECOND + BigInt(digits.slice(0, 9).padEnd(9, '0'));
  return isInfinite(nanos) ? undefined : nanos;
}

/** `2020-01-01T00:00:00.5+00:00`. */
export function printTimestamp(nanos: bigint): string {
  if (isInfinite(nanos)) return nanos > 0n ? 'infinite-future' : 'infinite-past';
  const { year, date } = civilTime(nanos);
  const rest = nanos - floor(nanos, SECOND) * SECOND;
  return `${year}${date.toISOString().slice(-20, -5)}${fraction(rest)}+00:00`;
}

/** `.5`, or nothing where there is none. */
export function fraction(nanos: bigint): string {
  return nanos === 0n ? '' : `.${String(nanos).padStart(9, '0').replace(/0+$/, '')}`;
}
