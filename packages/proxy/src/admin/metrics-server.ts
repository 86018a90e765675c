import { OPEN_METRICS, toOpenMetrics, wantsOpenMetrics } from './open-metrics.ts';
import { createServer, get, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

export interface MetricsPlace {
  readonly address: string;
  readonly port: number;
  /** Where the proxy's own are besides, with nothing beside them. */
  readonly proxyPort?: number | undefined;
  /** Nothing but the proxy's own. */
  readonly proxyOnly?: boolean;
  readonly application?: { readonly address: string; readonly port: number; readonly path: string } | undefined;
}

/** More than this an application has not to say. */
const MAX_BYTES = 64 << 20;
const TIMEOUT = 10_000;
const PLAIN = 'text/plain; version=0.0.4; charset=utf-8';

/** Serves a proxy's metrics with the application's own behind them, as Istio's agent does. */
export class MetricsServer {
  readonly #server: Server;
  readonly #own: (exemplars: boolean) => string | Promise<string>;
  readonly #place: MetricsPlace;
  #scrapes = 0;
  #failures = 0;

  constructor(
    place: MetricsPlace,
    own: (exemplars: boolean) => string | Promise<string>,
    onFailure: (message: string) => void,
  ) {
    this.#place = place;
    this.#own = own;
    this.#server = createServer((request, response) => {
      this.#answer(request, response).catch((error: unknown) => {
        onFailure(error instanceof Error ? error.message : String(error));
        response.destroy();
      });
    });
    this.#server.on('error', (error) => onFailure(error.message));
    this.#server.listen({ host: place.address, port: place.port, exclusive: true });
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '').replace(/\?.*$/, '');
    if (path !== '/stats/prometheus' && path !== '/metrics') return void response.writeHead(404).end();
    if (request.method !== 'GET' && request.method !== 'HEAD') return void response.writeHead(405).end();
    this.#scrapes++;
    if (this.#place.proxyOnly === true) return this.#reply(request, response, '', '');
    const application = await this.#application(request);
    const agent =
      `# TYPE istio_agent_scrapes_total counter\nistio_agent_scrapes_total ${this.#scrapes}\n` +
      `# TYPE istio_agent_scrape_failures_total counter\n` +
      `istio_agent_scrape_failures_total{type="application"} ${this.#failures}\n`;
    return this.#reply(request, response, agent, application);
  }

  /** In OpenMetrics where that is wanted and the application says nothing that does not fit there. */
  async #reply({ headers }: IncomingMessage, response: ServerResponse, before: string, behind: string): Promise<void> {
    const others = wantsOpenMetrics(headers.accept) ? toOpenMetrics(behind) : undefined;
    const own = others === undefined ? undefined : toOpenMetrics(before + (await this.#own(true)));
    if (own === undefined) {
      response.writeHead(200, { 'content-type': PLAIN }).end(before + (await this.#own(false)) + behind);
    } else response.writeHead(200, { 'content-type': OPEN_METRICS }).end(`${own}${others}# EOF\n`);
  }

  /** What the application says; nothing, and a failure is counted, where it says nothing useful. */
  #application(request: IncomingMessage): Promise<string> {
    const { application } = this.#place;
    if (application === undefined) return Promise.resolve('');
    const asked = Number(request.headers['x-prometheus-scrape-timeout-seconds']);
    const timeout = asked > 0 ? Math.min(TIMEOUT, asked * 900) : TIMEOUT;
    return new Promise((resolve) => {
      const fail = (): void => {
        this.#failures++;
        resolve('');
      };
      const { address, port, path } = application;
      const headers = { accept: 'text/plain;version=0.0.4', 'user-agent': 'mizzen' };
      const outgoing = get({ host: address, port, path, headers, agent: false, timeout }, (answer) => {
        if (answer.statusCode !== 200) {
          answer.resume();
          return fail();
        }
        const parts: Buffer[] = [];
        let bytes = 0;
        answer.on('data', (part: Buffer) => {
          parts.push(part);
          bytes += part.length;
          if (bytes > MAX_BYTES) answer.destroy(new Error('too much'));
        });
        answer.on('error', fail);
        answer.on('end', () => {
          // An end that OpenMetrics asks for would be one in the middle.
          const text = Buffer.concat(parts)
            .toString()
            .replace(/^# EOF\s*$/m, '');
          resolve(text === '' || text.endsWith('\n') ? text : `${text}\n`);
        });
      });
      outgoing.on('timeout', () => outgoing.destroy(new Error('timeout')));
      outgoing.on('error', fail);
    });
  }
}
