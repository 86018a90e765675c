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

const KINDS: Readonly<Record<string, SpanKind>> = {
  CLIENT: 'client',
  SERVER: 'server',
  PRODUCER: 'producer',
  CONSUMER: 'consumer',
};

/** Reads a list of spans as Zipkin's second version has it (https://zipkin.io/zipkin-api). @throws BadReport */
export function readZipkin(text: string): Report {
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    throw new BadReport('the body is no JSON');
  }
  if (!Array.isArray(list)) throw new BadReport('the body is no list of spans');
  const spans: Span[] = [];
  const rejected: string[] = [];
  for (const [index, each] of list.entries()) {
    const span = readSpan(each);
    if (typeof span === 'string') rejected.push(`span ${index}: ${span}`);
    else spans.push(span);
  }
  return { spans, rejected };
}

/** A text says what is wrong. */
function readSpan(value: unknown): Span | string {
  if (!isObject(value)) return 'is no object';
  const traceId = traceIdOf(value['traceId']);
  if (traceId === undefined) return '`traceId` is not 16 to 32 hexadecimal digits';
  const id = spanIdOf(value['id']);
  if (id === undefined) return '`id` is not 16 hexadecimal digits';
  const parent = value['parentId'];
  const parentId = parent === undefined || parent === null || parent === '' ? '' : spanIdOf(parent);
  if (parentId === undefined) return '`parentId` is not 16 hexadecimal digits';
  const start = numberOf(value['timestamp']);
  const duration = numberOf(value['duration']);
  if (start === undefined || duration === undefined) return '`timestamp` and `duration` are whole microseconds';
  if (start === 0) return 'it does not say when it began';
  const endpoint = isObject(value['localEndpoint']) ? value['localEndpoint'] : {};
  const tags = tagsOf(value['tags']);
  return {
    traceId,
    id,
    parentId: parentId === id ? '' : parentId,
    service: textOf(endpoint['serviceName']) || UNKNOWN_SERVICE,
    name: textOf(value['name']),
    kind: KINDS[textOf(value['kind'])] ?? 'internal',
    start,
    duration,
    error: tags['error'] !== undefined && tags['error'] !== 'false',
    status: httpStatus(tags),
    tags,
    events: eventsOf(value['annotations']),
  };
}

function tagsOf(value: unknown): Record<string, string> {
  const tags: Record<string, string> = {};
  if (!isObject(value)) return tags;
  for (const [key, text] of Object.entries(value)) {
    if (key !== '__proto__') tags[key] = typeof text === 'string' ? text : JSON.stringify(text);
  }
  return tags;
}

function eventsOf(value: unknown): Span['events'] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((each: unknown) => {
    const time = isObject(each) ? numberOf(each['timestamp']) : undefined;
    return time === undefined ? [] : [{ time, name: textOf((each as { readonly value?: unknown }).value) }];
  });
}

/** Absent is 0: a span may be without either. */
function numberOf(value: unknown): number | undefined {
  if (value === undefined || value === null) return 0;
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? Math.round(value) : undefined;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
