import type { Clock, Random } from '../../deps.ts';
import type { Counter, HttpCall, UpstreamCalls } from '../../program/types.ts';
import { unwire } from '../../program/values.ts';
import type { RequestHead } from '../../types.ts';
import { Batch } from '../batch.ts';
import type { Span, SpanStart, Tracer } from '../span.ts';
import { extract } from './context.ts';
import type { DatadogContext } from './types.ts';
import { pack, type Packed } from './msgpack.ts';
import { AgentRates } from './rates.ts';
import { Segment } from './segment.ts';
import { DatadogSpan, type SpanDefaults } from './span.ts';

export interface DatadogSettings {
  /** All of a call but its body and the fields that say what is in it. */
  readonly call: Omit<HttpCall, 'body'>;
  readonly defaults: SpanDefaults;
  readonly counters: Readonly<Record<DatadogCounter, Counter>>;
}
export type DatadogCounter = 'reports_sent' | 'reports_dropped' | 'reports_failed' | 'reports_skipped_no_cluster';

/** How long traces wait for others, milliseconds: the library's that Envoy has. */
const FLUSH_INTERVAL = 2000;

/**
 * Makes Datadog's spans and posts them to its agent (`/v0.4/traces`, MessagePack), those of traces that are not kept, too:
 * the agent counts them. What it answers decides how many are kept from then on.
 */
export class DatadogTracer implements Tracer {
  readonly #settings: DatadogSettings;
  readonly #deps: DatadogDeps;
  readonly #rates: AgentRates;
  readonly #batch: Batch<readonly ReadonlyMap<string, Packed>[]>;

  constructor(settings: DatadogSettings, deps: DatadogDeps) {
    this.#settings = settings;
    this.#deps = deps;
    const { service, environment } = settings.defaults;
    this.#rates = new AgentRates(service, environment);
    const batch = { minFlush: { value: Infinity }, interval: { value: FLUSH_INTERVAL }, onTimer: () => undefined };
    this.#batch = new Batch(deps.clock, batch, (traces) => this.#send(traces));
  }

  start({ headers }: RequestHead, how: SpanStart): Span {
    const { random } = this.#deps;
    const { context, problems } = extract(headers);
    const trace = context ?? newTrace(random, how.start);
    const segment = new Segment(trace, this.#rates, (spans) => this.#batch.add(spans));
    // Who called has decided, or this proxy does not want it; all else is left to the agent.
    if (trace.priority === undefined && !how.traced) segment.override(false);
    const ids = {
      traceId: trace.traceHigh + trace.traceLow,
      spanId: context === undefined ? trace.traceLow : random.hex(16),
      parentId: trace.parentId ?? '',
    };
    const span = new DatadogSpan(segment, this.#settings.defaults, random, unwire(how.name), how, ids);
    for (const [name, value] of problems) span.tags.set(name, value);
    if (trace.lastParent !== undefined) span.tags.set('_dd.parent_id', trace.lastParent);
    return span;
  }

  #send(traces: readonly (readonly ReadonlyMap<string, Packed>[])[]): void {
    const { counters, call } = this.#settings;
    const { hasCluster, calls } = this.#deps;
    if (!hasCluster(call.cluster)) {
      counters.reports_skipped_no_cluster.value++;
      return;
    }
    const headers = [...call.headers, 'x-datadog-trace-count', String(traces.length)];
    calls.http({ ...call, headers, body: pack(traces) }).answer.then(
      ({ status, body }) => {
        counters[status === 200 ? 'reports_sent' : 'reports_dropped'].value++;
        if (status === 200) this.#rates.learn(body);
      },
      () => counters.reports_failed.value++,
    );
  }
}

export interface DatadogDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly calls: UpstreamCalls;
  readonly hasCluster: (name: string) => boolean;
}

/** Ids of 128 bits begin with the seconds since 1970. */
function newTrace(random: Random, start: number): DatadogContext {
  const traceLow = random.hex(16);
  const traceHigh = `${Math.floor(start / 1000)
    .toString(16)
    .padStart(8, '0')}00000000`;
  return {
    traceLow,
    traceHigh,
    parentId: undefined,
    priority: undefined,
    origin: undefined,
    tags: [['_dd.p.tid', traceHigh]],
  };
}
