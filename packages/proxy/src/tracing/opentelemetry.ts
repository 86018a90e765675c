import type { types } from '@mizzen/xds';
import type { Clock, Random } from '../deps.ts';
import type { Headers } from '../http/headers.ts';
import type { Counter, LogSource } from '../program/types.ts';
import type { RequestHead } from '../types.ts';
import { Batch, type BatchSettings } from './batch.ts';
import { unwire } from '../program/values.ts';
import type { Sampler, SamplingParent } from './samplers.ts';
import {
  randomId,
  randomTraceId,
  type Span,
  type SpanEvent,
  type SpanKind,
  type SpanStart,
  type Tracer,
} from './span.ts';
import { contextOfW3c, traceparent } from './w3c.ts';

type Otlp = types.otlpTrace.Span;

export interface OpenTelemetrySettings {
  readonly sampler: Sampler | undefined;
  readonly batch: BatchSettings;
  readonly spansSent: Counter;
  readonly resource: types.otlpResource.Resource;
  /** The program that makes the spans. */
  readonly scope: types.otlpCommon.InstrumentationLibrary;
  readonly send: (request: types.otlpTraceService.ExportTraceServiceRequest) => void;
}

/** Makes OpenTelemetry's spans and exports them by OTLP. */
export class OpenTelemetryTracer implements Tracer {
  readonly random: Random;
  readonly #settings: OpenTelemetrySettings;
  readonly #batch: Batch<OtelSpan>;

  constructor(settings: OpenTelemetrySettings, deps: { readonly clock: Clock; readonly random: Random }) {
    this.#settings = settings;
    this.random = deps.random;
    this.#batch = new Batch(deps.clock, settings.batch, (spans) => this.#send(spans));
  }

  start({ headers }: RequestHead, how: SpanStart, source: LogSource): Span | undefined {
    const parent = contextOfW3c(headers);
    if (parent === 'bad') return undefined;
    const { random } = this;
    const traceId = parent?.traceId ?? randomTraceId(random);
    // What was decided here counts first, then a sampler, then who called.
    const sampled = how.traced && this.samples(parent, traceId, source);
    const name = sampled ? unwire(how.name) : '';
    const parentId = parent?.spanId ?? '';
    return new OtelSpan(this, name, how.kind, how.start, sampled, traceId, parentId, parent?.state ?? '', source);
  }

  samples(parent: SamplingParent | undefined, traceId: string, source: LogSource): boolean {
    const { sampler } = this.#settings;
    return sampler === undefined ? (parent?.sampled ?? true) : sampler({ parent, traceId, source });
  }

  report(span: OtelSpan): void {
    this.#batch.add(span);
  }

  #send(spans: readonly OtelSpan[]): void {
    const { resource, scope, send, spansSent } = this.#settings;
    spansSent.value += spans.length;
    send({
      resourceSpans: [
        {
          resource,
          instrumentationLibrarySpans: [{ instrumentationLibrary: scope, spans: spans.map((span) => span.otlp()) }],
        },
      ],
    });
  }
}

class OtelSpan implements Span {
  readonly #tracer: OpenTelemetryTracer;
  sampled: boolean;
  name: string;
  readonly kind: SpanKind;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string;
  readonly start: number;
  end = 0;
  #tags: Map<string, string> | undefined;
  #events: SpanEvent[] | undefined;
  readonly #state: string;
  readonly #source: LogSource;

  constructor(
    tracer: OpenTelemetryTracer,
    name: string,
    kind: SpanKind,
    start: number,
    sampled: boolean,
    traceId: string,
    parentId: string,
    state: string,
    source: LogSource,
  ) {
    this.#tracer = tracer;
    this.name = name;
    this.kind = kind;
    this.start = start;
    this.sampled = sampled;
    this.traceId = traceId;
    this.spanId = randomId(tracer.random);
    this.parentId = parentId;
    this.#state = state;
    this.#source = source;
  }

  /** Most spans are not sampled, and have none. */
  get tags(): Map<string, string> {
    return (this.#tags ??= new Map());
  }

  get events(): SpanEvent[] {
    return (this.#events ??= []);
  }

  child(name: string, start: number): Span {
    const { traceId } = this;
    const sampled = this.#tracer.samples(this, traceId, this.#source);
    return new OtelSpan(this.#tracer, name, 'CLIENT', start, sampled, traceId, this.spanId, this.#state, this.#source);
  }

  inject(headers: Headers): void {
    headers.renew('traceparent', traceparent('00', this.traceId, this.spanId, this.sampled));
    headers.renew('tracestate', this.#state);
  }

  finish(): void {
    if (this.sampled) this.#tracer.report(this);
  }

  otlp(): Otlp {
    const status = Number(this.tags.get('http.status_code') ?? '0');
    const failed = status >= 500 || (status >= 400 && this.kind === 'CLIENT');
    return {
      traceId: base64(this.traceId),
      spanId: base64(this.spanId),
      ...(this.#state === '' ? {} : { traceState: this.#state }),
      ...(this.parentId === '' ? {} : { parentSpanId: base64(this.parentId) }),
      name: this.name,
      kind: this.kind === 'SERVER' ? 'SPAN_KIND_SERVER' : 'SPAN_KIND_CLIENT',
      startTimeUnixNano: nanos(this.start),
      endTimeUnixNano: nanos(this.end),
      attributes: attributes(this.tags),
      events: this.events.map(({ name, time }) => ({ timeUnixNano: nanos(time), name })),
      ...(failed ? { status: { code: 'STATUS_CODE_ERROR' } } : {}),
    };
  }
}

export function attributes(tags: Iterable<readonly [string, string]>): types.otlpCommon.KeyValue[] {
  return Array.from(tags, ([key, stringValue]) => ({ key, value: { stringValue } }));
}
function base64(hex: string): string {
  return Buffer.from(hex, 'hex').toString('base64');
}
function nanos(time: number): string {
  return `${Math.round(time * 1000)}000`;
}
