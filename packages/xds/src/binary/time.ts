import { Fault, shown } from './error.ts';

/** Seconds and nanoseconds, as Duration and Timestamp have them. */
export interface Moment {
  readonly seconds: number;
  readonly nanos: number;
}

const DURATION = /^(-?)(\d{1,12})(?:\.(\d{1,9}))?s$/;
const TIMESTAMP = /^(\d{4})-(\d{2})-(\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?:[Zz]|([+-])(\d{2}):(\d{2}))$/;
/** About 10,000 years: google/protobuf/duration.proto. */
const LONGEST_SECONDS = 315_576_000_000;
/** 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z: google/protobuf/timestamp.proto. */
const FIRST_SECOND = -62_135_596_800;
const LAST_SECOND = 253_402_300_799;

/** The digits after the point as nanoseconds. */
function nanosOf(digits: string | undefined): number {
  return digits === undefined ? 0 : Number(digits.padEnd(9, '0'));
}

/** Nanoseconds as proto3 JSON writes them: none, 3, 6 or 9 digits. */
function fraction(nanos: number): string {
  if (nanos === 0) return '';
  const digits = String(nanos).padStart(9, '0');
  return `.${digits.endsWith('000000') ? digits.slice(0, 3) : digits.endsWith('000') ? digits.slice(0, 6) : digits}`;
}

/** Reads `"1.5s"`. */
export function duration(value: unknown): Moment {
  const match = typeof value === 'string' ? DURATION.exec(value) : null;
  if (match === null) throw new Fault(`${shown(value)} is not a duration such as \`1.5s\``);
  const seconds = Number(match[2]);
  const nanos = nanosOf(match[3]);
  if (seconds > LONGEST_SECONDS || (seconds === LONGEST_SECONDS && nanos > 0)) {
    throw new Fault(`${shown(value)} is longer than ${LONGEST_SECONDS}s`);
  }
  // `0 -`, because -0 is not what a message with 0 would be read as.
  return match[1] === '-' ? { seconds: 0 - seconds, nanos: 0 - nanos } : { seconds, nanos };
}

/** Writes a duration; sign and range as the .proto file asks for. */
export function durationToJson({ seconds, nanos }: Moment): string {
  if (Math.abs(seconds) > LONGEST_SECONDS || Math.abs(nanos) > 999_999_999 || seconds * nanos < 0) {
    throw new Fault(`${seconds} s and ${nanos} ns are not a duration`);
  }
  return `${seconds < 0 || nanos < 0 ? '-' : ''}${Math.abs(seconds)}${fraction(Math.abs(nanos))}s`;
}

/** Reads RFC 3339, e.g. `"2026-01-31T12:00:00Z"`; any offset. */
export function timestamp(value: unknown): Moment {
  const match = typeof value === 'string' ? TIMESTAMP.exec(value) : null;
  if (match === null) throw new Fault(`${shown(value)} is not a time such as \`2026-01-31T12:00:00Z\``);
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  date.setUTCHours(hour, minute, second, 0);
  const offset =
    match[8] === undefined ? 0 : (Number(match[9]) * 3600 + Number(match[10]) * 60) * (match[8] === '-' ? -1 : 1);
  const seconds = date.getTime() / 1000 - offset;
  const real = date.getUTCMonth() === month - 1 && date.getUTCDate() === day && hour < 24 && minute < 60 && second < 60;
  if (!real || seconds < FIRST_SECOND || seconds > LAST_SECOND)
    throw new Fault(`${shown(value)} is not a time that exists`);
  return { seconds, nanos: nanosOf(match[7]) };
}

/** Writes a point in time in UTC. */
export function timestampToJson({ seconds, nanos }: Moment): string {
  if (seconds < FIRST_SECOND || seconds > LAST_SECOND || nanos < 0 || nanos > 999_999_999) {
    throw new Fault(`${seconds} s and ${nanos} ns are not a time`);
  }
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}${fraction(nanos)}Z`;
}
