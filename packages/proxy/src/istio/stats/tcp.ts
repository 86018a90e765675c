import type { types } from '@mizzen/xds';
import type { Clock, Timer } from '../../deps.ts';
import { filterStateOf } from '../../filter-state/state.ts';
import type { CompileContext } from '../../program/context.ts';
import type { LogSource } from '../../program/types.ts';
import type { StreamInfo } from '../../types.ts';
import { NO_PEER } from '../peer.ts';
import { recordCustom } from './http.ts';
import { StatsRecorder } from './recorder.ts';
import type { Series } from './series.ts';

/** Istio's metrics of connections. */
export interface TcpStatsProgram {
  /** A connection begins. */
  begin(info: StreamInfo): TcpMeter;
}
export interface TcpMeter {
  end(): void;
}

/** Undefined: nobody keeps statistics. */
export function compileTcpStats(
  context: CompileContext,
  config: types.istioStats.PluginConfig,
): TcpStatsProgram | undefined {
  const { tagged, clock } = context.deps;
  if (tagged === undefined) return undefined;
  const recorder = new StatsRecorder(context, config, tagged);
  return { begin: (info) => new ConnectionMeter(recorder, clock, info) };
}

/** Reports every so often, once it is known who the peer is, and at the end. */
class ConnectionMeter implements TcpMeter {
  readonly #recorder: StatsRecorder;
  readonly #clock: Clock;
  readonly #info: StreamInfo;
  #series: Series | undefined;
  #values: readonly string[] = [];
  #timer: Timer | undefined;
  #sent = 0;
  #received = 0;

  constructor(recorder: StatsRecorder, clock: Clock, info: StreamInfo) {
    this.#recorder = recorder;
    this.#clock = clock;
    this.#info = info;
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
    const info = this.#info;
    const { overrides, peerKey } = this.#recorder;
    let series = this.#series;
    if (series === undefined) {
      if (!ends && filterStateOf(info, peerKey) === undefined && filterStateOf(info, NO_PEER) === undefined) return;
      const source: LogSource = { info };
      if (overrides !== undefined) this.#values = overrides.evaluate(source);
      this.#series = series = this.#recorder.find(source, 'tcp', '', this.#values);
      series.add('tcp_connections_opened_total', 1);
    }
    series.add('tcp_sent_bytes_total', info.bytesSent - this.#sent);
    this.#sent = info.bytesSent;
    series.add('tcp_received_bytes_total', info.bytesReceived - this.#received);
    this.#received = info.bytesReceived;
    if (!ends) return;
    series.add('tcp_connections_closed_total', 1);
    if (overrides !== undefined) recordCustom(overrides, series, this.#values);
  }
}
