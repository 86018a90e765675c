import type { Duplex } from 'node:stream';
import { afterReads, type Waiting } from '../http/after-reads.ts';
import type { StreamInfo } from '../types.ts';
import type { TcpProxyRuntime, TcpProxyStats } from './tcp-runtime.ts';

/** What a client sends before there is an upstream for it: read at once, as long as it is not too much. */
export class EarlyData implements Waiting {
  readonly parts: Buffer[] = [];
  /** The client has sent its end, too. */
  ended = false;
  #bytes = 0;
  /** The end may still turn out to have come together with what was read. */
  #fresh = false;
  readonly #socket: Duplex;
  readonly #most: number;
  readonly #stats: TcpProxyStats;
  readonly #onFirst: () => void;

  /** `onFirst` is called with the first bytes. */
  constructor(socket: Duplex, { program, stats }: TcpProxyRuntime, onFirst: () => void) {
    this.#socket = socket;
    this.#most = program.maxEarlyBytes ?? 0;
    this.#stats = stats;
    this.#onFirst = onFirst;
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
  }

  readonly #onData = (data: Buffer): void => {
    const isFirst = this.#bytes === 0;
    this.parts.push(data);
    this.#bytes += data.length;
    this.#stats.early_data_received_count_total++;
    if (!this.#fresh) afterReads(this);
    this.#fresh = true;
    if (this.#bytes >= this.#most) this.#socket.pause();
    if (isFirst) this.#onFirst();
  };
  readonly #onEnd = (): void => {
    this.ended = true;
    if (!this.#fresh) this.#stats.early_data_received_count_total++;
  };
  afterReads(): void {
    this.#fresh = false;
  }

  /** Somebody else reads from now on. */
  stop(): void {
    this.#socket.off('data', this.#onData);
    this.#socket.off('end', this.#onEnd);
    this.#socket.pause();
  }

  /** Whoever reads next gets it once more. */
  putBack(): void {
    this.stop();
    if (this.#bytes > 0) this.#socket.unshift(Buffer.concat(this.parts));
  }

  /** Nobody has got it. */
  count(info: StreamInfo): void {
    info.bytesReceived += this.#bytes;
    this.#stats.downstream_cx_rx_bytes_total += this.#bytes;
  }
}
