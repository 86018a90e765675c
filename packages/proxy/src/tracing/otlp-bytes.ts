import type { OtlpSource, SpanToExport } from './otlp-json.ts';

/**
 * OTLP's request for spans in binary, as text of one character a byte that becomes bytes once. Spans are few beside the
 * requests, so that what makes them is never compiled to the end: the less of it there is, the less they cost.
 */
export function otlpBytes(source: OtlpSource, spans: readonly SpanToExport[]): Buffer {
  let all = field(SCOPE, field(NAME, utf8(source.scope.name)) + text(VERSION, source.scope.version));
  for (const span of spans) all += field(SPAN, spanBytes(span));
  let resource = '';
  for (const [key, value] of source.resource) resource += attribute(RESOURCE_ATTRIBUTE, key, value);
  return Buffer.from(field(RESOURCE_SPANS, field(RESOURCE, resource) + field(SCOPE_SPANS, all)), 'latin1');
}

function spanBytes(span: SpanToExport): string {
  let bytes =
    field(TRACE_ID, fromHex(span.traceId)) +
    field(SPAN_ID, fromHex(span.spanId)) +
    text(TRACE_STATE, span.state) +
    (span.parentId === '' ? '' : field(PARENT_SPAN_ID, fromHex(span.parentId))) +
    text(SPAN_NAME, span.name) +
    (span.kind === 'SERVER' ? KIND_SERVER : KIND_CLIENT) +
    time(START, span.start) +
    time(END, span.end);
  for (const [key, value] of span.tags) bytes += attribute(ATTRIBUTE, key, value);
  for (const event of span.events) bytes += field(EVENT, time(EVENT_TIME, event.time) + text(EVENT_NAME, event.name));
  return span.failed ? bytes + STATUS_ERROR : bytes;
}

// Numbers and wire types of fields.
const RESOURCE_SPANS = '\x0a';
const RESOURCE = '\x0a';
const RESOURCE_ATTRIBUTE = '\x0a';
const SCOPE_SPANS = '\x12';
const SCOPE = '\x0a';
const NAME = '\x0a';
const VERSION = '\x12';
const SPAN = '\x12';
const TRACE_ID = '\x0a';
const SPAN_ID = '\x12';
const TRACE_STATE = '\x1a';
const PARENT_SPAN_ID = '\x22';
const SPAN_NAME = '\x2a';
const KIND_SERVER = '\x30\x02';
const KIND_CLIENT = '\x30\x03';
const START = '\x39';
const END = '\x41';
const ATTRIBUTE = '\x4a';
const EVENT = '\x5a';
const EVENT_TIME = '\x09';
const EVENT_NAME = '\x12';
const STATUS_ERROR = '\x7a\x02\x18\x02';
const KEY = '\x0a';
const VALUE = '\x12';
const STRING_VALUE = '\x0a';

/** A string, a message or bytes. */
function field(tag: string, bytes: string): string {
  return tag + varint(bytes.length) + bytes;
}

/** A string that is left out where it is empty. */
function text(tag: string, value: string): string {
  return value === '' ? '' : field(tag, utf8(value));
}

function attribute(tag: string, key: string, value: string): string {
  return field(tag, field(KEY, utf8(key)) + field(VALUE, field(STRING_VALUE, utf8(value))));
}

function varint(value: number): string {
  return value < 128 ? BYTES[value]! : BYTES[(value & 127) | 128]! + varint(value >>> 7);
}

/** Milliseconds as nanoseconds in 64 bits, which a number does not hold. */
function time(tag: string, milliseconds: number): string {
  const microseconds = Math.round(milliseconds * 1000);
  const low = (microseconds % WORD) * 1000;
  return tag + word(low % WORD) + word(Math.floor(microseconds / WORD) * 1000 + Math.floor(low / WORD));
}
const WORD = 2 ** 32;

function word(value: number): string {
  return BYTES[value & 255]! + BYTES[(value >>> 8) & 255]! + BYTES[(value >>> 16) & 255]! + BYTES[value >>> 24]!;
}

function utf8(value: string): string {
  return Buffer.byteLength(value) === value.length ? value : Buffer.from(value).toString('latin1');
}

function fromHex(hex: string): string {
  return Buffer.from(hex, 'hex').toString('latin1');
}

const BYTES = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte));
