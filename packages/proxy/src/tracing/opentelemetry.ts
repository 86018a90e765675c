import type { Clock, Random } from '../deps.ts';
import type { Headers } from '../http/headers.ts';
import type { Counter, LogSource } from '../program/types.ts';
import type { RequestHead } from '../types.ts';
import { Batch, type BatchSettings } from './batch.ts';
import type { SpanToExport } from './otlp-json.ts';
import { unwire } from '../program/values.ts';
import type { Sampler, SamplingParent } from './samplers.ts';
import type { Span, SpanEvent, SpanKind, SpanStart, Tracer } from './span.ts';
import { contextOfW3c, traceparent } from './w3c.ts';

export interface OpenTelemetrySettings {
  readonly sampler: Sampler | undefined;
  readonly batch: BatchSettings;
  readonly spansSent: Counter;
  readonly send: (spans: readonly SpanToExport[]) => void;
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
    const traceId = parent?.traceId ?? random.hex(32);
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
    const { send, spansSent } = this.#settings;
    spansSent.value += spans.length;
    send(spans);
  }
}

class OtelSpan implements Span, SpanToExport {
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
  readonly state: string;
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
    this.spanId = tracer.random.hex(16);
    this.parentId = parentId;
    this.state = state;
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
    return new OtelSpan(this.#tracer, name, 'CLIENT', start, sampled, traceId, this.spanId, this.state, this.#source);
  }

  inject(headers: Headers): void {
    headers.renew('traceparent', traceparent('00', this.traceId, this.spanId, this.sampled));
    headers.renew('tracestate', this.state);
  }

  finish(): void {
    if (this.sampled) this.#tracer.report(this);
  }

  get failed(): boolean {
    const status = Number(this.tags.get('http.status_code') ?? '0');
    return status >= 500 || (status >= 400 && this.kind === 'CLIENT');
  }
}
