import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answerDebug } from '@mizzen/control-plane';
import type { DebugSource } from '@mizzen/control-plane';
import { refuse } from '../api/guard.ts';
import { TEXT_FORMAT } from '../metrics/control-plane.ts';
import { http } from '../node-http.ts';

export interface DebugServerSource extends DebugSource {
  /** In Prometheus' text format. */
  readonly metrics: () => string;
}

/** Pages about what is served, as istiod has them on its port 15014; on 127.0.0.1 only, and for reading only. */
export class DebugServer {
  readonly #port: number;
  readonly #source: DebugServerSource;
  readonly #server: Server;

  /** `port` 0: any free one. */
  constructor(port: number, source: DebugServerSource) {
    this.#port = port;
    this.#source = source;
    this.#server = http.createServer({ requestTimeout: 30_000, headersTimeout: 10_000 }, (request, response) => {
      try {
        this.#answer(request, response);
      } catch (error) {
        fail(response, 500, 'internal', error instanceof Error ? error.message : String(error));
      }
    });
  }

  /** Resolves with the port. Rejects with EADDRINUSE when it is taken. */
  async listen(): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(this.#port, '127.0.0.1', () => {
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
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET, HEAD');
      return fail(response, 405, 'method-not-allowed', 'there is nothing to change here');
    }
    const refused = refuse(request, this.port, '');
    if (refused !== undefined) return fail(response, refused.status, refused.code, refused.message);
    const url = URL.parse(request.url ?? '/', 'http://localhost');
    if (url === null) return fail(response, 400, 'bad-target', `\`${request.url}\` is no address of a page`);
    if (url.pathname === '/ready') return reply(response, 200, {});
    if (url.pathname === '/metrics') return answer(response, 200, TEXT_FORMAT, this.#source.metrics());
    const found = answerDebug(url, this.#source);
    if (found === undefined) return fail(response, 404, 'not-found', `there is no \`${url.pathname}\``);
    reply(response, found.status, found.body);
  }
}

function fail(response: ServerResponse, status: number, code: string, message: string): void {
  reply(response, status, { error: { code, message } });
}

function reply(response: ServerResponse, status: number, body: object): void {
  answer(response, status, 'application/json', `${JSON.stringify(body)}\n`);
}

function answer(response: ServerResponse, status: number, type: string, text: string): void {
  response.writeHead(status, {
    'content-type': type,
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  response.end(text);
}
