import { attributesOf } from '../metrics/otlp/convert.ts';
import type { Span, SpanKind } from './span.ts';

const KINDS: Readonly<Record<SpanKind, number>> = { internal: 1, server: 2, client: 3, producer: 4, consumer: 5 };
const STATUS_ERROR = 2;
const DESCRIPTION = 'otel.status_description';

/** An ExportTraceServiceRequest in JSON: spans by whose they are. */
export function toOtlp(spans: readonly Span[], version: string): object {
  return {
    resourceSpans: [...Map.groupBy(spans, ({ service }) => service)].map(([service, own]) => ({
      resource: attributesOf([['service.name', service]]),
      scopeSpans: [{ scope: { name: 'mizzen', version }, spans: own.map(spanOf) }],
    })),
  };
}

function spanOf({ traceId, id, parentId, name, kind, start, duration, error, tags, events }: Span): object {
  const { [DESCRIPTION]: message, ...attributes } = tags;
  return {
    traceId,
    spanId: id,
    ...(parentId === '' ? {} : { parentSpanId: parentId }),
    name,
    kind: KINDS[kind],
    startTimeUnixNano: nanoseconds(start),
    endTimeUnixNano: nanoseconds(start + duration),
    ...attributesOf(Object.entries(attributes)),
    ...(events.length === 0
      ? {}
      : { events: events.map((event) => ({ timeUnixNano: nanoseconds(event.time), name: event.name })) }),
    ...(error ? { status: { code: STATUS_ERROR, ...(message === undefined ? {} : { message }) } } : {}),
  };
}

const nanoseconds = (microseconds: number): string => String(BigInt(Math.round(microseconds)) * 1000n);
