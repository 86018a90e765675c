import type { Clock, Timer } from '../../deps.ts';
import { filterStateOf } from '../../filter-state/state.ts';
import type { LogSource } from '../../program/types.ts';
import type { StatsRecorder } from './recorder.ts';
import type { Series } from './series.ts';

/**
 * What goes on for longer than it is to wait for: it reports as often as the configuration says, once it is known who the
 * peer is, and at the end.
 */
export abstract class Meter {
  protected readonly recorder: StatsRecorder;
  protected readonly source: LogSource;
  /** Of the expressions of the overrides, as they were when the series was found. */
  protected values: readonly string[] = [];
  readonly #clock: Clock;
  #series: Series | undefined;
  #timer: Timer | undefined;

  constructor(recorder: StatsRecorder, clock: Clock, source: LogSource) {
    this.recorder = recorder;
    this.source = source;
    this.#clock = clock;
    if (recorder.reportingInterval > 0) this.#reportLater();
  }

  end(): void {
    this.#timer?.cancel();
    this.#report(true);
  }

  /** There is something to report, be it nothing new. */
  protected abstract get begun(): boolean;
  /** Nobody will say who the peer is, and what there is goes without. */
  protected abstract get peerless(): boolean;
  /** To which it reports from then on; called once. */
  protected abstract find(values: readonly string[]): Series;
  /** Adds what is new. */
  protected abstract report(series: Series, ends: boolean): void;

  #reportLater(): void {
    this.#timer = this.#clock.after(this.recorder.reportingInterval, () => {
      this.#report(false);
      this.#reportLater();
    });
  }

  #report(ends: boolean): void {
    if (!this.begun) return;
    let series = this.#series;
    if (series === undefined) {
      const { overrides, peerKey } = this.recorder;
      if (!ends && filterStateOf(this.source.info, peerKey) === undefined && !this.peerless) return;
      if (overrides !== undefined) this.values = overrides.evaluate(this.source);
      this.#series = series = this.find(this.values);
    }
    this.report(series, ends);
  }
}
