import type { IncomingMessage, ServerResponse } from 'node:http';
import { answerDebug } from '@mizzen/control-plane';
import type { DebugSource } from '@mizzen/control-plane';
import { refuse } from '../api/guard.ts';
import { fail, LoopbackServer, reply, write } from '../api/loopback.ts';
import { TEXT_FORMAT } from '../metrics/control-plane.ts';

export interface DebugServerSource extends DebugSource {
  /** In Prometheus' text format, the control plane's own and those of the workloads. */
  readonly metrics: () => string;
  readonly workloadMetrics: () => string;
}

/** Pages about what is served, as istiod has them on its port 15014; on 127.0.0.1 only, and for reading only. */
export class DebugServer {
  readonly #port: number;
  readonly #source: DebugServerSource;
  readonly #server: LoopbackServer;

  /** `port` 0: any free one. */
  constructor(port: number, source: DebugServerSource) {
    this.#port = port;
    this.#source = source;
    this.#server = new LoopbackServer({}, (request, response) => {
      try {
        this.#answer(request, response);
      } catch (error) {
        fail(response, 500, 'internal', error instanceof Error ? error.message : String(error));
      }
    });
  }

  /** Resolves with the port. Rejects with EADDRINUSE when it is taken. */
  listen(): Promise<number> {
    return this.#server.listen(this.#port);
  }

  get port(): number {
    return this.#server.port;
  }

  close(): Promise<void> {
    return this.#server.close();
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
    if (url.pathname === '/metrics') return write(response, 200, TEXT_FORMAT, this.#source.metrics());
    if (url.pathname === '/metrics/workloads') {
      return write(response, 200, TEXT_FORMAT, this.#source.workloadMetrics());
    }
    const found = answerDebug(url, this.#source);
    if (found === undefined) return fail(response, 404, 'not-found', `there is no \`${url.pathname}\``);
    reply(response, found.status, found.body);
  }
}
