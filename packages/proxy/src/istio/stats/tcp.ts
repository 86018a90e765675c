import type { types } from '@mizzen/xds';
import { filterStateOf } from '../../filter-state/state.ts';
import type { CompileContext } from '../../program/context.ts';
import type { StreamInfo } from '../../types.ts';
import { NO_PEER } from '../peer.ts';
import { recordCustom } from './http.ts';
import { Meter } from './meter.ts';
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
  return { begin: (info) => new ConnectionMeter(recorder, clock, { info }) };
}

class ConnectionMeter extends Meter implements TcpMeter {
  #sent = 0;
  #received = 0;

  protected get begun(): boolean {
    return true;
  }

  protected get peerless(): boolean {
    return filterStateOf(this.source.info, NO_PEER) !== undefined;
  }

  protected find(values: readonly string[]): Series {
    const series = this.recorder.find(this.source, 'tcp', '', values);
    series.add('tcp_connections_opened_total', 1);
    return series;
  }

  protected report(series: Series, ends: boolean): void {
    const { info } = this.source;
    series.add('tcp_sent_bytes_total', info.bytesSent - this.#sent);
    this.#sent = info.bytesSent;
    series.add('tcp_received_bytes_total', info.bytesReceived - this.#received);
    this.#received = info.bytesReceived;
    if (!ends) return;
    series.add('tcp_connections_closed_total', 1);
    const { overrides } = this.recorder;
    if (overrides !== undefined) recordCustom(overrides, series, this.values);
  }
}
