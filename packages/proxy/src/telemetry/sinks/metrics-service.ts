import { encode } from '@mizzen/xds/binary/index.ts';
import type { ClientHttp2Stream } from 'node:http2';
import { holdLogStream, openLogStream } from '../../call/log-stream.ts';
import { frame } from '../../grpc/framing.ts';
import { charge } from '../../http/charge.ts';
import type { UpstreamHost } from '../../types.ts';
import { metricFamilies } from './metric-families.ts';
import type { SinkDeps } from './open.ts';
import type { MetricsServiceProgram, StatsSink, StatsSnapshot } from './types.ts';

const PATH = '/envoy.service.metrics.v3.MetricsService/StreamMetrics';
const MESSAGE = 'envoy.service.metrics.v3.StreamMetricsMessage';
/** Kept until there is a connection. */
const MAX_EARLY_MESSAGES = 64;

/**
 * A stream of metrics to a service, a message or more at each flush. It is opened by a flush when there is none; what
 * cannot be sent by then is lost.
 */
export class MetricsServiceSink implements StatsSink {
  readonly #program: MetricsServiceProgram;
  readonly #from: SinkDeps;
  #stream: ClientHttp2Stream | 'opening' | undefined;
  #early: Buffer[] = [];
  #closed = false;

  constructor(program: MetricsServiceProgram, from: SinkDeps) {
    this.#program = program;
    this.#from = from;
  }

  flush(snapshot: StatsSnapshot): void {
    const all = metricFamilies(snapshot, this.#program, this.#from.tagsOf);
    const size = this.#program.batch > 0 ? this.#program.batch : all.length;
    for (let i = 0; i < all.length; i += size) {
      const first = this.#stream === undefined;
      if (first) this.#open();
      const envoyMetrics = all.slice(i, i + size);
      const identifier = first ? { identifier: { node: this.#from.node } } : {};
      this.#send(frame(encode(MESSAGE, { ...identifier, envoyMetrics })));
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const stream = this.#stream;
    if (typeof stream !== 'object') return;
    await new Promise<void>((done) => {
      stream.once('close', () => done());
      stream.end(() => done());
    });
  }

  #send(bytes: Buffer): void {
    if (this.#stream === 'opening') {
      if (this.#early.length < MAX_EARLY_MESSAGES) this.#early.push(bytes);
    } else if (this.#stream?.writableNeedDrain === false) {
      this.#stream.write(bytes);
    }
  }

  #open(): void {
    const cluster = this.#from.cluster(this.#program.service.cluster);
    if (cluster === undefined) return;
    this.#stream = 'opening';
    openLogStream(cluster, this.#program.service, this.#from.deps, PATH).then(
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
    if (this.#closed) stream.end();
  }

  #gone(): void {
    this.#stream = undefined;
    this.#early = [];
  }
}
