import type { CelFunction } from './functions.ts';
import { civilTime, isInfinite, sum, type CivilTime } from './timestamp.ts';
import { Duration, MAX_INT, MIN_INT, NO_OVERLOAD, NOT_CONVERTED, Timestamp, type Value } from './values.ts';

/** A part of a time, in a time zone given as an offset or by name; or of a duration, which has no zone. */
export function timePart(
  part: (time: CivilTime) => number | bigint,
  ofDuration?: (nanos: bigint) => bigint,
): CelFunction {
  return (a, b) => {
    if (a instanceof Duration && b === undefined) return ofDuration === undefined ? NO_OVERLOAD : ofDuration(a.nanos);
    if (!(a instanceof Timestamp)) return NO_OVERLOAD;
    const offset = b === undefined ? 0 : zoneOffset(b, a.nanos);
    if (offset === undefined) return NOT_CONVERTED;
    return BigInt(part(civilTime(sum(a.nanos, BigInt(offset) * 1_000_000_000n))));
  };
}

/** How often a unit fits into a duration; as often as can be counted where that is infinite. */
export function wholeUnits(nanos: bigint, unit: bigint): bigint {
  if (isInfinite(nanos)) return nanos > 0n ? MAX_INT : MIN_INT;
  const units = nanos / unit;
  return units > MAX_INT ? MAX_INT : units < MIN_INT ? MIN_INT : units;
}

/** Counted from 0. */
export function dayOfYear({ date }: CivilTime): number {
  return Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / 86_400_000);
}

/** How far the clocks of a zone are from UTC at a time, seconds. */
function zoneOffset(zone: Value, at: bigint): number | undefined {
  if (typeof zone !== 'string') return undefined;
  if (zone === 'UTC' || zone === 'Z' || zone === '') return 0;
  const [, sign, hours, minutes] = /^([+-]?)(\d{1,4}):(\d{1,4})$/.exec(zone) ?? [];
  if (sign === undefined) return namedZoneOffset(zone, at);
  return (Number(hours) * 60 + Number(minutes)) * (sign === '-' ? -60 : 60);
}

/** The last time that a `Date` has, milliseconds. */
const LAST_DATE = 8_640_000_000_000_000n;

/** That of the zone asked for last: dear to make, and expressions ask for the same again. */
let lastZone: { readonly timeZone: string; readonly format: Intl.DateTimeFormat } | undefined;

/** Throws a RangeError where nobody knows such a zone. */
function zoneFormat(timeZone: string): Intl.DateTimeFormat {
  if (lastZone?.timeZone !== timeZone)
    lastZone = { timeZone, format: new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' }) };
  return lastZone.format;
}

function namedZoneOffset(timeZone: string, at: bigint): number | undefined {
  const milliseconds = at / 1_000_000n;
  const isDate = milliseconds <= LAST_DATE && milliseconds >= -LAST_DATE;
  let parts: Intl.DateTimeFormatPart[];
  try {
    parts = zoneFormat(timeZone).formatToParts(isDate ? Number(milliseconds) : civilTime(at).date);
  } catch {
    return undefined;
  }
  const name = parts.find(({ type }) => type === 'timeZoneName')?.value ?? '';
  const [, sign, hours = 0, minutes = 0, seconds = 0] = /^GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?$/.exec(name) ?? [];
  return (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * (sign === '-' ? -1 : 1);
}
