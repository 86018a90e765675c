import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { requestLength, responseLength } from '@mizzen/testkit';
import type { Exchange } from './requests.ts';

/** Milliseconds for which nothing comes once everything has. */
const SETTLED = 120;
/** Milliseconds for which nothing comes where it cannot be said how many answers there are to be. */
const QUIET = 700;
/** Milliseconds until an answer that is to come is given up. */
const PATIENCE = 2500;

export interface Answered {
  /** What came after each step. */
  readonly text: string;
  readonly closed: boolean;
}

/** Sends the steps of an exchange over a connection from the address `from`. */
export async function send(exchange: Exchange, from: string, port: number): Promise<Answered> {
  const client = new Client(from, port);
  let sent = '';
  let text = '';
  for (const [i, step] of exchange.steps.entries()) {
    sent += step;
    const before = client.text.length;
    client.write(step);
    await client.listen(methodsOf(sent));
    text += `${i > 0 ? '\n----\n' : ''}${client.text.slice(before)}`;
    if (client.closed) break;
  }
  // Not before it has been answered: whether an answer still leaves would be chance.
  if (exchange.end && !client.closed) {
    client.end();
    await client.listen(undefined);
  }
  const { closed } = client;
  client.destroy();
  return { text, closed };
}

/** Of the requests in `text`; undefined when it is not known how many there are. */
function methodsOf(text: string): string[] | undefined {
  const methods: string[] = [];
  for (let rest = text; rest !== '';) {
    if (!/^[A-Z]+ [^ \r\n]+ HTTP\/1\.1\r\n/.test(rest) || /^(?:upgrade|expect): /im.test(rest.split('\r\n\r\n')[0]!))
      return undefined;
    const length = requestLength(rest);
    // A part of a request: nothing is answered yet.
    if (length === undefined) return /\r\n\r\n/.test(rest) ? undefined : methods;
    methods.push(rest.slice(0, rest.indexOf(' ')));
    rest = rest.slice(length);
  }
  return methods;
}

class Client {
  text = '';
  closed = false;
  readonly #socket: Socket;
  #last = performance.now();

  constructor(from: string, port: number) {
    this.#socket = connect({ port, host: '127.0.0.1', localAddress: from, allowHalfOpen: true, noDelay: true });
    this.#socket.on('data', (data: Buffer) => {
      this.text += data.toString('latin1');
      this.#last = performance.now();
    });
    for (const event of ['end', 'close', 'error']) this.#socket.on(event, () => (this.closed = true));
  }

  write(bytes: string): void {
    if (bytes !== '' && !this.#socket.destroyed) this.#socket.write(Buffer.from(bytes, 'latin1'));
    this.#last = performance.now();
  }

  end(): void {
    this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Until the connection is closed, what was asked for has been answered, or nothing comes any more. */
  async listen(methods: readonly string[] | undefined): Promise<void> {
    while (!this.closed) {
      const silent = performance.now() - this.#last;
      const enough =
        methods === undefined
          ? QUIET
          : answered(this.text, methods)
            ? // Whoever announces the end closes a little later.
              /\r\nconnection: close\r\n/i.test(this.text)
              ? QUIET
              : SETTLED
            : PATIENCE;
      if (silent >= enough) return;
      await pause(Math.min(enough - silent + 1, 20));
    }
  }
}

function answered(text: string, methods: readonly string[]): boolean {
  let rest = text;
  for (const method of methods) {
    const length = responseLength(rest, method);
    if (length === undefined) return false;
    rest = rest.slice(length);
  }
  return true;
}
