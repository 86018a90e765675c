import { http } from '../node-http.ts';

/** Envoy's admin interface, on a unix socket. Answers are short; a hung Envoy is not waited for. */
export class Admin {
  readonly #socketPath: string;
  readonly #timeoutMs: number;

  constructor(socketPath: string, timeoutMs = 2_000) {
    this.#socketPath = socketPath;
    this.#timeoutMs = timeoutMs;
  }

  /** The body of an answer of 200; undefined for every other, and when nobody answers. */
  get(path: string): Promise<string | undefined> {
    return this.#request('GET', path);
  }

  /** True when it did what it was asked to. */
  async post(path: string): Promise<boolean> {
    return (await this.#request('POST', path)) !== undefined;
  }

  /** Values of the stats whose names match `filter` (a regular expression); undefined when nobody answers. */
  async stats(filter: string): Promise<ReadonlyMap<string, number> | undefined> {
    const body = await this.get(`/stats?format=json&usedonly&filter=${encodeURIComponent(filter)}`);
    if (body === undefined) return undefined;
    const { stats = [] } = JSON.parse(body) as {
      readonly stats?: readonly { readonly name?: string; readonly value?: number }[];
    };
    return new Map(
      stats.flatMap(({ name, value }) => (name === undefined || value === undefined ? [] : [[name, value]])),
    );
  }

  #request(method: string, path: string): Promise<string | undefined> {
    return new Promise((resolve) => {
      const request = http.request(
        { socketPath: this.#socketPath, path, method, agent: false, timeout: this.#timeoutMs },
        (response) => {
          let body = '';
          response.setEncoding('utf8');
          response.on('data', (text: string) => (body += text));
          response.on('end', () => resolve(response.statusCode === 200 ? body : undefined));
          response.on('error', () => resolve(undefined));
        },
      );
      request.on('timeout', () => request.destroy());
      request.on('error', () => resolve(undefined));
      request.end();
    });
  }
}
