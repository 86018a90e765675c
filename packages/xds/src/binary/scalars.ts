import { Fault, shown } from './error.ts';

const INTEGER = /^-?(?:0|[1-9]\d*)$/;
const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const BASE64 = /^[A-Za-z0-9+/_-]*={0,2}$/;
const LARGEST_FLOAT = 3.4028234663852886e38;

function notA(what: string, value: unknown): Fault {
  return new Fault(`${shown(value)} is not ${what}`);
}

/** An integer of at most 32 bits. Text is read as a number, as proto3 JSON has it. */
export function integer(value: unknown, lowest: number, highest: number): number {
  let number = value;
  if (typeof value === 'string' && NUMBER.test(value)) number = Number(value);
  if (typeof number !== 'number' || !Number.isInteger(number)) throw notA('an integer', value);
  if (number < lowest || number > highest) throw new Fault(`${shown(value)} is not between ${lowest} and ${highest}`);
  return number;
}

const SIGNED_LOWEST = -(2n ** 63n);
const SIGNED_HIGHEST = 2n ** 63n - 1n;
const UNSIGNED_HIGHEST = 2n ** 64n - 1n;

function bigInteger(value: unknown): bigint {
  if (typeof value === 'string' && INTEGER.test(value) && value.length <= 20) return BigInt(value);
  const number = typeof value === 'string' && NUMBER.test(value) ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isInteger(number)) throw notA('an integer', value);
  return BigInt(number);
}

/** The halves of a 64-bit integer, the lower one returned and the upper one left in `halves.high`. */
export const halves = { high: 0 };

/** A 64-bit integer in two's complement: returns its lower half, leaves the upper one in `halves.high`. */
export function integer64(value: unknown, signed: boolean): number {
  let number = value;
  if (typeof value === 'string' && value.length <= 15 && INTEGER.test(value)) number = Number(value);
  if (typeof number === 'number' && Number.isSafeInteger(number) && (number >= 0 || signed)) {
    const low = number >>> 0;
    halves.high = ((number - low) / 0x1_0000_0000) >>> 0;
    return low;
  }
  const whole = bigInteger(value);
  const [lowest, highest] = signed ? [SIGNED_LOWEST, SIGNED_HIGHEST] : [0n, UNSIGNED_HIGHEST];
  if (whole < lowest || whole > highest) throw new Fault(`${shown(value)} is not between ${lowest} and ${highest}`);
  halves.high = Number((whole >> 32n) & 0xffff_ffffn);
  return Number(whole & 0xffff_ffffn);
}

/** A floating-point number: JSON's, or the texts NaN, Infinity and -Infinity. */
export function float(value: unknown, single: boolean): number {
  let number = value;
  if (typeof value === 'string') {
    if (value === 'NaN') return NaN;
    if (value === 'Infinity') return Infinity;
    if (value === '-Infinity') return -Infinity;
    if (NUMBER.test(value)) number = Number(value);
  }
  if (typeof number !== 'number' || Number.isNaN(number)) throw notA('a number', value);
  if (!Number.isFinite(number) || (single && Math.abs(number) > LARGEST_FLOAT)) {
    throw new Fault(`${shown(value)} is too large for ${single ? 'a float' : 'a double'}`);
  }
  return number;
}

/** Bytes of base64 text, in the standard or the URL alphabet, padded or not. */
export function base64(value: unknown): Uint8Array {
  if (typeof value !== 'string' || !BASE64.test(value)) throw notA('base64', value);
  const letters = value.endsWith('==') ? value.length - 2 : value.endsWith('=') ? value.length - 1 : value.length;
  if (letters % 4 === 1 || (letters < value.length && value.length % 4 !== 0)) throw notA('base64', value);
  return Buffer.from(value, 'base64');
}

/** A single-precision number in the fewest digits that mean it, as Envoy prints it: 0.1, not 0.10000000149011612. */
export function floatToJson(value: number): number | string {
  if (!Number.isFinite(value)) return String(value);
  if (Number.isInteger(value)) return value;
  for (let digits = 6; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return short;
  }
  return Number(value.toPrecision(9));
}

/** A double as JSON has it. */
export function doubleToJson(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}

/** A 64-bit integer of two halves as the text that JSON has for it. */
export function integer64ToJson(low: number, high: number, signed: boolean): string {
  const lower = low >>> 0;
  const upper = signed ? high | 0 : high >>> 0;
  if (upper >= -0x20_0000 && upper < 0x20_0000) return String(upper * 0x1_0000_0000 + lower);
  return String((BigInt(upper) << 32n) | BigInt(lower));
}
