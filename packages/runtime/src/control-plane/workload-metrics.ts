import { status } from '@grpc/grpc-js';
import type { sendUnaryData, ServerReadableStream } from '@grpc/grpc-js';
import type { Clock } from '@mizzen/control-plane';
import type { Authorized, ExtraService, Peer, ProxyNode } from '@mizzen/control-plane/grpc/index.ts';
import { taggedMetricsOf } from '@mizzen/proxy/admin/tagged-metrics.ts';
import { decode } from '@mizzen/xds/binary/index.ts';
import type { JsonObject } from '@mizzen/xds';
import type { LogMessage } from '../observer/entries.ts';
import type { EntrySink } from '../observer/log-server.ts';
import { ObservedNode } from '../observer/observed-node.ts';
import { Peers } from '../observer/peers.ts';
import { podOf } from './node.ts';

/** What a proxy that went has counted is told for so long, so that one that comes back goes on. Milliseconds. */
const REMEMBERED = 10 * 60_000;
/** As many proxies are remembered; those that went longest ago are forgotten before others come. */
const MANY = 5000;
const MESSAGE = 'envoy.service.accesslog.v3.StreamAccessLogsMessage';
const raw = (message: Buffer): Buffer => message;

export interface WorkloadMetricsOptions {
  readonly clock: Clock;
  /** Whether a peer may speak for a node. Rejects, or throws, where it may not. */
  readonly authorize: (node: ProxyNode, peer: Peer) => Authorized | Promise<Authorized>;
  readonly onProblem: (message: string) => void;
}

class NotConnected extends Error {}

type Call = ServerReadableStream<Buffer, Buffer>;

interface Entry {
  readonly described: ProxyNode;
  readonly observed: ObservedNode;
  /** Streams by which it is configured. */
  streams: number;
  forget: { cancel(): void } | undefined;
}

/** Istio's metrics of plain Envoys that are configured here, made of what they log over gRPC. */
export class WorkloadMetrics {
  readonly #options: WorkloadMetricsOptions;
  readonly #peers: Peers;
  readonly #entries = new Map<string, Entry>();

  constructor(options: WorkloadMetricsOptions) {
    this.#options = options;
    this.#peers = new Peers(options.clock);
  }

  connect(described: ProxyNode): void {
    const { id } = described;
    const metadata = described.metadata as JsonObject;
    this.#peers.add(id, metadata);
    const known = this.#entries.get(id);
    known?.forget?.cancel();
    if (known !== undefined) {
      known.streams++;
      known.forget = undefined;
      return;
    }
    for (const [gone, { streams }] of this.#entries) {
      if (this.#entries.size < MANY) break;
      if (streams === 0) this.#forget(gone);
    }
    const observed = new ObservedNode(id, metadata, this.#options.clock, this.#peers);
    this.#entries.set(id, { described, observed, streams: 1, forget: undefined });
  }

  disconnect({ id }: ProxyNode): void {
    const entry = this.#entries.get(id);
    if (entry === undefined || --entry.streams > 0) return;
    // The last to go is the last to be forgotten.
    this.#entries.delete(id);
    this.#entries.set(id, entry);
    entry.forget = this.#options.clock.after(REMEMBERED, () => this.#forget(id));
  }

  #forget(id: string): void {
    this.#entries.get(id)?.forget?.cancel();
    this.#entries.delete(id);
    this.#peers.remove(id);
  }

  close(): void {
    for (const { forget } of this.#entries.values()) forget?.cancel();
  }

  /** Ids of the proxies that are told of. */
  get known(): readonly string[] {
    return [...this.#entries.keys()];
  }

  /** In Prometheus' text format; `namespace` and `pod` say whose each is. */
  text(): string {
    return taggedMetricsOf(
      [...this.#entries.values()].map(({ described, observed }) => {
        const { namespace, pod } = podOf(described);
        const tags = [
          ['namespace', namespace],
          ['pod', pod],
        ] as const;
        return { tagged: observed.stats, tags };
      }),
    );
  }

  /** Envoy's access log service, for one port: `peerOf` says who is at the other end of a call there. */
  service(peerOf: (call: Call) => Peer): ExtraService {
    return {
      definition: {
        streamAccessLogs: {
          path: '/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs',
          requestStream: true,
          responseStream: false,
          requestSerialize: raw,
          requestDeserialize: raw,
          responseSerialize: raw,
          responseDeserialize: raw,
        },
      },
      implementation: {
        streamAccessLogs: (call: Call, done: sendUnaryData<Buffer>) => void this.#serve(call, peerOf(call), done),
      },
    };
  }

  async #serve(call: Call, peer: Peer, done: sendUnaryData<Buffer>): Promise<void> {
    let sink: EntrySink | undefined;
    call.on('error', () => undefined);
    try {
      for await (const message of call as AsyncIterable<Buffer>) {
        const { identifier, httpLogs, tcpLogs } = decode(MESSAGE, message) as LogMessage;
        // Only the first message of a stream says whose it is.
        if (identifier !== undefined) sink = await this.#open(identifier, peer);
        for (const entry of httpLogs?.logEntry ?? []) sink?.http(entry);
        for (const entry of tcpLogs?.logEntry ?? []) sink?.tcp(entry);
      }
      done(null, Buffer.alloc(0));
    } catch (error) {
      if (call.cancelled) return done({ code: status.CANCELLED });
      const details = error instanceof Error ? error.message : String(error);
      // One that has come back, but not for its configuration yet, tries again.
      if (error instanceof NotConnected) return done({ code: status.UNAVAILABLE, details });
      this.#options.onProblem(`a proxy logs what is not taken: ${details}`);
      done({ code: status.PERMISSION_DENIED, details });
    } finally {
      sink?.end();
    }
  }

  async #open({ node, logName }: NonNullable<LogMessage['identifier']>, peer: Peer): Promise<EntrySink | undefined> {
    const entry = this.#entries.get(node?.id ?? '');
    if (entry === undefined) throw new NotConnected(`\`${node?.id}\` is not connected`);
    const { identity } = await this.#options.authorize(entry.described, peer);
    if (identity === undefined) throw new Error(`\`${node?.id}\` has not proved who it is`);
    return entry.observed.open(logName ?? '');
  }
}
