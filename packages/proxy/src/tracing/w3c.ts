/** W3C's trace context: `traceparent` and `tracestate`. */
import type { Headers } from '../http/headers.ts';

export interface W3cContext {
  readonly version: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly sampled: boolean;
  readonly state: string;
}

/** Undefined: there is none; `bad`: it cannot be understood. */
export function contextOfW3c(headers: Headers): W3cContext | 'bad' | undefined {
  const parent = headers.get('traceparent');
  if (parent === undefined) return undefined;
  let lower = parent;
  if (!PARENT.test(parent)) {
    lower = parent.toLowerCase();
    if (!PARENT.test(lower)) return 'bad';
  }
  if (isZero(lower.charCodeAt(3)) && lower.startsWith(ZEROS, 3)) return 'bad';
  if (isZero(lower.charCodeAt(36)) && lower.startsWith(HALF_ZEROS, 36)) return 'bad';
  return {
    version: isZero(parent.charCodeAt(0)) && isZero(parent.charCodeAt(1)) ? '00' : parent.slice(0, 2),
    traceId: lower.slice(3, 35),
    spanId: lower.slice(36, 52),
    sampled: isOdd(lower.charCodeAt(54)),
    state: headers.getJoined('tracestate') ?? '',
  };
}
function isZero(code: number): boolean {
  return code === 0x30;
}
/** Of a hexadecimal digit in lowercase: `a` is an odd character, and 10 is even. */
function isOdd(digit: number): boolean {
  return (digit & 1) === (digit < 0x3a ? 1 : 0);
}

/** Nearly all are in lowercase; every request of a mesh brings one, and captures are dear. */
const PARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;
const ZEROS = '0'.repeat(32);
const HALF_ZEROS = '0'.repeat(16);

export function traceparent(version: string, traceId: string, spanId: string, sampled: boolean): string {
  // In few pieces: every request is told one.
  const before = version === '00' ? '00-' : `${version}-`;
  return `${before}${traceId.length === 32 ? traceId : traceId.padStart(32, '0')}-${spanId}${sampled ? '-01' : '-00'}`;
}
