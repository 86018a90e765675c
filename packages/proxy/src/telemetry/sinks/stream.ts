import type { Counter } from '../../program/types.ts';
import type { UpstreamCluster, UpstreamHost, UpstreamSocket } from '../../types.ts';
import type { LineWriter } from './statsd.ts';

/** Bytes that may wait for a server that does not read: beyond them the connection is given up. */
const MAX_WAITING = 16 * 1024 * 1024;

/** Lines over a connection to a host of a cluster, made when there is something to send and none stands. */
export class StreamWriter implements LineWriter {
  readonly #cluster: () => UpstreamCluster | undefined;
  readonly #overflow: Counter;
  #state: { readonly waiting: string[]; bytes: number } | UpstreamSocket | undefined;
  #closed = false;

  constructor(cluster: () => UpstreamCluster | undefined, overflow: Counter) {
    this.#cluster = cluster;
    this.#overflow = overflow;
  }

  batch(lines: readonly string[]): void {
    if (lines.length === 0 || this.#closed) return;
    const text = `${lines.join('\n')}\n`;
    const state = (this.#state ??= this.#open());
    if ('waiting' in state) {
      if (state.bytes > MAX_WAITING) return void this.#overflow.value++;
      state.bytes += text.length;
      state.waiting.push(text);
    } else if (state.writableLength > MAX_WAITING) {
      this.#overflow.value++;
      this.#state = undefined;
      state.destroy();
    } else {
      state.write(text);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const socket = this.#state;
    if (socket === undefined || 'waiting' in socket) return;
    await new Promise<void>((done) => {
      socket.once('close', () => done());
      socket.end(() => done());
    });
  }

  #open(): { readonly waiting: string[]; bytes: number } {
    const state = { waiting: [], bytes: 0 };
    const gone = (): void => {
      if (this.#state === state) this.#state = undefined;
    };
    const cluster = this.#cluster();
    const chosen = cluster?.choose({
      hash: undefined,
      metadataMatch: undefined,
      avoid: undefined,
      avoidAttempts: 0,
      authority: '',
      priority: 'DEFAULT',
    });
    const use = (host: UpstreamHost | null): void => {
      if (host !== null) return host.connect((socket) => this.#opened(state, socket), gone);
      if (cluster !== undefined) cluster.stats.upstream_cx_none_healthy++;
      gone();
    };
    // Whoever opens one has to have it before it may go.
    if (chosen === undefined) queueMicrotask(gone);
    else if (chosen instanceof Promise) chosen.then(use, gone);
    else queueMicrotask(() => use(chosen));
    return state;
  }

  #opened(state: { readonly waiting: string[] }, socket: UpstreamSocket): void {
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (this.#state === socket) this.#state = undefined;
    });
    // Nothing is expected from there; its end must be noticed all the same.
    socket.allowHalfOpen = false;
    socket.resume();
    for (const text of state.waiting) socket.write(text);
    this.#state = socket;
    if (this.#closed) socket.end();
  }
}
