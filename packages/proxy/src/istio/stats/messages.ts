import type { Clock } from '../../deps.ts';
import { filterStateOf } from '../../filter-state/state.ts';
import { MessageCounts, MESSAGE_COUNTS } from '../../filter/grpc-stats/counts.ts';
import type { HttpStream } from '../../types.ts';
import { Meter } from './meter.ts';
import type { StatsRecorder } from './recorder.ts';
import type { Series } from './series.ts';

/**
 * Istio's metrics of gRPC messages. How a call ends is not known before it does, so that only who takes part tells these
 * series apart.
 */
export class MessageMeter extends Meter {
  readonly #stream: HttpStream;
  #requests = 0;
  #responses = 0;

  constructor(recorder: StatsRecorder, clock: Clock, stream: HttpStream) {
    super(recorder, clock, stream);
    this.#stream = stream;
  }

  get #counts(): MessageCounts | undefined {
    const counts = filterStateOf(this.#stream.info, MESSAGE_COUNTS);
    return counts instanceof MessageCounts ? counts : undefined;
  }

  protected get begun(): boolean {
    return this.#counts !== undefined;
  }

  protected get peerless(): boolean {
    return false;
  }

  protected find(values: readonly string[]): Series {
    return this.recorder.findParties(this.source, values);
  }

  protected report(series: Series): void {
    const counts = this.#counts!;
    series.add('request_messages_total', counts.requests - this.#requests);
    series.add('response_messages_total', counts.responses - this.#responses);
    this.#requests = counts.requests;
    this.#responses = counts.responses;
  }
}
