import type { Clock, Random } from '../deps.ts';
import type { Headers } from '../http/headers.ts';
import type { HttpCall, UpstreamCalls } from '../program/types.ts';
import type { Counter } from '../program/types.ts';
import { unwire } from '../program/values.ts';
import type { RequestHead } from '../types.ts';
import { contextOfB3, sampledByB3, type SpanContext } from './b3.ts';
import { Batch, type BatchSettings } from './batch.ts';
import type { Span, SpanEvent, SpanKind, SpanStart, Tracer } from './span.ts';
import { contextOfW3c, traceparent } from './w3c.ts';

export interface ZipkinSettings {
  /** All of a call but its body. */
  readonly call: () => Omit<HttpCall, 'body'>;
  readonly wideTraceIds: boolean;
  readonly sharesSpans: boolean;
  /** Inbound and outbound requests are told apart by spans of their own. */
  readonly splits: boolean;
  /** W3C's headers are written too, and read where there are none of B3. */
  readonly withW3c: boolean;
  readonly serviceName: string;
  readonly address: string;
  readonly batch: BatchSettings;
  readonly counters: Readonly<Record<ZipkinCounter, Counter>>;
}
export type ZipkinCounter =
  | 'spans_sent'
  | 'reports_sent'
  | 'reports_dropped'
  | 'reports_failed'
  | 'reports_skipped_no_cluster';

/** Makes Zipkin's spans and posts them as its second version of JSON. */
export class ZipkinTracer implements Tracer {
  readonly settings: ZipkinSettings;
  readonly random: Random;
  readonly #calls: UpstreamCalls;
  readonly #hasCluster: (name: string) => boolean;
  readonly #batch: Batch<ZipkinSpan>;

  constructor(
    settings: ZipkinSettings,
    deps: {
      readonly clock: Clock;
      readonly random: Random;
      readonly calls: UpstreamCalls;
      readonly hasCluster: (name: string) => boolean;
    },
  ) {
    this.settings = settings;
    this.random = deps.random;
    this.#calls = deps.calls;
    this.#hasCluster = deps.hasCluster;
    this.#batch = new Batch(deps.clock, settings.batch, (spans) => this.#send(spans));
  }

  /** Spans are called after the host until somebody says otherwise. */
  start({ headers, authority }: RequestHead, how: SpanStart): Span | undefined {
    const { settings } = this;
    let sampled = sampledByB3(headers);
    let parent = contextOfB3(headers);
    if (parent === undefined && settings.withW3c && !headers.has('b3')) {
      const w3c = contextOfW3c(headers);
      if (w3c !== undefined && w3c !== 'bad') {
        sampled = w3c.sampled;
        parent = { traceId: w3c.traceId, spanId: w3c.spanId, parentId: '' };
      }
    }
    if (parent === 'bad') return undefined;
    const kind = settings.splits ? 'SERVER' : how.kind;
    // Without spans of their own, what a request has done for it looks as the request itself.
    const childKind = how.kind === 'SERVER' && !how.spawns && !settings.splits ? 'SERVER' : 'CLIENT';
    return new ZipkinSpan(this, unwire(authority), kind, how.start, sampled ?? how.traced, parent, {
      single: headers.has('b3'),
      childKind,
    });
  }

  report(span: ZipkinSpan): void {
    this.#batch.add(span);
  }

  #send(spans: readonly ZipkinSpan[]): void {
    const { counters, call } = this.settings;
    counters.spans_sent.value += spans.length;
    const to = call();
    if (!this.#hasCluster(to.cluster)) {
      counters.reports_skipped_no_cluster.value++;
      return;
    }
    const body = Buffer.from(JSON.stringify(spans.map((span) => span.json())));
    this.#calls.http({ ...to, body }).answer.then(
      ({ status }) => counters[status === 202 ? 'reports_sent' : 'reports_dropped'].value++,
      () => counters.reports_failed.value++,
    );
  }
}

