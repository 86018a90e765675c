import type { AskedRequest, TraceAnswer, TracesAnswer, TraceSpanAnswer, TraceSummary } from '../api/types.ts';
import type { Span } from './span.ts';
import type { Trace, TraceFilter, TraceStore } from './store.ts';
import { type PlacedSpan, rootOf, waterfall } from './waterfall.ts';

const DEFAULT_LIMIT = 100;
const MOST = 1000;

export function tracesAnswer(store: TraceStore, filter: TraceFilter): TracesAnswer {
  const { limits } = store;
  return {
    traces: store.list(filter).map(summaryOf),
    services: store.services(),
    kept: { ...store.kept, bytesLimit: limits.bytes, ageLimitSeconds: limits.age / 1000 },
  };
}

export function traceAnswer(trace: Trace): TraceAnswer {
  return { ...summaryOf(trace), spans: waterfall(trace.spans).map((each) => spanAnswer(each, trace.start)) };
}

/** What a query asks for; a text says what is wrong with it. */
export function traceFilterOf(query: URLSearchParams): TraceFilter | string {
  const filter: { -readonly [K in keyof TraceFilter]: TraceFilter[K] } = { limit: DEFAULT_LIMIT };
  for (const [name, value] of query) {
    switch (name) {
      case 'service':
        if (value !== '') filter.service = value;
        break;
      case 'minDuration':
      case 'maxDuration': {
        const duration = microsecondsOf(value);
        if (duration === undefined) return `\`${name}\` is a duration such as \`50ms\`, not \`${value}\``;
        filter[name] = duration;
        break;
      }
      case 'error':
        if (value !== 'true' && value !== 'false') return '`error` is `true` or `false`';
        filter.error = value === 'true';
        break;
      case 'status':
        if (!/^[1-5](\d\d|xx)$/.test(value)) return '`status` is one of HTTP, such as `503`, or a class, such as `5xx`';
        filter.status = Number(value.replace('xx', ''));
        break;
      case 'since':
      case 'until': {
        const time = Date.parse(value);
        if (Number.isNaN(time)) return `\`${name}\` is a time such as \`2026-01-31T12:00:00Z\`, not \`${value}\``;
        filter[name] = time * 1000;
        break;
      }
      case 'limit':
        if (!/^\d{1,4}$/.test(value) || Number(value) < 1 || Number(value) > MOST) {
          return `\`limit\` is a number from 1 to ${MOST}`;
        }
        filter.limit = Number(value);
        break;
      default:
        return `there is no filter \`${name}\``;
    }
  }
  return filter;
}

const UNITS: Readonly<Record<string, number>> = { us: 1, µs: 1, ms: 1000, s: 1_000_000, m: 60_000_000 };

function microsecondsOf(text: string): number | undefined {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)(us|µs|ms|s|m)$/.exec(text) ?? [];
  return number === undefined ? undefined : Number(number) * (UNITS[unit] ?? 0);
}

function summaryOf(trace: Trace): TraceSummary {
  const root = rootOf(trace.spans);
  return {
    id: trace.id,
    requestId: trace.requestId,
    service: root?.service ?? '',
    name: root?.name ?? '',
    method: root === undefined ? '' : methodOf(root),
    url: root === undefined ? '' : urlOf(root),
    status: root?.status ?? 0,
    start: isoOf(trace.start),
    duration: (trace.end - trace.start) / 1000,
    errors: trace.errors,
    spanCount: trace.spans.length,
    services: [...trace.services]
      .map(([name, spans]) => ({ name, spans }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    request: firstRequest(trace.spans),
  };
}

function spanAnswer({ span, depth, critical }: PlacedSpan, zero: number): TraceSpanAnswer {
  const at = (time: number): number => (time - zero) / 1000;
  const { id, parentId: parent, service, name, kind, status, error, tags } = span;
  return {
    id,
    parent,
    service,
    name,
    kind,
    depth,
    start: at(span.start),
    duration: span.duration / 1000,
    status,
    error,
    critical: critical.map(({ start, end }) => ({ start: at(start), duration: (end - start) / 1000 })),
    tags,
    events: span.events.map(({ time, name: text }) => ({ time: at(time), name: text })),
    request: requestOf(span),
  };
}

/** What a proxy was asked to send on, where its own words say enough to ask what the mesh makes of it. */
function requestOf(span: Span): AskedRequest | null {
  const [kind, , id = ''] = (span.tags['node_id'] ?? '').split('~');
  const [method, url] = [methodOf(span), urlOf(span)];
  if (span.kind !== 'client' || (kind !== 'sidecar' && kind !== 'router')) return null;
  if (method === '' || !/^https?:\/\/./.test(url)) return null;
  const dot = id.lastIndexOf('.');
  return { method, url, pod: id.slice(0, dot), namespace: id.slice(dot + 1), gateway: kind === 'router' };
}

function firstRequest(spans: readonly Span[]): AskedRequest | null {
  let first: Span | undefined;
  for (const span of spans) {
    if ((first === undefined || span.start < first.start) && requestOf(span) !== null) first = span;
  }
  return first === undefined ? null : requestOf(first);
}

function methodOf({ tags }: Span): string {
  return tags['http.method'] ?? tags['http.request.method'] ?? '';
}

function urlOf({ tags }: Span): string {
  return tags['http.url'] ?? tags['url.full'] ?? tags['url.path'] ?? '';
}

function isoOf(microseconds: number): string {
  const date = new Date(microseconds / 1000);
  return Number.isNaN(date.getTime()) ? '' : date.toISOString();
}
