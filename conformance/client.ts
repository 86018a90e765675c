import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { responseLength } from '@mizzen/testkit';
import { identity } from './identities.ts';
import type { Request } from './request.ts';

/** Longer than Envoy waits before it closes a connection that it has given up. */
const UNTIL_CLOSED = 1500;
const PATIENCE = 8000;
/** For what servers say after a handshake of TLS 1.3, which some do not. */
const UNTIL_TICKET = 500;

export interface Exchange {
  /** One byte a character. */
  readonly text: string;
  readonly closed: boolean;
  /** Milliseconds until the answer was complete. */
  readonly time: number;
  /** What was agreed on, or why nothing was. */
  readonly tls?: string;
}

/** A client's connection from an address of its own. */
export class Connection {
  #socket: Socket | undefined;
  #text = '';
  #closed = false;
  #tls: string | undefined;
  #wake: () => void = () => undefined;

  /** Connects, with TLS if the request says so. */
  async open(from: string, port: number, request: Request, host = '127.0.0.1'): Promise<void> {
    const target = { port, host, localAddress: from, allowHalfOpen: true, noDelay: true };
    const { tls } = request;
    let ticket = false;
    const socket = tls === undefined ? connect(target) : connectTls({ ...target, ...tlsOptions(request) });
    this.#socket = socket;
    socket.on('data', (data: Buffer) => {
      this.#text += data.toString('latin1');
      this.#wake();
    });
    for (const event of ['end', 'close'])
      socket.on(event, () => {
        this.#closed = true;
        this.#wake();
      });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#closed = true;
      if (tls !== undefined && this.#tls === undefined) this.#tls = `failed ${error.code ?? error.message}`;
      // An alert after the handshake, as in TLS 1.3 for clients' certificates.
      else if (error.code?.startsWith('ERR_SSL') === true) this.#tls += ` then ${error.code}`;
      this.#wake();
    });
    socket.once(tls === undefined ? 'connect' : 'secureConnect', () => {
      if (tls !== undefined) this.#tls = agreed(socket as TLSSocket);
      this.#wake();
    });
    socket.once('session', () => {
      ticket = true;
      this.#wake();
    });
    const connected = (): boolean => (tls === undefined ? !socket.connecting : this.#tls !== undefined);
    await this.#until(() => this.#closed || connected(), PATIENCE);
    // In TLS 1.3 only then a server knows its client: an alert must not cross what is sent, or it may be lost.
    if (this.#tls?.startsWith('TLSv1.3') === true) await this.#until(() => this.#closed || ticket, UNTIL_TICKET);
  }

  async exchange(request: Request): Promise<Exchange> {
    const socket = this.#socket!;
    this.#text = '';
    const started = performance.now();
    for (const [i, part] of request.send.entries()) {
      if (i > 0 && request.begun) await this.#until(() => this.#closed || this.#text !== '', PATIENCE);
      if (i > 0) await pause(request.gap);
      if (part !== '' && !socket.destroyed) socket.write(Buffer.from(part, 'latin1'));
    }
    if (request.end) socket.end();
    if (request.wait === undefined || request.answered)
      await this.#until(() => this.#closed || this.#complete(request), PATIENCE);
    if (request.wait !== undefined) await this.#until(() => this.#closed, request.wait);
    const time = performance.now() - started;
    const givenUp = /\r\nconnection: close\r\n/i.test(this.#text) && request.wait === undefined;
    await this.#until(() => this.#closed, givenUp ? UNTIL_CLOSED : request.settle);
    // What attempts are still on their way.
    if (this.#closed) await pause(request.settle);
    return this.state({ text: '', closed: false, time });
  }

  /** What an exchange has become by now. */
  state({ time }: Exchange): Exchange {
    return { text: this.#text, closed: this.#closed, time, ...(this.#tls === undefined ? {} : { tls: this.#tls }) };
  }

  destroy(): void {
    this.#socket?.destroy();
  }

  #complete(request: Request): boolean {
    let rest = this.#text;
    if (request.answers === 0) return rest !== '';
    for (let i = 0; i < request.answers; i++) {
      const length = responseLength(rest, request.method);
      if (length === undefined) return false;
      rest = rest.slice(length);
    }
    return true;
  }

  async #until(done: () => boolean, atMost: number): Promise<void> {
    const deadline = performance.now() + atMost;
    while (!done()) {
      const left = deadline - performance.now();
      if (left <= 0) return;
      const late = new AbortController();
      await new Promise<void>((wake) => {
        this.#wake = wake;
        pause(left, undefined, { signal: late.signal }).then(wake, () => undefined);
      });
      late.abort();
    }
  }
}

function tlsOptions({ tls }: Request): object {
  const own = tls?.as === undefined ? undefined : identity(tls.as);
  return {
    rejectUnauthorized: false,
    ...(tls?.sni === undefined ? {} : { servername: tls.sni }),
    ...(own === undefined ? {} : { cert: own.certificatePem, key: own.keyPem }),
    ...(tls?.alpn === undefined ? {} : { ALPNProtocols: [...tls.alpn] }),
    ...(tls?.minVersion === undefined ? {} : { minVersion: tls.minVersion }),
    ...(tls?.maxVersion === undefined ? {} : { maxVersion: tls.maxVersion }),
    ...(tls?.ciphers === undefined ? {} : { ciphers: tls.ciphers }),
  };
}

function agreed(socket: TLSSocket): string {
  const { subject } = socket.getPeerCertificate();
  return `${socket.getProtocol()} alpn=${socket.alpnProtocol || '-'} peer=${String(subject?.CN)}`;
}
