import { Agent, createServer, request } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { realClock } from './clock.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** One GET; a failure of the connection is status 0. */
export function get(port: number, path = '/', agent?: Agent, host = '127.0.0.1'): Promise<Answer> {
  return new Promise((resolve) => {
    const failed = (error: Error): void => resolve({ status: 0, headers: {}, body: error.message });
    const options = { host: '127.0.0.1', port, path, agent, timeout: 30_000, headers: { host } };
    const outgoing = request(options, (response) => {
      let body = '';
      response.on('data', (data: Buffer) => (body += data.toString()));
      response.on('error', failed);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error('timeout')));
    outgoing.on('error', failed);
    outgoing.end();
  });
}

/** Requests one after the other until it is stopped; keeps every answer that was not 200. */
export class Traffic {
  readonly #port: number;
  readonly #host: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 4 });
  readonly #running: Promise<void>[];
  readonly failures: Answer[] = [];
  /** Bodies seen, and how often. */
  readonly bodies = new Map<string, number>();
  #stopped = false;

  constructor(port: number, host = '127.0.0.1') {
    this.#port = port;
    this.#host = host;
    this.#running = [this.#run(), this.#run()];
  }

  get count(): number {
    let count = this.failures.length;
    for (const each of this.bodies.values()) count += each;
    return count;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#running);
    this.#agent.destroy();
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const answer = await get(this.#port, '/', this.#agent, this.#host);
      if (answer.status !== 200) this.failures.push(answer);
      else this.bodies.set(answer.body, (this.bodies.get(answer.body) ?? 0) + 1);
      await new Promise<void>((done) => realClock.after(2, done));
    }
  }
}

/** An application that answers its name. */
export async function application(name: string): Promise<{ readonly port: number; close(): Promise<void> }> {
  // A connection that it closed while nothing was sent could be chosen for a request at the same time.
  const server: Server = createServer({ keepAliveTimeout: 0 }, (_, response) => response.end(name));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((done) => {
        server.closeAllConnections();
        server.close(() => done());
      }),
  };
}
