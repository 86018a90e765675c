import { connect, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { RESIDUES, type Changed } from './hot-config.ts';

/** How a request ended that got no answer it could use. */
export type Loss = 'reset' | 'cut off' | 'refused' | '5xx' | 'other status';

/** What is known of the versions of one kind. */
export class Versions {
  /** When the proxy said that it took each, milliseconds; undefined: not yet. */
  readonly #taken: (number | undefined)[] = [0];
  latest = 0;

  sent(version: number): void {
    this.latest = version;
  }

  taken(version: number, now: number): void {
    this.#taken[version] = now;
  }

  /** The oldest version that may still serve what began at `since`, when old ones may for `grace` more. */
  oldest(since: number, grace: number): number {
    for (let version = this.latest; version > 0; version--) {
      const taken = this.#taken[version];
      if (taken !== undefined && taken + grace <= since) return version;
    }
    return 0;
  }

  /** Whether a version that is known by its residue alone may be one of those. */
  allows(residue: number, since: number, grace: number): boolean {
    for (let version = this.oldest(since, grace); version <= this.latest; version++)
      if (version % RESIDUES === residue) return true;
    return false;
  }
}

export interface Judge {
  readonly versions: Readonly<Record<Changed, Versions>>;
  /** After its change was taken, an old version may serve for this long, milliseconds. */
  readonly grace: number;
  /** The same for connections that were there before the listener changed. */
  readonly drain: number;
  answered(took: number): void;
  lost(how: Loss): void;
  stale(kind: Changed): void;
}

/** One keep-alive client. When it is told to close, or is cut off, it connects anew. */
export class HotClient {
  readonly #port: number;
  readonly #tls: boolean;
  readonly #judge: Judge;
  #socket: Socket | TLSSocket | undefined;
  #ready = false;
  #opened = 0;
  #sent: { readonly path: string; readonly at: number } | undefined;
  #text = '';
  #closed = false;

  constructor(port: number, tls: boolean, judge: Judge) {
    this.#port = port;
    this.#tls = tls;
    this.#judge = judge;
    this.#open();
  }

  /** Whether it can send now. */
  get idle(): boolean {
    return this.#ready && this.#sent === undefined;
  }

  send(path: string): void {
    this.#sent = { path, at: performance.now() };
    this.#socket!.write(`GET ${path} HTTP/1.1\r\nhost: bench\r\n\r\n`);
  }

  close(): void {
    this.#closed = true;
    this.#socket?.destroy();
  }

  /** A new connection instead of the one it has, as soon as nothing is under way. */
  reconnect(): void {
    if (!this.idle) return;
    this.#socket!.destroy();
    this.#open();
  }

  #open(): void {
    if (this.#closed) return;
    this.#ready = false;
    this.#text = '';
    this.#opened = performance.now();
    const target = { host: '127.0.0.1', port: this.#port, noDelay: true };
    const socket = this.#tls ? connectTls({ ...target, rejectUnauthorized: false }) : connect(target);
    this.#socket = socket;
    const current = (): boolean => socket === this.#socket;
    socket.once(this.#tls ? 'secureConnect' : 'connect', () => {
      if (!current()) return;
      this.#ready = true;
      if (!this.#tls) return;
      const { CN } = (socket as TLSSocket).getPeerCertificate().subject;
      const { versions, grace } = this.#judge;
      if (!versions.secret.allows(Number(String(CN).slice(1)), this.#opened, grace)) this.#judge.stale('secret');
    });
    socket.on('data', (data: Buffer) => current() && this.#read(data));
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (current()) this.#gone(error.code === 'ECONNREFUSED' ? 'refused' : 'reset');
    });
    socket.on('close', () => current() && this.#gone('cut off'));
  }

  #gone(how: Loss): void {
    if (this.#closed) return;
    if (this.#sent !== undefined || how === 'refused' || !this.#ready) this.#judge.lost(how);
    this.#sent = undefined;
    this.#socket!.destroy();
    this.#socket = undefined;
    setTimeout(() => this.#open(), how === 'refused' ? 20 : 0);
  }

  #read(data: Buffer): void {
    this.#text += data.toString('latin1');
    const head = this.#text.indexOf('\r\n\r\n');
    if (head < 0 || this.#sent === undefined) return;
    const length = Number(/\r\ncontent-length: (\d+)/.exec(this.#text)?.[1] ?? 0);
    if (this.#text.length < head + 4 + length) return;
    const text = this.#text;
    const { path, at } = this.#sent;
    this.#text = '';
    this.#sent = undefined;
    this.#judgeAnswer(text, path, at, text.slice(head + 4));
    if (/\r\nconnection: close\r\n/.test(text)) {
      this.#socket!.destroy();
      this.#open();
    }
  }

  #judgeAnswer(text: string, path: string, at: number, body: string): void {
    const { versions, grace, drain } = this.#judge;
    const status = text.slice(9, 12);
    if (status !== '200') return this.#judge.lost(status.startsWith('5') ? '5xx' : 'other status');
    this.#judge.answered(performance.now() - at);
    const version = (name: string): number => Number(new RegExp(`\\r\\n${name}: v(\\d+)`).exec(text)?.[1] ?? -1);
    const listener = version('server');
    if (listener < versions.listener.oldest(this.#opened, grace) || listener < versions.listener.oldest(at, drain))
      this.#judge.stale('listener');
    if (version('x-route') < versions.route.oldest(at, grace)) this.#judge.stale('route');
    const kind = path.startsWith('/cluster') ? 'cluster' : 'endpoint';
    if (!versions[kind].allows(Number(body), at, grace)) this.#judge.stale(kind);
  }
}
