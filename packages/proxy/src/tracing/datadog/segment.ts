import type { DatadogContext, TraceTags } from './types.ts';
import { Double, type Packed } from './msgpack.ts';
import type { AgentRates, Drawn } from './rates.ts';
import type { DatadogSpan } from './span.ts';

const DECIDER = '_dd.p.dm';
const RATE = '_dd.p.ksr';
const MANUAL = 4;

/** As `x-datadog-sampling-priority` says it. */
const AUTO = { keep: 1, drop: 0 } as const;
const USER = { keep: 2, drop: -1 } as const;

/** The spans of one trace that this proxy makes. They are reported once all have ended. */
export class Segment {
  readonly context: DatadogContext;
  readonly #rates: AgentRates;
  readonly #report: (spans: readonly ReadonlyMap<string, Packed>[]) => void;
  readonly #spans: DatadogSpan[] = [];
  #open = 0;
  #priority: number | undefined;
  #drawn: Drawn | undefined;
  #tags: TraceTags;

  constructor(
    context: DatadogContext,
    rates: AgentRates,
    report: (spans: readonly ReadonlyMap<string, Packed>[]) => void,
  ) {
    this.context = context;
    this.#rates = rates;
    this.#report = report;
    this.#priority = context.priority;
    this.#tags = context.tags;
  }

  /** What goes along with the trace; complete once its priority is known. */
  get tags(): TraceTags {
    return this.#tags;
  }

  get root(): DatadogSpan | undefined {
    return this.#spans[0];
  }

  /** Decided here, at the latest now. */
  get priority(): number {
    if (this.#priority === undefined) {
      const drawn = this.#rates.draw(this.context.traceLow);
      this.#drawn = drawn;
      this.#decide(drawn.kept ? AUTO.keep : AUTO.drop, drawn.mechanism);
    }
    return this.#priority!;
  }

  /** Somebody decides, whatever was decided before. */
  override(kept: boolean): void {
    this.#drawn = undefined;
    this.#decide(kept ? USER.keep : USER.drop, MANUAL);
  }

  #decide(priority: number, mechanism: number): void {
    this.#priority = priority;
    const others = this.#tags.filter(([name]) => name !== DECIDER);
    const known = others.length < this.#tags.length;
    const decider = [DECIDER, `-${mechanism}`] as const;
    if (priority <= 0) this.#tags = others;
    else if (known) this.#tags = this.#tags.map((tag) => (tag[0] === DECIDER ? decider : tag));
    else this.#tags = [...others, decider];
    if (this.#drawn?.mechanism === 1) this.#tags = [...this.#tags, [RATE, String(this.#drawn.rate)]];
  }

  begin(span: DatadogSpan): void {
    this.#spans.push(span);
    this.#open++;
  }

  end(): void {
    if (--this.#open > 0) return;
    const { priority } = this;
    const root = this.#spans[0]!;
    for (const [name, value] of this.#tags) if (!root.tags.has(name)) root.tags.set(name, value);
    root.metrics.set('_sampling_priority_v1', new Double(priority));
    if (this.#drawn !== undefined) root.metrics.set('_dd.agent_psr', new Double(this.#drawn.rate));
    const { origin } = this.context;
    if (origin !== undefined) for (const span of this.#spans) span.tags.set('_dd.origin', origin);
    this.#report(this.#spans.map((span) => span.packed()));
  }
}