interface Lineage {
  /** The request came with the single header, and goes on with it. */
  readonly single: boolean;
  readonly childKind: SpanKind;
}

const B3_FIELDS = ['x-b3-traceid', 'x-b3-spanid', 'x-b3-parentspanid', 'x-b3-sampled'];

/** What is empty is left out, and leaves what was there. */
class SaidTags extends Map<string, string> {
  override set(name: string, value: string): this {
    return name === '' || value === '' ? this : super.set(name, value);
  }
}

class ZipkinSpan implements Span {
  readonly keepsId = true;
  readonly #tracer: ZipkinTracer;
  sampled: boolean;
  name: string;
  readonly kind: SpanKind;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string;
  readonly start: number;
  end = 0;
  readonly tags: Map<string, string> = new SaidTags();
  readonly events: SpanEvent[] = [];
  readonly #lineage: Lineage;

  constructor(
    tracer: ZipkinTracer,
    name: string,
    kind: SpanKind,
    start: number,
    sampled: boolean,
    parent: SpanContext | undefined,
    lineage: Lineage,
  ) {
    this.#tracer = tracer;
    this.name = name;
    this.kind = kind;
    this.start = start;
    this.sampled = sampled;
    this.#lineage = lineage;
    const { random, settings } = tracer;
    if (parent === undefined) {
      this.spanId = random.hex(16);
      this.traceId = (settings.wideTraceIds ? random.hex(16) : '') + this.spanId;
      this.parentId = '';
    } else if (kind === 'SERVER' && settings.sharesSpans) {
      this.traceId = parent.traceId;
      this.spanId = parent.spanId;
      this.parentId = parent.parentId;
    } else {
      this.traceId = parent.traceId;
      this.spanId = random.hex(16);
      this.parentId = parent.spanId;
    }
  }

  child(name: string, start: number): Span {
    return new ZipkinSpan(this.#tracer, name, this.#lineage.childKind, start, this.sampled, this, this.#lineage);
  }

  inject(headers: Headers): void {
    const { traceId, spanId, parentId, sampled } = this;
    const flag = sampled ? '1' : '0';
    if (this.#lineage.single) {
      headers.renew('b3', `${traceId}-${spanId}-${flag}${parentId === '' ? '' : `-${parentId}`}`);
    } else {
      // They stand last, wherever the client's were.
      for (const name of B3_FIELDS) headers.remove(name);
      headers.set('x-b3-traceid', traceId);
      headers.set('x-b3-spanid', spanId);
      if (parentId !== '') headers.set('x-b3-parentspanid', parentId);
      headers.set('x-b3-sampled', flag);
    }
    if (!this.#tracer.settings.withW3c) return;
    headers.remove('traceparent');
    headers.set('traceparent', traceparent('00', traceId, spanId, sampled));
  }

  finish(): void {
    if (this.sampled) this.#tracer.report(this);
  }

  json(): object {
    const { settings } = this.#tracer;
    const server = this.kind === 'SERVER';
    return {
      traceId: this.traceId,
      ...(this.parentId === '' ? {} : { parentId: this.parentId }),
      id: this.spanId,
      kind: this.kind,
      name: this.name,
      timestamp: micros(this.start),
      duration: Math.max(1, micros(this.end) - micros(this.start)),
      localEndpoint: { serviceName: settings.serviceName, ...endpoint(settings.address), port: 0 },
      annotations: [
        ...this.events.map(({ name, time }) => ({ timestamp: micros(time), value: name })),
        { timestamp: micros(this.end), value: server ? 'ss' : 'cr' },
      ],
      tags: Object.fromEntries(this.tags),
      ...(server && settings.sharesSpans ? { shared: true } : {}),
    };
  }
}

function endpoint(address: string): object {
  return address.includes(':') ? { ipv6: address } : { ipv4: address };
}
function micros(time: number): number {
  return Math.round(time * 1000);
}
