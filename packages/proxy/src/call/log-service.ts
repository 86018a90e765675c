import type { JsonObject } from '@mizzen/xds';
import { encode } from '@mizzen/xds/binary/index.ts';
import type { ClientHttp2Stream } from 'node:http2';
import type { Deps } from '../deps.ts';
import { frame } from '../grpc/framing.ts';
import type { Counter, LogService } from '../program/types.ts';
import type { UpstreamCluster, UpstreamHost } from '../types.ts';
import { charge } from '../http/charge.ts';
import { holdLogStream, openLogStream } from './log-stream.ts';

export interface LogDeps {
  readonly deps: Deps;
  readonly cluster: (name: string) => UpstreamCluster | undefined;
  readonly counter: (name: string) => Counter;
  /** The node as services are told of it. */
  readonly node: JsonObject;
}

const MESSAGE = 'envoy.service.accesslog.v3.StreamAccessLogsMessage';
const ENTRY = 'envoy.data.accesslog.v3.';
/** Kept until there is a connection. */
const MAX_EARLY_MESSAGES = 64;
/** Of entries about connections, which Envoy keeps without a limit. */
const MAX_TCP_BYTES = 1 << 20;
const COUNTERS = ['logs_written', 'logs_dropped', 'grpc_entries_flushed', 'grpc_entries_flush_failed'] as const;

/**
 * A stream of entries to an access log service (Envoy's `AccessLogService`), some at a time. Entries that cannot be sent
 * yet are kept up to the size of a message (those about connections up to 1 MiB), and then dropped; what was sent to a service that went away is lost.
 */
export class LogServiceClient {
  readonly #service: LogService;
  readonly #from: LogDeps;
  readonly #type: string;
  #entries: Uint8Array[] = [];
  #bytes = 0;
  /** For the time at which what is there is sent. */
  #waits = false;
  #stream: ClientHttp2Stream | 'opening' | undefined;
  #early: Buffer[] = [];
  readonly #counters: Readonly<Record<(typeof COUNTERS)[number], Counter>>;

  constructor(service: LogService, from: LogDeps) {
    this.#service = service;
    this.#from = from;
    this.#type = `${ENTRY}${service.kind === 'http' ? 'HTTPAccessLogEntry' : 'TCPAccessLogEntry'}`;
    this.#counters = Object.fromEntries(
      COUNTERS.map((name) => [name, from.counter(`access_logs.grpc_access_log.${name}`)]),
    ) as Record<(typeof COUNTERS)[number], Counter>;
  }

  log(entry: JsonObject): void {
    const { bytes, kind } = this.#service;
    const most = kind === 'http' ? bytes : Math.max(bytes, MAX_TCP_BYTES);
    if (most > 0 && this.#bytes >= most) {
      this.#flush();
      if (this.#bytes >= most) return void this.#counters.logs_dropped.value++;
    }
    // As in Envoy, entries about connections are not counted.
    if (kind === 'http') this.#counters.logs_written.value++;
    const encoded = encode(this.#type, entry);
    this.#entries.push(encoded);
    this.#bytes += encoded.length;
    if (this.#bytes >= bytes) this.#flush();
    if (this.#entries.length > 0) this.#flushLater();
  }

  #flushLater(): void {
    if (this.#waits) return;
    this.#waits = true;
    this.#from.deps.clock.after(this.#service.interval, () => {
      this.#waits = false;
      this.#flush();
      if (this.#entries.length > 0) this.#flushLater();
    });
  }

  #flush(): void {
    if (this.#entries.length === 0) return;
    const entries = this.#entries;
    const full =
      typeof this.#stream === 'object' ? this.#stream.writableNeedDrain : this.#early.length >= MAX_EARLY_MESSAGES;
    if (full) {
      this.#counters.grpc_entries_flush_failed.value += entries.length;
      return;
    }
    const first = this.#stream === undefined;
    this.#entries = [];
    this.#bytes = 0;
    this.#counters.grpc_entries_flushed.value += entries.length;
    if (first) this.#open();
    const identifier = { node: this.#from.node, logName: this.#service.logName };
    const message = [
      first ? encode(MESSAGE, { identifier }) : EMPTY,
      field(this.#service.kind === 'http' ? 2 : 3, Buffer.concat(entries.map((entry) => field(1, entry)))),
    ];
    this.#send(frame(Buffer.concat(message)));
  }

  #send(bytes: Buffer): void {
    if (this.#stream === 'opening') this.#early.push(bytes);
    else this.#stream?.write(bytes);
  }

  #open(): void {
    const cluster = this.#from.cluster(this.#service.cluster);
    if (cluster === undefined) return;
    this.#stream = 'opening';
    openLogStream(cluster, this.#service, this.#from.deps).then(
      ({ host, stream }) => this.#opened(host, stream),
      () => {
        charge(cluster.stats, 503, true, false);
        this.#gone();
      },
    );
  }

  #opened(host: UpstreamHost, stream: ClientHttp2Stream): void {
    this.#stream = stream;
    holdLogStream(host, stream, () => this.#gone());
    for (const bytes of this.#early) stream.write(bytes);
    this.#early = [];
  }

  #gone(): void {
    this.#stream = undefined;
    this.#early = [];
  }
}

const EMPTY = Buffer.alloc(0);
const LENGTH_DELIMITED = 2;

/** A length-delimited field of protobuf's binary form. */
function field(number: number, value: Uint8Array): Buffer {
  const head = [(number << 3) | LENGTH_DELIMITED];
  for (let rest = value.length; ; rest >>>= 7) {
    if (rest < 128) {
      head.push(rest);
      break;
    }
    head.push((rest & 127) | 128);
  }
  return Buffer.concat([Buffer.from(head), value]);
}
