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
  if (parent.length !== LENGTH || !hasDashes(parent)) return 'bad';
  const version = digits(parent, 0, 2);
  const trace = digits(parent, 3, 35);
  const span = digits(parent, 36, 52);
  const flags = digits(parent, 53, 55);
  if (version === 'bad' || trace === 'bad' || span === 'bad' || flags === 'bad') return 'bad';
  if (trace === 'zero' || span === 'zero') return 'bad';
  const traceId = parent.slice(3, 35);
  const spanId = parent.slice(36, 52);
  return {
    version: parent.slice(0, 2),
    traceId: trace === 'upper' ? traceId.toLowerCase() : traceId,
    spanId: span === 'upper' ? spanId.toLowerCase() : spanId,
    sampled: (Number.parseInt(parent.slice(53), 16) & 1) === 1,
    state: headers.getJoined('tracestate') ?? '',
  };
}

/** `00-32 digits-16 digits-01`; every request of a mesh brings one, so that it is read without an expression. */
const LENGTH = 55;
const DASH = 45;

function hasDashes(text: string): boolean {
  return text.charCodeAt(2) === DASH && text.charCodeAt(35) === DASH && text.charCodeAt(52) === DASH;
}

/** What is between two places: hexadecimal digits, all of them zero, some of them uppercase letters, or anything else. */
function digits(text: string, from: number, to: number): 'digits' | 'zero' | 'upper' | 'bad' {
  let zero = true;
  let upper = false;
  for (let i = from; i < to; i++) {
    const code = text.charCodeAt(i);
    if (code >= 48 && code <= 57) zero &&= code === 48;
    else if (code >= 97 && code <= 102) zero = false;
    else if (code >= 65 && code <= 70) {
      zero = false;
      upper = true;
    } else return 'bad';
  }
  return zero ? 'zero' : upper ? 'upper' : 'digits';
}

export function traceparent(version: string, traceId: string, spanId: string, sampled: boolean): string {
  return `${version}-${traceId.length === 32 ? traceId : traceId.padStart(32, '0')}-${spanId}-${sampled ? '01' : '00'}`;
}
