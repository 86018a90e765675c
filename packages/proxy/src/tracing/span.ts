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
