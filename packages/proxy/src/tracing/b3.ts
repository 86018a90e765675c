/** B3, in its several headers and in its single one. */
import type { Headers } from '../http/headers.ts';

export interface SpanContext {
  readonly traceId: string;
  readonly spanId: string;
  /** Empty: not told. */
  readonly parentId: string;
}

const NO_PARENT = '0'.repeat(16);
const HEX = /^[0-9a-fA-F]{1,16}$/;

/** What the single header says of sampling, by its length, and where. */
const SAMPLED_AT: Readonly<Record<number, number>> = { 1: 0, 35: 34, 51: 50, 52: 34, 68: 50 };
const FLAGS: Readonly<Record<string, boolean>> = { '0': false, '1': true, d: true };

/** Undefined: the decision was left to this proxy. */
export function sampledByB3(headers: Headers): boolean | undefined {
  const single = headers.get('b3');
  if (single !== undefined) {
    const at = SAMPLED_AT[single.length];
    return at === undefined ? undefined : FLAGS[single[at]!];
  }
  const sampled = headers.get('x-b3-sampled');
  return sampled === undefined ? undefined : sampled === '1' || sampled === 'true';
}

/** Undefined: there is none; `bad`: it cannot be understood. */
export function contextOfB3(headers: Headers): SpanContext | 'bad' | undefined {
  const single = headers.get('b3');
  if (single !== undefined) return ofSingle(single);
  const traceId = headers.get('x-b3-traceid');
  const spanId = headers.get('x-b3-spanid');
  if (traceId === undefined || spanId === undefined) return undefined;
  const id = traceId.length === 32 ? two(traceId) : sixteen(traceId);
  const span = sixteen(spanId);
  const given = headers.get('x-b3-parentspanid') ?? '';
  const parent = given === '' ? NO_PARENT : sixteen(given);
  return context(id, span, parent);
}

function ofSingle(text: string): SpanContext | 'bad' | undefined {
  if (text.length === 1) return text in FLAGS ? undefined : 'bad';
  const match = SINGLE.exec(text);
  if (match === null) return 'bad';
  const [, traceId = '', spanId = '', parentId = NO_PARENT] = match;
  return context(traceId.toLowerCase(), spanId.toLowerCase(), parentId.toLowerCase());
}
const SINGLE = /^([0-9a-f]{16}|[0-9a-f]{32})-([0-9a-f]{16})(?:-[01d](?:-([0-9a-f]{16}))?)?$/i;

function context(traceId: string, spanId: string, parentId: string): SpanContext | 'bad' {
  if (traceId === '' || spanId === '' || parentId === '') return 'bad';
  const short = traceId.startsWith(NO_PARENT) && traceId.length === 32 ? traceId.slice(16) : traceId;
  return { traceId: short, spanId, parentId: parentId === NO_PARENT ? '' : parentId };
}

/** Empty when it is no number. */
function sixteen(text: string): string {
  return HEX.test(text) ? text.toLowerCase().padStart(16, '0') : '';
}
function two(text: string): string {
  const high = sixteen(text.slice(0, 16));
  const low = sixteen(text.slice(16));
  return high === '' || low === '' ? '' : high + low;
}
