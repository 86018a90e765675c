/** Whose a span is that names no service: what OpenTelemetry's SDKs call it. */
export const UNKNOWN_SERVICE = 'unknown_service';

/** A span, whatever format it came in. */
export interface Span {
  /** 32 hexadecimal digits; ids of 64 bits have zeros before them. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly id: string;
  /** Empty: none. */
  readonly parentId: string;
  readonly service: string;
  readonly name: string;
  readonly kind: SpanKind;
  /** Microseconds since 1970, and how long it took. */
  readonly start: number;
  readonly duration: number;
  readonly error: boolean;
  /** Of HTTP; 0: not said. */
  readonly status: number;
  readonly tags: Readonly<Record<string, string>>;
  /** Times are microseconds since 1970. */
  readonly events: readonly { readonly time: number; readonly name: string }[];
}

export type SpanKind = 'client' | 'server' | 'producer' | 'consumer' | 'internal';

/** What of a report could be read, and why others of its spans could not. */
export interface Report {
  readonly spans: readonly Span[];
  readonly rejected: readonly string[];
}

/** A report that cannot be read at all, with the status that it is answered with. */
export class BadReport extends Error {
  readonly status: number;

  constructor(message: string, status = 400) {
    super(message);
    this.status = status;
  }
}

const HEX = /^[0-9a-f]+$/;

/** 32 digits; undefined for what is no id of a trace. */
export function traceIdOf(text: unknown): string | undefined {
  const id = typeof text === 'string' ? text.toLowerCase() : '';
  return id.length >= 1 && id.length <= 32 && HEX.test(id) && !/^0+$/.test(id) ? id.padStart(32, '0') : undefined;
}

export function spanIdOf(text: unknown): string | undefined {
  const id = typeof text === 'string' ? text.toLowerCase() : '';
  return id.length >= 1 && id.length <= 16 && HEX.test(id) && !/^0+$/.test(id) ? id.padStart(16, '0') : undefined;
}

/** The status of HTTP among tags, by its older or newer name. */
export function httpStatus(tags: Readonly<Record<string, string>>): number {
  const status = Number(tags['http.status_code'] ?? tags['http.response.status_code'] ?? 0);
  return Number.isInteger(status) && status >= 100 && status < 1000 ? status : 0;
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
