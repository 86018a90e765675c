import { Readable } from 'node:stream';
import { Pool, type buildConnector, type Dispatcher } from 'undici';
import type { Clock } from '../deps.ts';
import type { Destination, Dialer } from '../net/dialer.ts';
import { NO_ANSWER_IN_TIME, wordsFor } from './errors.ts';
import { paced } from './paced.ts';
import { NOTHING, type Answer, type Client, type Outcome, type Outgoing } from './types.ts';

/** HTTP/1.1, one request at a time on a connection. */
export class Http1Client implements Client {
  readonly #dialer: Dialer;
  readonly #clock: Clock;
  readonly #connections: number;
  readonly #pools = new Map<string, Pool>();
  #closed = false;

  constructor(dialer: Dialer, clock: Clock, connections: number) {
    this.#dialer = dialer;
    this.#clock = clock;
    this.#connections = connections;
  }

  send(outgoing: Outgoing): Promise<Outcome> {
    return new Promise((resolve) => {
      const exchange = new Exchange(outgoing, this.#clock, resolve);
      if (this.#closed) return exchange.end('cancelled');
      const { url, method, headers } = outgoing;
      const path = `${url.pathname}${url.search}`;
      // A sidecar is asked in absolute form; within TLS there is no proxy to see it.
      const absolute = this.#dialer.via.kind === 'sidecar' && url.protocol === 'http:';
      try {
        this.#pool(url).dispatch(
          {
            method: method as Dispatcher.HttpMethod,
            origin: url.origin,
            path: absolute ? `${url.origin}${path}` : path,
            headers: headers.flat(),
            body: exchange.body(),
          },
          exchange,
        );
      } catch (error) {
        exchange.end(wordsFor(error));
      }
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#pools.values()].map((pool) => pool.destroy()));
  }

  async #connect(to: Destination, callback: buildConnector.Callback): Promise<void> {
    const toSidecar = this.#dialer.via.kind === 'sidecar' && !to.secure;
    let socket;
    try {
      socket = await (toSidecar ? this.#dialer.dialSidecar(to) : this.#dialer.dial(to));
    } catch (error) {
      return callback(error as Error, null);
    }
    callback(null, socket);
  }

  #pool({ origin, hostname, port, protocol }: URL): Pool {
    const known = this.#pools.get(origin);
    if (known !== undefined) return known;
    const secure = protocol === 'https:';
    const destination: Destination = {
      host: hostname,
      port: Number(port) || (secure ? 443 : 80),
      secure,
      alpn: ['http/1.1'],
    };
    const pool = new Pool(origin, {
      connections: this.#connections,
      pipelining: 1,
      headersTimeout: 0,
      bodyTimeout: 0,
      allowH2: false,
      connect: (_options, callback) => void this.#connect(destination, callback),
    });
    this.#pools.set(origin, pool);
    return pool;
  }
}

/** One request and its answer, as undici's handler. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #outgoing: Outgoing;
  readonly #clock: Clock;
  readonly #resolve: (outcome: Outcome) => void;
  readonly #timers: (() => void)[] = [];
  #controller: Dispatcher.DispatchController | undefined;
  #sent = false;
  #aborted = false;
  #ended = false;
  #head: Omit<Answer, 'body'> | undefined;
  #bytesIn = 0;
  readonly #chunks: Buffer[] = [];

  constructor(outgoing: Outgoing, clock: Clock, resolve: (outcome: Outcome) => void) {
    this.#outgoing = outgoing;
    this.#clock = clock;
    this.#resolve = resolve;
    this.#timers.push(clock.after(outgoing.timeoutMs, () => this.end(NO_ANSWER_IN_TIME)));
    const { abortAfterMs } = outgoing.disturb ?? {};
    if (abortAfterMs !== undefined) {
      this.#timers.push(
        clock.after(abortAfterMs, () => {
          this.#aborted = !this.#ended;
          this.end(undefined);
        }),
      );
    }
  }

  body(): Buffer | Readable | null {
    const { body, disturb } = this.#outgoing;
    if (body === undefined) return null;
    const rate = disturb?.sendBytesPerSecond;
    return rate === undefined ? body : Readable.from(paced(body, rate, this.#clock), { objectMode: false });
  }

  /** Whatever comes after it is too late. */
  end(error: string | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const cancel of this.#timers) cancel();
    const whole = error === undefined && !this.#aborted && this.#head !== undefined;
    this.#resolve({
      answer: whole
        ? { ...this.#head!, body: this.#chunks.length > 0 ? Buffer.concat(this.#chunks) : NOTHING }
        : undefined,
      error,
      aborted: this.#aborted,
      sent: this.#sent,
      bytesIn: this.#bytesIn,
      bytesOut: this.#sent ? (this.#outgoing.body?.length ?? 0) : 0,
    });
    if (!whole) this.#controller?.abort(new Error('given up'));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // It waited for a connection for longer than anybody waits for it.
    if (this.#ended) controller.abort(new Error('given up'));
    else this.#sent = true;
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Dispatcher.ResponseData['headers'],
  ): void {
    if (status < 200) return;
    const flat = Object.entries(headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : (value ?? ''),
    ]);
    this.#head = {
      status: String(status),
      ok: status < 400,
      headers: Object.fromEntries(flat) as Record<string, string>,
    };
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#bytesIn += chunk.length;
    if (this.#outgoing.keepBody) this.#chunks.push(Buffer.from(chunk));
    const rate = this.#outgoing.disturb?.readBytesPerSecond;
    if (rate === undefined || this.#ended) return;
    controller.pause();
    this.#timers.push(this.#clock.after((chunk.length / rate) * 1000, () => controller.resume()));
  }

  onResponseEnd(): void {
    this.end(undefined);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.end(wordsFor(error));
  }
}
