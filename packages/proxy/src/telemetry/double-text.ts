import type { JsonObject, JsonValue } from '@mizzen/xds';

/** What ECMAScript has to put a number's text into JSON as it is; TypeScript's library does not know it yet. */
const raw = JSON as unknown as { rawJSON(text: string): JsonObject; isRawJSON(value: unknown): boolean };

/** Whether a value is a number that `withDoubles` has written down. */
export const isWritten = (value: JsonValue): boolean => raw.isRawJSON(value);

/** The shorter of `100000` and `1e+05` that reads back as the same double: `std::to_chars`, as Envoy writes metadata. */
export function shortestDouble(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (Object.is(value, -0)) return '-0';
  const scientific = twoDigitExponent(value.toExponential());
  const fixed = fixedText(value);
  return fixed !== undefined && fixed.length <= scientific.length ? fixed : scientific;
}

/** 15 significant digits, or 17 where those do not read back as the same double: `%.15g`, as protobuf writes JSON. */
export function generalDouble(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (Object.is(value, -0)) return '-0';
  const digits = Number(value.toPrecision(15)) === value ? 15 : 17;
  const exponential = value.toExponential(digits - 1);
  const exponent = Number(exponential.slice(exponential.indexOf('e') + 1));
  const trim = (text: string): string => (text.includes('.') ? text.replace(/0+$/, '').replace(/\.$/, '') : text);
  if (exponent >= -4 && exponent < digits) return trim(value.toFixed(Math.max(0, digits - 1 - exponent)));
  const [mantissa = '', power = ''] = exponential.split('e');
  return twoDigitExponent(`${trim(mantissa)}e${power}`);
}

/** All digits and `digits` more behind the point. */
export function exactFixed(value: number, digits: number): string {
  return Math.abs(value) < 1e21 ? value.toFixed(digits) : `${BigInt(value)}.${'0'.repeat(digits)}`;
}

/** The value with every finite number written down by `write`, for `JSON.stringify`, which makes `null` of the others. */
export function withDoubles(value: JsonValue, write: (value: number) => string): JsonValue {
  if (typeof value === 'number') return Number.isFinite(value) ? raw.rawJSON(write(value)) : value;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return (value as readonly JsonValue[]).map((part) => withDoubles(part, write));
  return Object.fromEntries(
    Object.entries(value as JsonObject).map(([name, part]) => [name, withDoubles(part ?? null, write)]),
  );
}

/** Undefined: too many digits for this to be the shorter one. */
function fixedText(value: number): string | undefined {
  if (Number.isInteger(value)) return BigInt(value).toString();
  const [mantissa = '', power = '0'] = value.toExponential().split('e');
  const decimals = (mantissa.split('.')[1] ?? '').length - Number(power);
  return decimals > 100 ? undefined : value.toFixed(decimals);
}

function twoDigitExponent(text: string): string {
  return text.replace(/e([+-])(\d)$/, 'e$10$2');
}
