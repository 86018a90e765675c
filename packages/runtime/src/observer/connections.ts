import type { Clock } from '@mizzen/proxy/deps.ts';
import type { WorkloadPeer } from '@mizzen/proxy/istio/peer.ts';
import { recordCustom } from '@mizzen/proxy/istio/stats/http.ts';
import type { StatsRecorder } from '@mizzen/proxy/istio/stats/recorder.ts';
import type { Series } from '@mizzen/proxy/istio/stats/series.ts';
import type { Edges } from './edges.ts';
import { type CommonProperties, downstreamNames, placeOf, type TcpEntry, upstreamNames } from './entries.ts';
import { observed } from './observed.ts';
import type { Peers } from './peers.ts';
import { sourceOf } from './source.ts';

/** The client's proxy tells of a connection at about the same time as the server's. Milliseconds. */
const CLIENT_SAYS = 500;

export interface ConnectionsOptions {
  readonly node: string;
  readonly clock: Clock;
  readonly peers: Peers;
  readonly edges: Edges;
}

/** What has been counted of a connection so far. */
interface Counted {
  readonly series: Series;
  readonly values: readonly string[];
  sent: number;
  received: number;
}

/** Istio's metrics of connections, of entries about them. */
export class Connections {
  readonly #recorder: StatsRecorder;
  readonly #options: ConnectionsOptions;
  /** Those that go on, by the ids of their streams. */
  readonly #open = new Map<string, Counted>();
  /** The newest entries of those of which it is not known yet whose they are. */
  readonly #waiting = new Map<string, TcpEntry>();

  constructor(recorder: StatsRecorder, options: ConnectionsOptions) {
    this.#recorder = recorder;
    this.#options = options;
  }

  record(entry: TcpEntry): void {
    const { node, peers, edges, clock } = this.#options;
    const { commonProperties: common = {} } = entry;
    const ends = common.accessLogType === 'TcpConnectionEnd';
    if (this.#recorder.reporter === 'source') {
      const from = placeOf(common.upstreamLocalAddress);
      if (common.accessLogType === 'TcpUpstreamConnected') {
        edges.connection(common);
        if (from !== '') return peers.connected(node, from);
        return;
      }
      if (ends && from === '') edges.connection(common);
      if (ends) peers.ended(from);
      return this.#count(entry, ends, undefined);
    }
    if (common.accessLogType === 'TcpUpstreamConnected') return;
    const { streamId = '' } = common;
    if (this.#open.has(streamId)) return this.#count(entry, ends, undefined);
    const peer = this.#clientOf(common);
    if (peer !== undefined) {
      // It says all that one that waits has said.
      this.#waiting.delete(streamId);
      return this.#count(entry, ends, peer);
    }
    const waits = this.#waiting.has(streamId);
    this.#waiting.set(streamId, entry);
    if (!waits) clock.after(CLIENT_SAYS, () => this.#waited(streamId));
  }

  #waited(streamId: string): void {
    const entry = this.#waiting.get(streamId);
    if (entry === undefined) return;
    this.#waiting.delete(streamId);
    const { commonProperties: common = {} } = entry;
    this.#count(entry, common.accessLogType === 'TcpConnectionEnd', this.#clientOf(common));
  }

  /** Of a stream that ended nobody will hear more. */
  lost(): void {
    this.#open.clear();
  }

  #clientOf(common: CommonProperties): WorkloadPeer | undefined {
    const { peers } = this.#options;
    return (
      peers.ofConnection(placeOf(common.downstreamDirectRemoteAddress)) ??
      peers.ofIdentity(downstreamNames(common).peer)
    );
  }

  #count(entry: TcpEntry, ends: boolean, peer: WorkloadPeer | undefined): void {
    const { commonProperties: { streamId = '' } = {}, connectionProperties } = entry;
    let counted = this.#open.get(streamId);
    if (counted === undefined) {
      counted = this.#begin(entry, peer);
      if (!ends) this.#open.set(streamId, counted);
    }
    const { series, values } = counted;
    const sent = Number(connectionProperties?.sentBytes ?? 0);
    const received = Number(connectionProperties?.receivedBytes ?? 0);
    if (sent > counted.sent) series.add('tcp_sent_bytes_total', sent - counted.sent);
    if (received > counted.received) series.add('tcp_received_bytes_total', received - counted.received);
    counted.sent = Math.max(sent, counted.sent);
    counted.received = Math.max(received, counted.received);
    if (!ends) return;
    this.#open.delete(streamId);
    series.add('tcp_connections_closed_total', 1);
    const { overrides } = this.#recorder;
    if (overrides !== undefined) recordCustom(overrides, series, values);
  }

  #begin(entry: TcpEntry, peer: WorkloadPeer | undefined): Counted {
    const recorder = this.#recorder;
    const { overrides, reporter, peerKey } = recorder;
    const { commonProperties: common = {} } = entry;
    const values = overrides === undefined ? [] : overrides.evaluate(sourceOf(entry, { key: peerKey, peer }));
    const series = recorder.seriesOf(
      observed(recorder, common, {
        code: 0,
        protocol: 'tcp',
        grpcStatus: '',
        authority: '',
        peer,
        names: reporter === 'source' ? upstreamNames(common) : downstreamNames(common),
      }),
      values,
    );
    series.add('tcp_connections_opened_total', 1);
    // What has been counted is told, even of nothing.
    series.add('tcp_sent_bytes_total', 0);
    series.add('tcp_received_bytes_total', 0);
    return { series, values, sent: 0, received: 0 };
  }
}
