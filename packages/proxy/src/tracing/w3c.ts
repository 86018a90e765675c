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
  const match = PARENT.exec(parent);
  if (match === null) return 'bad';
  const [, version = '', traceId = '', spanId = '', flags = ''] = match;
  if (/^0+$/.test(traceId) || /^0+$/.test(spanId)) return 'bad';
  return {
    version,
    traceId: traceId.toLowerCase(),
    spanId: spanId.toLowerCase(),
    sampled: (Number.parseInt(flags, 16) & 1) === 1,
    state: headers.getJoined('tracestate') ?? '',
  };
}
const PARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/i;

export function traceparent(version: string, traceId: string, spanId: string, sampled: boolean): string {
  return `${version}-${traceId.padStart(32, '0')}-${spanId}-${sampled ? '01' : '00'}`;
}
