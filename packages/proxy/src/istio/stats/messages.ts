import type { Clock, Timer } from '../../deps.ts';
import { filterStateOf } from '../../filter-state/state.ts';
import { MessageCounts, MESSAGE_COUNTS } from '../../filter/grpc-stats/counts.ts';
import type { LogSource } from '../../program/types.ts';
import type { HttpStream } from '../../types.ts';
import type { StatsRecorder } from './recorder.ts';
import type { Series } from './series.ts';

/**
 * Istio's metrics of gRPC messages: as often as connections report, once it is known who the peer is, and at the end. How
 * a call ends is not known before it does, so that only who takes part tells these series apart.
 */
export class MessageMeter {
  readonly #recorder: StatsRecorder;
  readonly #clock: Clock;
  readonly #stream: HttpStream;
  #series: Series | undefined;
  #timer: Timer | undefined;
  #requests = 0;
  #responses = 0;

  constructor(recorder: StatsRecorder, clock: Clock, stream: HttpStream) {
    this.#recorder = recorder;
    this.#clock = clock;
    this.#stream = stream;
    if (recorder.reportingInterval > 0) this.#reportLater();
  }

  end(): void {
    this.#timer?.cancel();
    this.#report(true);
  }

  #reportLater(): void {
    this.#timer = this.#clock.after(this.#recorder.reportingInterval, () => {
      this.#report(false);
      this.#reportLater();
    });
  }

  #report(ends: boolean): void {
    const { info } = this.#stream;
    const { overrides, peerKey } = this.#recorder;
    const counts = filterStateOf(info, MESSAGE_COUNTS);
    if (!(counts instanceof MessageCounts)) return;
    if (!ends && this.#series === undefined && filterStateOf(info, peerKey) === undefined) return;
    const source: LogSource = this.#stream;
    const series = (this.#series ??= this.#recorder.findParties(source, overrides?.evaluate(source) ?? []));
    series.add('request_messages_total', counts.requests - this.#requests);
    series.add('response_messages_total', counts.responses - this.#responses);
    this.#requests = counts.requests;
    this.#responses = counts.responses;
  }
}
