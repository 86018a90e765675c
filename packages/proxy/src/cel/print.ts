import { printTimestamp } from './timestamp.ts';
import { printDuration } from './duration.ts';
import { Bytes, CelMap, Duration, Failure, Timestamp, TypeName, Uint, type Value } from './values.ts';

/** A value as access logs show it; undefined: there is none. */
export function printValue(value: Value): string | undefined {
  if (value instanceof Failure) return undefined;
  if (value === null) return 'NULL';
  if (typeof value === 'number') return printDouble(value);
  if (typeof value === 'string') return value;
  if (typeof value === 'boolean' || typeof value === 'bigint') return String(value);
  if (value instanceof Uint) return String(value.value);
  if (value instanceof Bytes) return value.text;
  if (value instanceof Duration) return printDuration(value.nanos);
  if (value instanceof Timestamp) return printTimestamp(value.nanos);
  if (value instanceof TypeName) return 'CelType value';
  if (value instanceof CelMap) return value.print?.() ?? 'CelMap value';
  return 'CelList value';
}

/** Six digits, as C++ does when it is not told otherwise. */
function printDouble(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  if (value === 0) return Object.is(value, -0) ? '-0' : '0';
  const exponent = Math.floor(Math.log10(Math.abs(Number(value.toPrecision(6)))));
  if (exponent >= -4 && exponent < 6) return String(Number(value.toPrecision(6)));
  const [digits = '', power = ''] = value.toExponential(5).split('e');
  const short = digits.replace(/\.?0+$/, '');
  return `${short}e${power[0]}${power.slice(1).padStart(2, '0')}`;
}
