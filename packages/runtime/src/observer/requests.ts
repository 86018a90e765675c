import type { PeerReader } from '@mizzen/proxy/istio/peer-headers.ts';
import type { WorkloadPeer } from '@mizzen/proxy/istio/peer.ts';
import { recordCustom } from '@mizzen/proxy/istio/stats/http.ts';
import type { StatsRecorder } from '@mizzen/proxy/istio/stats/recorder.ts';
import { grpcOfHttp, httpStatusOf, isGrpc } from '@mizzen/proxy/telemetry/access-log-grpc.ts';
import type { Edges } from './edges.ts';
import type { Series } from '@mizzen/proxy/istio/stats/series.ts';
import {
  type CommonProperties,
  downstreamNames,
  type HttpEntry,
  millisecondsOf,
  tagOf,
  upstreamNames,
} from './entries.ts';
import { observed } from './observed.ts';
import { sourceOf } from './source.ts';

const PEER_NAMESPACE = 'mizzen.peer';
const NONE: readonly string[] = [];

/** Messages of a call that have been counted. */
interface Counted {
  readonly series: Series;
  readonly requests: number;
  readonly responses: number;
}

/** Istio's metrics of requests, of entries about them: what `istio.stats` would have counted. */
export class Requests {
  readonly #recorder: StatsRecorder;
  readonly #reader: PeerReader;
  readonly #edges: Edges;
  /** gRPC calls that go on, by the ids of their streams. */
  readonly #calls = new Map<string, Counted>();

  constructor(recorder: StatsRecorder, reader: PeerReader, edges: Edges) {
    this.#recorder = recorder;
    this.#reader = reader;
    this.#edges = edges;
  }

  record(entry: HttpEntry): void {
    const recorder = this.#recorder;
    const { overrides, reporter } = recorder;
    const { commonProperties: common = {}, request, response } = entry;
    const code = response?.responseCode ?? 0;
    const peer = this.#peer(common);
    const values =
      overrides === undefined ? NONE : overrides.evaluate(sourceOf(entry, { key: recorder.peerKey, peer }));
    const grpc = isGrpc(request?.requestHeaders?.['content-type']);
    const grpcStatus = grpc ? grpcStatusOf(entry) : '';
    const seen = observed(recorder, common, {
      code,
      protocol: grpc ? 'grpc' : 'http',
      grpcStatus,
      authority: request?.authority ?? '',
      peer,
      names: reporter === 'source' ? upstreamNames(common) : downstreamNames(common),
    });
    const ends = common.accessLogType !== 'DownstreamPeriodic';
    // Before it is known who takes part, nothing is counted: it would be somebody else.
    if (grpc && (ends || peer !== undefined || this.#calls.has(common.streamId ?? ''))) {
      this.#messages(common, () => recorder.seriesOfParties(seen, values), ends);
    }
    if (!ends) return;
    const series = recorder.seriesOf(seen, values);
    series.request(
      Math.max(0, Math.trunc(millisecondsOf(common.timeToLastDownstreamTxByte ?? common.duration))),
      Number(common.downstreamWireBytesReceived ?? 0),
      Number(common.downstreamWireBytesSent ?? 0),
    );
    if (overrides !== undefined) recordCustom(overrides, series, values);
    const failed = code >= 500 || code === 0;
    if (reporter === 'source')
      this.#edges.request(common, grpcStatus === '' || failed ? code : httpStatusOf(grpcStatus));
  }

  /** Of a stream that ended nobody will hear more. */
  lost(): void {
    this.#calls.clear();
  }

  /** What `grpc_stats` has counted so far, `REQUESTS,RESPONSES`: what is new of it. */
  #messages(common: CommonProperties, seriesOf: () => Series, ends: boolean): void {
    const { streamId = '' } = common;
    const known = this.#calls.get(streamId);
    if (ends) this.#calls.delete(streamId);
    const [, requests, responses] = /^(\d+),(\d+)$/.exec(tagOf(common, 'messages')) ?? [];
    if (requests === undefined || responses === undefined) return;
    const now = { series: known?.series ?? seriesOf(), requests: Number(requests), responses: Number(responses) };
    now.series.add('request_messages_total', now.requests - (known?.requests ?? 0));
    now.series.add('response_messages_total', now.responses - (known?.responses ?? 0));
    if (!ends) this.#calls.set(streamId, now);
  }

  #peer({ metadata }: CommonProperties): WorkloadPeer | undefined {
    const said = metadata?.filterMetadata?.[PEER_NAMESPACE];
    const { metadata: value, id } = said ?? {};
    if (typeof value !== 'string' || value === '') return undefined;
    return this.#reader.read(typeof id === 'string' ? id : undefined, value);
  }
}

/** What trailers or the head say; otherwise what the HTTP status means to gRPC. */
function grpcStatusOf({ response }: HttpEntry): string {
  const text = response?.responseTrailers?.['grpc-status'] ?? response?.responseHeaders?.['grpc-status'];
  if (text !== undefined) return /^\d+$/.test(text) ? text : '-1';
  const code = response?.responseCode ?? 0;
  return code === 0 ? '' : String(grpcOfHttp(code));
}
