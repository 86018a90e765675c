import type { Headers } from '../http/headers.ts';

/** Why a request leaves spans; `none`: it does not. */
export type TraceReason = 'none' | 'sampled' | 'forced' | 'client';

/** Place of the digit that carries the decision, in a request id that is a UUID. */
const DIGIT = 14;
const LENGTH = 36;
const DIGITS: Readonly<Record<TraceReason, string>> = { none: '4', sampled: '9', forced: 'a', client: 'b' };

/** What a request id says that was decided before. */
export function traceReason(id: string): TraceReason {
  if (id.length !== LENGTH) return 'none';
  switch (id[DIGIT]) {
    case '9':
      return 'sampled';
    case 'a':
      return 'forced';
    case 'b':
      return 'client';
    default:
      return 'none';
  }
}

export function setTraceReason(headers: Headers, reason: TraceReason): void {
  const id = headers.get('x-request-id');
  if (id === undefined || id.length !== LENGTH || id[DIGIT] === DIGITS[reason]) return;
  headers.set('x-request-id', id.slice(0, DIGIT) + DIGITS[reason] + id.slice(DIGIT + 1));
}

/** A number that all proxies on a request's way draw alike; undefined when the id holds none. */
export function numberOf(id: string): number | undefined {
  if (id.length < 8) return undefined;
  const high = halfOf(id, 0);
  const low = halfOf(id, 4);
  return high < 0 || low < 0 ? undefined : ((high << 16) | low) >>> 0;
}

/** The number that four hexadecimal digits are; negative when they are none. Small ones, which need no memory. */
function halfOf(id: string, from: number): number {
  const a = digitOf(id.charCodeAt(from));
  const b = digitOf(id.charCodeAt(from + 1));
  const c = digitOf(id.charCodeAt(from + 2));
  const d = digitOf(id.charCodeAt(from + 3));
  return (a << 12) | (b << 8) | (c << 4) | d;
}

/** 0 to 15, or -1, which makes all that it is or-ed into negative. */
function digitOf(code: number): number {
  return code < 128 ? HEX[code]! : -1;
}

const HEX = new Int8Array(128).fill(-1);
for (const [value, digit] of Array.from('0123456789abcdef').entries()) {
  HEX[digit.charCodeAt(0)] = value;
  HEX[digit.toUpperCase().charCodeAt(0)] = value;
}
