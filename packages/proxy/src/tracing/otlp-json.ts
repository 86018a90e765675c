import type { types } from '@mizzen/xds';
import type { SpanEvent, SpanKind } from './span.ts';

/** What is told with all spans of a tracer. */
export interface OtlpSource {
  readonly resource: ReadonlyMap<string, string>;
  /** The program that makes the spans. */
  readonly scope: { readonly name: string; readonly version: string };
}

/** A span that is over. */
export interface SpanToExport {
  readonly name: string;
  readonly kind: SpanKind;
  /** Hexadecimal. */
  readonly traceId: string;
  readonly spanId: string;
  /** Empty: there is none. */
  readonly parentId: string;
  readonly state: string;
  /** Milliseconds since the Unix epoch. */
  readonly start: number;
  readonly end: number;
  readonly tags: ReadonlyMap<string, string>;
  readonly events: readonly SpanEvent[];
  readonly failed: boolean;
}

/** OTLP's request for spans. */
export function otlpJson(
  { resource, scope }: OtlpSource,
  spans: readonly SpanToExport[],
): types.otlpTraceService.ExportTraceServiceRequest {
  return {
    resourceSpans: [
      {
        resource: { attributes: attributes(resource) },
        instrumentationLibrarySpans: [{ instrumentationLibrary: scope, spans: spans.map(spanJson) }],
      },
    ],
  };
}

function spanJson(span: SpanToExport): types.otlpTrace.Span {
  const { state, parentId } = span;
  return {
    traceId: base64(span.traceId),
    spanId: base64(span.spanId),
    ...(state === '' ? {} : { traceState: state }),
    ...(parentId === '' ? {} : { parentSpanId: base64(parentId) }),
    name: span.name,
    kind: span.kind === 'SERVER' ? 'SPAN_KIND_SERVER' : 'SPAN_KIND_CLIENT',
    startTimeUnixNano: nanos(span.start),
    endTimeUnixNano: nanos(span.end),
    attributes: attributes(span.tags),
    events: span.events.map(({ name, time }) => ({ timeUnixNano: nanos(time), name })),
    ...(span.failed ? { status: { code: 'STATUS_CODE_ERROR' } } : {}),
  };
}

function attributes(tags: Iterable<readonly [string, string]>): types.otlpCommon.KeyValue[] {
  return Array.from(tags, ([key, stringValue]) => ({ key, value: { stringValue } }));
}
function base64(hex: string): string {
  return Buffer.from(hex, 'hex').toString('base64');
}
function nanos(time: number): string {
  return `${Math.round(time * 1000)}000`;
}
