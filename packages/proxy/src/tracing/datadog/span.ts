import type { Random } from '../../deps.ts';
import type { Headers } from '../../http/headers.ts';
import type { Span, SpanEvent, SpanKind } from '../span.ts';
import { traceparent } from '../w3c.ts';
import { MAX_TAGS } from './context.ts';
import { decimal } from './ids.ts';
import { Double, type Packed } from './msgpack.ts';
import type { Segment } from './segment.ts';
import { tracestate } from './w3c.ts';

/** What all spans of a tracer have. */
export interface SpanDefaults {
  readonly service: string;
  readonly environment: string;
  /** Tags of every span; of what makes them, too. */
  readonly tags: readonly (readonly [string, string])[];
  readonly processId: number;
}

interface Ids {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string;
}

const NAME = 'envoy.proxy';
const ZERO = '0'.repeat(16);

export class DatadogSpan implements Span {
  readonly keepsId = 'both';
  readonly kind: SpanKind;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string;
  readonly start: number;
  end = 0;
  /** What Datadog calls the resource. */
  name: string;
  readonly tags = new Map<string, string>();
  readonly metrics = new Map<string, Packed>();
  readonly #segment: Segment;
  readonly #defaults: SpanDefaults;
  readonly #random: Random;

  constructor(
    segment: Segment,
    defaults: SpanDefaults,
    random: Random,
    name: string,
    { kind, start }: { readonly kind: SpanKind; readonly start: number },
    { traceId, spanId, parentId }: Ids,
  ) {
    this.#segment = segment;
    this.#defaults = defaults;
    this.#random = random;
    this.name = name;
    this.kind = kind;
    this.start = start;
    this.traceId = traceId;
    this.spanId = spanId;
    this.parentId = parentId;
    segment.begin(this);
  }

  /** Spans have no events. */
  get events(): SpanEvent[] {
    return [];
  }

  /** The agent is told of all; what is said here goes along with the trace. */
  get sampled(): boolean {
    return true;
  }
  set sampled(kept: boolean) {
    this.#segment.override(kept);
  }

  child(name: string, start: number): Span {
    const ids = { traceId: this.traceId, spanId: this.#random.hex(16), parentId: this.spanId };
    return new DatadogSpan(this.#segment, this.#defaults, this.#random, name, { kind: 'CLIENT', start }, ids);
  }

  inject(headers: Headers): void {
    const segment = this.#segment;
    const { spanId, traceId } = this;
    const { origin, others, unknown } = segment.context;
    const { priority } = segment;
    // They stand last, wherever the client's were.
    const tell = (name: string, value: string): void => {
      headers.remove(name);
      headers.set(name, value);
    };
    tell('x-datadog-trace-id', decimal(segment.context.traceLow));
    tell('x-datadog-parent-id', decimal(spanId));
    tell('x-datadog-sampling-priority', String(priority));
    if (origin !== undefined) tell('x-datadog-origin', origin);
    const tags = segment.tags.map(([name, value]) => `${name}=${value}`).join(',');
    if (tags.length > MAX_TAGS) segment.root?.tags.set('_dd.propagation_error', 'inject_max_size');
    else if (tags !== '') tell('x-datadog-tags', tags);
    tell('traceparent', traceparent('00', traceId, spanId, priority > 0));
    tell('tracestate', tracestate({ spanId, priority, origin, tags: segment.tags, others, unknown }));
  }

  finish(): void {
    this.#segment.end();
  }

  packed(): ReadonlyMap<string, Packed> {
    const { service, tags: common, processId } = this.#defaults;
    const { error, 'error.reason': reason, 'resource.name': resource, ...said } = Object.fromEntries(this.tags);
    const meta = new Map<string, Packed>([...common, ...Object.entries(said)]);
    if (reason !== undefined) meta.set('error.reason', reason).set('error.message', reason);
    const start = micros(this.start);
    return new Map<string, Packed>([
      ['service', service],
      ['name', NAME],
      ['resource', resource ?? this.name],
      ['trace_id', BigInt(`0x${this.#segment.context.traceLow}`)],
      ['span_id', BigInt(`0x${this.spanId}`)],
      ['parent_id', BigInt(`0x${this.parentId === '' ? ZERO : this.parentId}`)],
      ['start', start * 1000n],
      ['duration', (micros(this.end) - start) * 1000n],
      ['error', error === 'true' || reason !== undefined ? 1 : 0],
      ['meta', meta],
      ['metrics', new Map([...this.metrics, ['process_id', new Double(processId)]])],
      ['type', 'web'],
    ]);
  }
}

function micros(time: number): bigint {
  return BigInt(Math.round(time * 1000));
}
