import { createServer, type Server, type Socket } from 'node:net';
import { requestLength } from '@mizzen/testkit';
import { answer } from '../../../conformance/answer.ts';

/** Whether a request is the copy of another: those come from within. */
export function isCopy(request: string): boolean {
  return /\r\nx-envoy-internal: true\r\n/i.test(request);
}

const UPSTREAM = /\r\nx-answer: ([^\r]*)/i;
const AUTHORIZER = /\r\nx-authz: ([^\r]*)/i;

/** What an upstream got: a request, or as much of it as came. */
export interface Received {
  readonly upstream: string;
  bytes: string;
}

/**
 * The upstreams of a unit. The field `x-answer` of a request says what attempts get, a word each: those of the conformance
 * suite, and `early:WORD`, which answers before the body has come.
 */
export class Upstreams {
  received: Received[] = [];
  readonly #attempts = new Map<string, number>();
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();

  async listen(name: string, port: number): Promise<void> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#serve(socket, name));
    await new Promise<void>((done, failed) => {
      server.once('error', failed);
      server.listen(port, '127.0.0.1', done);
    });
    this.#servers.push(server);
  }

  /** Before an exchange. */
  begin(): void {
    this.received = [];
    this.#attempts.clear();
  }

  /** As if nothing had happened. */
  reset(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.begin();
  }

  async close(): Promise<void> {
    this.reset();
    await Promise.all(this.#servers.map((server) => new Promise((done) => server.close(done))));
  }

  #serve(socket: Socket, name: string): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => undefined);
    socket.on('end', () => socket.end());
    let text = '';
    let record: Received | undefined;
    let answered = false;
    let upgraded = false;
    socket.on('data', (data: Buffer) => {
      if (upgraded) {
        record!.bytes += data.toString('latin1');
        socket.write(Buffer.concat([Buffer.from('ECHO:'), data]));
        return;
      }
      text += data.toString('latin1');
      while (text.includes('\r\n\r\n')) {
        if (record === undefined) this.received.push((record = { upstream: name, bytes: '' }));
        const length = requestLength(text);
        record.bytes = text.slice(0, length);
        // What `ext_authz` asks.
        const field = /^[A-Z]+ \/authz\//.test(record.bytes) ? AUTHORIZER : UPSTREAM;
        const words = field.exec(record.bytes)?.[1] ?? '200';
        const whose = `${name} ${isCopy(record.bytes)} ${words}`;
        const early = this.#peek(whose, words).startsWith('early:');
        if (!answered && (early || length !== undefined)) {
          answered = true;
          const word = this.#take(whose, words).replace('early:', '');
          upgraded =
            /^raw:HTTP\/1.1%20101/.test(word) || (record.bytes.startsWith('CONNECT ') && word.startsWith('200'));
          if (!socket.destroyed) reply(socket, record.bytes, word, name);
        }
        if (upgraded || length === undefined) return;
        text = text.slice(length);
        record = undefined;
        answered = false;
      }
    });
  }

  #peek(whose: string, words: string): string {
    const all = words.split(' ');
    return all[Math.min(this.#attempts.get(whose) ?? 0, all.length - 1)]!;
  }

  #take(whose: string, words: string): string {
    const word = this.#peek(whose, words);
    this.#attempts.set(whose, (this.#attempts.get(whose) ?? 0) + 1);
    return word;
  }
}

function reply(socket: Socket, request: string, word: string, name: string): void {
  // What a server does that knows HTTP: no body for HEAD.
  if (request.startsWith('HEAD ') && /^\d{3}(\+|$)/.test(word)) {
    socket.write(`HTTP/1.1 ${word.slice(0, 3)} H\r\ncontent-length: 2\r\n\r\n`);
  } else answer(socket, word, name, '');
}
