import {
  connect,
  constants,
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
} from 'node:http2';
import type { Clock } from '../deps.ts';
import type { Dialer } from '../net/dialer.ts';
import { NO_ANSWER_IN_TIME, wordsFor } from './errors.ts';
import { paced } from './paced.ts';
import { NOTHING, type Client, type Outcome, type Outgoing } from './types.ts';

/** Fields of HTTP/1.1 connections, which HTTP/2 does not have (RFC 9113 section 8.2.2). */
const OF_CONNECTIONS: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
  'host',
]);

/** HTTP/2 over TLS, or in plain text with prior knowledge; requests share a fixed number of connections. */
export class Http2Client implements Client {
  readonly #dialer: Dialer;
  readonly #clock: Clock;
  readonly #connections: number;
  readonly #origins = new Map<string, Origin>();
  #closed = false;

  constructor(dialer: Dialer, clock: Clock, connections: number) {
    this.#dialer = dialer;
    this.#clock = clock;
    this.#connections = connections;
  }

  async send(outgoing: Outgoing): Promise<Outcome> {
    const exchange = new Exchange(outgoing, this.#clock);
    if (this.#closed) exchange.end('cancelled');
    else {
      const { url } = outgoing;
      const origin = this.#origins.get(url.origin) ?? new Origin(this.#dialer, url, this.#connections);
      this.#origins.set(url.origin, origin);
      origin.session().then(
        (session) => exchange.begin(session),
        (error: unknown) => exchange.end(this.#closed ? 'cancelled' : wordsFor(error)),
      );
    }
    return exchange.outcome;
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const origin of this.#origins.values()) origin.destroy();
  }
}

/** The connections to one origin, used in turn. */
class Origin {
  readonly #dialer: Dialer;
  readonly #url: URL;
  readonly #sessions: (Promise<ClientHttp2Session> | undefined)[];
  #next = 0;

  constructor(dialer: Dialer, url: URL, connections: number) {
    this.#dialer = dialer;
    this.#url = url;
    this.#sessions = Array.from({ length: connections });
  }

  session(): Promise<ClientHttp2Session> {
    const slot = this.#next++ % this.#sessions.length;
    const known = this.#sessions[slot];
    if (known !== undefined) return known;
    const opened = this.#open(() => {
      if (this.#sessions[slot] === opened) this.#sessions[slot] = undefined;
    });
    this.#sessions[slot] = opened;
    return opened;
  }

  destroy(): void {
    for (const session of this.#sessions) {
      session?.then(
        (each) => each.destroy(undefined, constants.NGHTTP2_CANCEL),
        () => undefined,
      );
    }
  }

  /** `gone`: no further request goes to it. */
  async #open(gone: () => void): Promise<ClientHttp2Session> {
    const { hostname: host, port, protocol, origin } = this.#url;
    const secure = protocol === 'https:';
    let socket;
    try {
      const where = { host, port: Number(port) || (secure ? 443 : 80) };
      socket = await this.#dialer.dial({ ...where, secure, alpn: ['h2'] });
    } catch (error) {
      gone();
      throw error;
    }
    const session = connect(origin, { createConnection: () => socket });
    // Large windows: what is measured is the server, not a wait for updates.
    session.once('connect', () => session.setLocalWindowSize(16 << 20));
    session.once('goaway', gone).once('close', gone).on('error', gone);
    return session;
  }
}

class Exchange {
  readonly outcome: Promise<Outcome>;
  readonly #outgoing: Outgoing;
  readonly #clock: Clock;
  readonly #timers: (() => void)[] = [];
  readonly #chunks: Buffer[] = [];
  #resolve: (outcome: Outcome) => void = () => undefined;
  #stream: ClientHttp2Stream | undefined;
  #headers: (IncomingHttpHeaders & { ':status'?: number }) | undefined;
  #sent = false;
  #aborted = false;
  #ended = false;
  #bytesIn = 0;

  constructor(outgoing: Outgoing, clock: Clock) {
    this.#outgoing = outgoing;
    this.#clock = clock;
    this.outcome = new Promise((resolve) => (this.#resolve = resolve));
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

  begin(session: ClientHttp2Session): void {
    if (this.#ended) return;
    const { method, url, headers, body, disturb } = this.#outgoing;
    const host = headers.find(([name]) => name === 'host')?.[1] ?? url.host;
    const fields: Record<string, string | string[]> = {
      ':method': method,
      ':path': `${url.pathname}${url.search}`,
      ':scheme': url.protocol.slice(0, -1),
      ':authority': host,
    };
    for (const [name, value] of headers) if (!OF_CONNECTIONS.has(name)) fields[name] = value;
    if (body !== undefined) fields['content-length'] = String(body.length);
    try {
      this.#stream = session.request(fields, { endStream: body === undefined });
    } catch (error) {
      return this.end(wordsFor(error));
    }
    const stream = this.#stream;
    stream.once('ready', () => (this.#sent = true));
    stream.on('response', (received) => (this.#headers = received));
    stream.on('data', (chunk: Buffer) => this.#onData(chunk));
    stream.once('end', () => this.#headers !== undefined && this.end(undefined));
    stream.on('error', (error) => this.end(wordsFor(error)));
    stream.once('close', () => this.end('connection closed'));
    if (body === undefined) return;
    const rate = disturb?.sendBytesPerSecond;
    if (rate === undefined) stream.end(body);
    else void this.#trickle(stream, body, rate);
  }

  end(error: string | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const cancel of this.#timers) cancel();
    const whole = error === undefined && !this.#aborted && this.#headers !== undefined;
    this.#resolve({
      answer: whole ? this.#answer(this.#headers!) : undefined,
      error,
      aborted: this.#aborted,
      // A stream has its number from when its header frame is written.
      sent: this.#sent || this.#stream?.id !== undefined,
      bytesIn: this.#bytesIn,
      bytesOut: this.#sent ? (this.#outgoing.body?.length ?? 0) : 0,
    });
    if (!whole) this.#stream?.close(constants.NGHTTP2_CANCEL);
  }

  #answer(received: IncomingHttpHeaders & { ':status'?: number }): NonNullable<Outcome['answer']> {
    const status = received[':status'] ?? 0;
    const headers: Record<string, string> = {};
    for (const [name, value] of Object.entries(received)) {
      if (!name.startsWith(':')) headers[name] = Array.isArray(value) ? value.join(', ') : String(value);
    }
    const body = this.#chunks.length > 0 ? Buffer.concat(this.#chunks) : NOTHING;
    return { status: String(status), ok: status < 400, headers, body };
  }

  #onData(chunk: Buffer): void {
    this.#bytesIn += chunk.length;
    if (this.#outgoing.keepBody) this.#chunks.push(chunk);
    const rate = this.#outgoing.disturb?.readBytesPerSecond;
    if (rate === undefined || this.#ended) return;
    this.#stream?.pause();
    this.#timers.push(this.#clock.after((chunk.length / rate) * 1000, () => this.#stream?.resume()));
  }

  async #trickle(stream: ClientHttp2Stream, body: Buffer, rate: number): Promise<void> {
    for await (const piece of paced(body, rate, this.#clock)) {
      if (stream.destroyed || stream.closed) return;
      stream.write(piece);
    }
    stream.end();
  }
}
