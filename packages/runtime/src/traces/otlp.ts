import { decode, encode } from '@mizzen/xds/binary/index.ts';
import {
  UNKNOWN_SERVICE,
  BadReport,
  httpStatus,
  isObject,
  type Report,
  type Span,
  spanIdOf,
  type SpanKind,
  traceIdOf,
} from './span.ts';

const REQUEST = 'opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest';

type Json = Readonly<Record<string, unknown>>;

/** Of both forms, the JSON one has ids in hexadecimal digits (https://opentelemetry.io/docs/specs/otlp). */
type ReadId = (value: unknown) => string;

/** How reports are read and answered, in one of the forms of OTLP. */
interface Form {
  /** @throws BadReport */
  read(body: Buffer): Report;
  /** An ExportTraceServiceResponse that says what was left out. */
  success(rejected: readonly string[]): Uint8Array | string;
  /** A google.rpc.Status. */
  failure(message: string): Uint8Array | string;
}

const INVALID_ARGUMENT = 3;
/** Of what was left out, so many are named. */
const NAMED = 5;

export const otlpJson: Form = {
  read(body) {
    let value: unknown;
    try {
      value = JSON.parse(body.toString('utf8'));
    } catch {
      throw new BadReport('the body is no JSON');
    }
    if (!isObject(value)) throw new BadReport('the body is no ExportTraceServiceRequest');
    return readRequest(value, (id) => (typeof id === 'string' ? id : ''));
  },
  success(rejected) {
    if (rejected.length === 0) return '{}';
    return JSON.stringify({
      partialSuccess: { rejectedSpans: String(rejected.length), errorMessage: reasons(rejected) },
    });
  },
  failure: (message) => JSON.stringify({ code: INVALID_ARGUMENT, message }),
};

export const otlpBinary: Form = {
  read(body) {
    let value: unknown;
    try {
      value = decode(REQUEST, body);
    } catch {
      throw new BadReport('the body is no ExportTraceServiceRequest');
    }
    return readRequest(value as Json, (id) =>
      typeof id === 'string' ? Buffer.from(id, 'base64').toString('hex') : '',
    );
  },
  // The response in the descriptors is older than `partial_success`: its first field, with how many and why.
  success(rejected) {
    if (rejected.length === 0) return new Uint8Array();
    const text = Buffer.from(reasons(rejected));
    const head = [0x08, ...varint(rejected.length), 0x12, ...varint(text.length)];
    return Buffer.concat([Buffer.from([0x0a, ...varint(head.length + text.length), ...head]), text]);
  },
  failure: (message) => encode('google.rpc.Status', { code: INVALID_ARGUMENT, message }),
};

function reasons(rejected: readonly string[]): string {
  return rejected.slice(0, NAMED).join('; ');
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let left = value;
  for (; left > 127; left >>>= 7) bytes.push((left & 127) | 128);
  return [...bytes, left];
}

function readRequest(request: Json, readId: ReadId): Report {
  const spans: Span[] = [];
  const rejected: string[] = [];
  for (const group of objects(request['resourceSpans'])) {
    const resource = isObject(group['resource']) ? attributes(group['resource']['attributes']) : {};
    const service = resource['service.name'] || UNKNOWN_SERVICE;
    // The field's older name has the same number, which is what the binary form goes by.
    for (const scope of objects(group['scopeSpans'] ?? group['instrumentationLibrarySpans'])) {
      for (const each of objects(scope['spans'])) {
        const span = readSpan(each, service, readId);
        if (typeof span === 'string') rejected.push(span);
        else spans.push(span);
      }
    }
  }
  return { spans, rejected };
}

/** A text says what is wrong. */
function readSpan(value: Json, service: string, readId: ReadId): Span | string {
  const traceId = traceIdOf(readId(value['traceId']));
  const id = spanIdOf(readId(value['spanId']));
  if (traceId === undefined || id === undefined) return 'a span without the id of a trace and of itself';
  const start = microseconds(value['startTimeUnixNano']);
  const end = microseconds(value['endTimeUnixNano']);
  if (start === undefined || end === undefined) return `span ${id}: its times are no nanoseconds`;
  if (start === 0) return `span ${id}: it does not say when it began`;
  const status = isObject(value['status']) ? value['status'] : {};
  const tags = attributes(value['attributes']);
  const message = status['message'];
  if (typeof message === 'string' && message !== '') tags['otel.status_description'] = message;
  return {
    traceId,
    id,
    parentId: spanIdOf(readId(value['parentSpanId'])) ?? '',
    service,
    name: typeof value['name'] === 'string' ? value['name'] : '',
    kind: kindOf(value['kind']),
    start,
    duration: Math.max(0, end - start),
    error: status['code'] === 2 || status['code'] === 'STATUS_CODE_ERROR',
    status: httpStatus(tags),
    tags,
    events: objects(value['events']).flatMap((event) => {
      const time = microseconds(event['timeUnixNano']);
      return time === undefined ? [] : [{ time, name: typeof event['name'] === 'string' ? event['name'] : '' }];
    }),
  };
}

const KINDS: readonly SpanKind[] = ['internal', 'internal', 'server', 'client', 'producer', 'consumer'];

/** By number or by name. */
function kindOf(kind: unknown): SpanKind {
  if (typeof kind === 'number') return KINDS[kind] ?? 'internal';
  const name = typeof kind === 'string' ? kind.replace('SPAN_KIND_', '').toLowerCase() : '';
  return KINDS.find((each) => each === name) ?? 'internal';
}

function attributes(list: unknown): Record<string, string> {
  const tags: Record<string, string> = {};
  for (const { key, value } of objects(list)) {
    if (typeof key === 'string' && key !== '__proto__') tags[key] = textOf(value);
  }
  return tags;
}

/** An AnyValue; of what is not simple, JSON. */
function textOf(value: unknown): string {
  const plain = plainOf(value);
  return typeof plain === 'string' ? plain : JSON.stringify(plain ?? '');
}

/** What lies deeper within lists and maps is left out; the binary form has none that does. */
const DEEPEST = 64;

function plainOf(value: unknown, depth = 0): unknown {
  if (!isObject(value) || depth > DEEPEST) return undefined;
  const { stringValue, boolValue, intValue, doubleValue, arrayValue, kvlistValue, bytesValue } = value;
  if (isObject(arrayValue)) return objects(arrayValue['values']).map((each) => plainOf(each, depth + 1));
  if (isObject(kvlistValue)) {
    return Object.fromEntries(
      objects(kvlistValue['values']).map((each) => [String(each['key']), plainOf(each['value'], depth + 1)]),
    );
  }
  return (
    stringValue ??
    boolValue ??
    (typeof intValue === 'string' ? Number(intValue) : intValue) ??
    doubleValue ??
    bytesValue
  );
}

function objects(list: unknown): readonly Json[] {
  return Array.isArray(list) ? list.filter(isObject) : [];
}

/** Of nanoseconds as a text or a number; absent is 0. */
function microseconds(nanoseconds: unknown): number | undefined {
  if (nanoseconds === undefined || nanoseconds === null) return 0;
  if (typeof nanoseconds === 'number')
    return nanoseconds >= 0 && nanoseconds < Infinity ? Math.round(nanoseconds / 1000) : undefined;
  return typeof nanoseconds === 'string' && /^\d{1,20}$/.test(nanoseconds)
    ? Number(BigInt(nanoseconds) / 1000n)
    : undefined;
}
