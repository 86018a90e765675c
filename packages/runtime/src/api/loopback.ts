import type { Server, ServerOptions, ServerResponse, IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { http } from '../node-http.ts';
import { divertHttp2 } from './http2.ts';

/** An HTTP server on 127.0.0.1 only, for whoever is on this machine. */
export class LoopbackServer {
  readonly #server: Server;
  readonly #endSilent: () => void;

  /** `http2`: takes connections that begin with HTTP/2's preface, and closes them in the end. */
  constructor(
    options: ServerOptions,
    answer: (request: IncomingMessage, response: ServerResponse) => void,
    http2?: (socket: Socket) => void,
  ) {
    this.#server = http.createServer({ requestTimeout: 30_000, headersTimeout: 10_000, ...options }, answer);
    this.#endSilent = http2 === undefined ? () => undefined : divertHttp2(this.#server, http2);
  }

  /** Resolves with the port; 0: any free one. Rejects with EADDRINUSE when it is taken. */
  async listen(port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, '127.0.0.1', () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    return this.port;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    this.#server.closeAllConnections();
    this.#endSilent();
    await closed;
  }
}

/** An answer that went wrong half way has no better end than that of its connection. */
export function fail(response: ServerResponse, status: number, code: string, message: string): void {
  if (response.headersSent) return void response.destroy();
  reply(response, status, { error: { code, message } });
}

export function reply(response: ServerResponse, status: number, body: object): void {
  write(response, status, 'application/json', `${JSON.stringify(body)}\n`);
}

export function write(response: ServerResponse, status: number, type: string, text: string): void {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(text);
}
