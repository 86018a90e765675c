import type { Random } from '../deps.ts';
import type { Headers } from '../http/headers.ts';
import type { RequestHead } from '../types.ts';
import type { LogSource } from '../program/types.ts';

export type SpanKind = 'SERVER' | 'CLIENT';

/** One piece of a trace. Times are milliseconds since the Unix epoch, with fractions. */
export interface Span {
  /** It is sent to whoever collects them; one that is not only carries the trace on. */
  sampled: boolean;
  name: string;
  readonly kind: SpanKind;
  /** Hexadecimal; a trace id may have 16 or 32 digits. */
  readonly traceId: string;
  readonly spanId: string;
  /** Access logs do not get to know its id, as of Envoy's spans of this kind. */
  readonly keepsId?: boolean | 'both';
  /** Empty: there is none. */
  readonly parentId: string;
  readonly start: number;
  end: number;
  readonly tags: Map<string, string>;
  readonly events: SpanEvent[];
  /** A span for what this one has others do. */
  child(name: string, start: number): Span;
  /** Tells the next one which span it belongs to. */
  inject(headers: Headers): void;
  /** Its `end` is set. */
  finish(): void;
}
export interface SpanEvent {
  readonly time: number;
  readonly name: string;
}

/** What makes spans and sends them. */
export interface Tracer {
  /** Undefined: what the request says of its trace cannot be understood, and it leaves no spans. */
  start(request: RequestHead, how: SpanStart, source: LogSource): Span | undefined;
}
export interface SpanStart {
  readonly name: string;
  readonly kind: SpanKind;
  readonly start: number;
  /** Attempts get spans of their own. */
  readonly spawns: boolean;
  /** What was decided here, where the request brings no decision of another. */
  readonly traced: boolean;
}

/** 64 random bits, 16 digits. Every request needs some, and numbers of 32 bits are slow to turn into text. */
export function randomId(random: Random): string {
  const a = random.uint32();
  const b = random.uint32();
  return String.fromCharCode(
    DIGITS[a >>> 28]!,
    DIGITS[(a >>> 24) & 15]!,
    DIGITS[(a >>> 20) & 15]!,
    DIGITS[(a >>> 16) & 15]!,
    DIGITS[(a >>> 12) & 15]!,
    DIGITS[(a >>> 8) & 15]!,
    DIGITS[(a >>> 4) & 15]!,
    DIGITS[a & 15]!,
    DIGITS[b >>> 28]!,
    DIGITS[(b >>> 24) & 15]!,
    DIGITS[(b >>> 20) & 15]!,
    DIGITS[(b >>> 16) & 15]!,
    DIGITS[(b >>> 12) & 15]!,
    DIGITS[(b >>> 8) & 15]!,
    DIGITS[(b >>> 4) & 15]!,
    DIGITS[b & 15]!,
  );
}

/** 128 random bits, 32 digits, in one piece. */
export function randomTraceId(random: Random): string {
  const a = random.uint32();
  const b = random.uint32();
  const c = random.uint32();
  const d = random.uint32();
  return String.fromCharCode(
    DIGITS[a >>> 28]!,
    DIGITS[(a >>> 24) & 15]!,
    DIGITS[(a >>> 20) & 15]!,
    DIGITS[(a >>> 16) & 15]!,
    DIGITS[(a >>> 12) & 15]!,
    DIGITS[(a >>> 8) & 15]!,
    DIGITS[(a >>> 4) & 15]!,
    DIGITS[a & 15]!,
    DIGITS[b >>> 28]!,
    DIGITS[(b >>> 24) & 15]!,
    DIGITS[(b >>> 20) & 15]!,
    DIGITS[(b >>> 16) & 15]!,
    DIGITS[(b >>> 12) & 15]!,
    DIGITS[(b >>> 8) & 15]!,
    DIGITS[(b >>> 4) & 15]!,
    DIGITS[b & 15]!,
    DIGITS[c >>> 28]!,
    DIGITS[(c >>> 24) & 15]!,
    DIGITS[(c >>> 20) & 15]!,
    DIGITS[(c >>> 16) & 15]!,
    DIGITS[(c >>> 12) & 15]!,
    DIGITS[(c >>> 8) & 15]!,
    DIGITS[(c >>> 4) & 15]!,
    DIGITS[c & 15]!,
    DIGITS[d >>> 28]!,
    DIGITS[(d >>> 24) & 15]!,
    DIGITS[(d >>> 20) & 15]!,
    DIGITS[(d >>> 16) & 15]!,
    DIGITS[(d >>> 12) & 15]!,
    DIGITS[(d >>> 8) & 15]!,
    DIGITS[(d >>> 4) & 15]!,
    DIGITS[d & 15]!,
  );
}

const DIGITS = Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0));
