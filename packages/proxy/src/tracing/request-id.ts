import type { Headers } from '../http/headers.ts';

/** Why a request leaves spans; `none`: it does not. */
export type TraceReason = 'none' | 'sampled' | 'forced' | 'client';

/** Place of the digit that carries the decision, in a request id that is a UUID. */
const DIGIT = 14;
const LENGTH = 36;
const DIGITS: Readonly<Record<TraceReason, string>> = { none: '4', sampled: '9', forced: 'a', client: 'b' };

/** What a request id says that was decided before. */
export function traceReason(headers: Headers): TraceReason {
  const id = headers.get('x-request-id');
  if (id === undefined || id.length !== LENGTH) return 'none';
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
export function numberOf(headers: Headers): number | undefined {
  const id = headers.get('x-request-id');
  if (id === undefined || id.length < 8) return undefined;
  let number = 0;
  for (let i = 0; i < 8; i++) {
    const code = id.charCodeAt(i);
    const digit =
      code >= 48 && code <= 57 ? code - 48 : (code | 32) >= 97 && (code | 32) <= 102 ? (code | 32) - 87 : -1;
    if (digit < 0) return undefined;
    number = number * 16 + digit;
  }
  return number;
}
