import type { Clock, Timer } from '../../deps.ts';
import { type Exemplar, Exemplars } from '../../telemetry/exemplars.ts';
import type { Counter } from '../../program/types.ts';
import type { Histogram } from '../../telemetry/histogram.ts';
import type { TaggedStat, TaggedStats, Tags } from '../../telemetry/tagged.ts';
import type { CustomMetric, Overrides, StandardMetric } from './overrides.ts';

const NAMESPACE = 'istiocustom.istio_';
/** More series than these are not told apart by what clients made up: hosts, and values of expressions. */
export const MAX_SERIES = 10_000;

/** What every request adds to; undefined: it is dropped. */
interface OfRequests {
  readonly total: Counter | undefined;
  readonly duration: Histogram | undefined;
  readonly received: Histogram | undefined;
  readonly sent: Histogram | undefined;
}

/** The metrics of one combination of label values, found once and then only added to. */
export class Series {
  readonly #tagged: TaggedStats;
  readonly #overrides: Overrides | undefined;
  readonly #tags: Tags;
  readonly #values: readonly string[];
  readonly #found = new Map<string, TaggedStat>();
  #ofRequests: OfRequests | undefined;

  constructor(tagged: TaggedStats, overrides: Overrides | undefined, tags: Tags, values: readonly string[]) {
    this.#tagged = tagged;
    this.#overrides = overrides;
    this.#tags = tags;
    this.#values = values;
  }

  add(metric: StandardMetric, amount: number): void {
    const stat = this.#standard(metric, 'counter');
    if (stat !== undefined) stat.counter.value += amount;
  }

  /** A request that took so long, and the bytes it was. */
  request(milliseconds: number, bytesReceived: number, bytesSent: number): void {
    const { total, duration, received, sent } = (this.#ofRequests ??= {
      total: this.#standard('requests_total', 'counter')?.counter,
      duration: this.#standard('request_duration_milliseconds', 'histogram')?.histogram,
      received: this.#standard('request_bytes', 'histogram')?.histogram,
      sent: this.#standard('response_bytes', 'histogram')?.histogram,
    });
    if (total !== undefined) total.value++;
    duration?.record(milliseconds);
    received?.record(bytesReceived);
    sent?.record(bytesSent);
  }

  /** The trace that a value belongs to. */
  exemplify(metric: StandardMetric, exemplar: Exemplar): void {
    const stat = this.#standard(metric, 'histogram');
    if (stat !== undefined) (stat.exemplars ??= new Exemplars()).add(exemplar);
  }

  recordCustom(metric: CustomMetric, amount: number): void {
    const stat = this.#of(metric.name, metric.kind, this.#overrides!.tags(metric.name, [], this.#values));
    if (metric.kind === 'counter') stat.counter.value += amount;
    else if (metric.kind === 'gauge') stat.counter.value = amount;
    else stat.histogram!.record(amount);
  }

  /** Nobody adds to it any more; what nobody else adds to either is forgotten. */
  release(): void {
    for (const stat of this.#found.values()) this.#tagged.release(stat);
    this.#found.clear();
    this.#ofRequests = undefined;
  }

  #standard(metric: StandardMetric, kind: TaggedStat['kind']): TaggedStat | undefined {
    const found = this.#found.get(metric);
    if (found !== undefined) return found;
    const overrides = this.#overrides;
    if (overrides?.drops(metric) === true) return undefined;
    return this.#of(
      metric,
      kind,
      overrides === undefined ? this.#tags : overrides.tags(metric, this.#tags, this.#values),
    );
  }

  #of(metric: string, kind: TaggedStat['kind'], tags: Tags): TaggedStat {
    let stat = this.#found.get(metric);
    if (stat === undefined) {
      stat = this.#tagged.get(kind, NAMESPACE + metric, tags);
      this.#tagged.hold(stat);
      this.#found.set(metric, stat);
    }
    return stat;
  }
}

/** All series of a filter by what tells them apart. With rotation, those that have not been used for long are let go. */
export class SeriesMap {
  readonly #clock: Clock;
  readonly #rotation: number;
  readonly #grace: number;
  #current = new Map<string, Series>();
  #draining: Map<string, Series> | undefined;
  #rotated: number;
  #timer: Timer | undefined;
  /** Changes with each turn: what was remembered of series before is not to be used any more. */
  generation = 0;

  constructor(clock: Clock, rotation: number, grace: number) {
    this.#clock = clock;
    this.#rotation = rotation;
    this.#grace = grace;
    this.#rotated = clock.now();
  }

  get full(): boolean {
    return this.#current.size >= MAX_SERIES;
  }

  get(key: string): Series | undefined {
    return this.#current.get(key);
  }

  set(key: string, series: Series): void {
    this.#current.set(key, series);
    this.#rotateLater();
  }

  rotate(): void {
    if (this.#rotation <= 0) return;
    const now = this.#clock.now();
    if (this.#draining !== undefined && now - this.#rotated >= this.#grace) {
      for (const series of this.#draining.values()) series.release();
      this.#draining = undefined;
    }
    if (now - this.#rotated < this.#rotation) return;
    for (const series of this.#draining?.values() ?? []) series.release();
    this.#draining = this.#current;
    this.#current = new Map();
    this.#rotated = now;
    this.generation++;
  }

  /** Whether or not anything is counted again; where there is nothing to let go, nothing waits either. */
  #rotateLater(): void {
    if (this.#rotation <= 0 || this.#timer !== undefined) return;
    const next =
      this.#rotated + (this.#draining === undefined ? this.#rotation : Math.min(this.#grace, this.#rotation));
    this.#timer = this.#clock.after(Math.max(0, next - this.#clock.now()), () => {
      this.#timer = undefined;
      this.rotate();
      if (this.#current.size > 0 || this.#draining !== undefined) this.#rotateLater();
    });
  }
}
