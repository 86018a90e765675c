import { connect, type Socket } from 'node:net';
import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises';
import { responseLength } from '@mizzen/testkit';

/** How long what is waited for may take, milliseconds. */
const PATIENCE = 15_000;
/** Between two looks, milliseconds. */
const BETWEEN = 50;

export type Stats = ReadonlyMap<string, number>;

/** The admin endpoint of the proxy that is observed. */
export class Admin {
  readonly #port: number;
  #socket: Socket | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(port: number) {
    this.#port = port;
  }

  /** `METHOD /path`. */
  async ask(asked: string): Promise<void> {
    const [method, path] = asked.split(' ');
    const response = await fetch(`http://127.0.0.1:${this.#port}${path}`, { method });
    const body = await response.text();
    if (!response.ok) throw new Error(`${asked} was answered ${response.status}: ${body}`);
  }

  /** Those of `/stats`, and of `/clusters` as `hosts.CLUSTER.ADDRESS.NAME`. */
  async stats(): Promise<Stats> {
    const response = await fetch(`http://127.0.0.1:${this.#port}/stats`);
    const map = new Map<string, number>();
    for (const line of (await response.text()).split('\n')) {
      const parts = /^(.*): (\d+)$/.exec(line);
      if (parts !== null) map.set(parts[1]!, Number(parts[2]));
    }
    const hosts = await fetch(`http://127.0.0.1:${this.#port}/clusters`);
    for (const line of (await hosts.text()).split('\n')) {
      const parts = line.split('::');
      if (parts.length === 4 && /^\d+$/.test(parts[3]!))
        map.set(`hosts.${parts.slice(0, 3).join('.')}`, Number(parts[3]));
    }
    return map;
  }

  /**
   * Reads them until `done` says so of them and of those before, at most for so long; the last ones otherwise. The proxy has had
   * its turn between two readings.
   */
  async statsUntil(done: (now: Stats, before: Stats | undefined) => boolean, atMost = PATIENCE): Promise<Stats> {
    const deadline = performance.now() + atMost;
    for (let before: Stats | undefined; ;) {
      const now = await this.stats();
      if (done(now, before) || performance.now() > deadline) return now;
      before = now;
      await pause(BETWEEN);
      await this.turn();
    }
  }

  /** Waits until these statistics have these values. */
  async until(wanted: Readonly<Record<string, number>>): Promise<void> {
    const missing = (stats: Stats): string[] =>
      Object.entries(wanted).flatMap(([name, value]) =>
        stats.get(name) === value ? [] : [`${name} is ${stats.get(name)} and not ${value}`],
      );
    const left = missing(await this.statsUntil((now) => missing(now).length === 0));
    if (left.length > 0) throw new Error(`waited in vain: ${left.join(', ')}`);
  }

  /**
   * Gives the proxy its turn, however busy the machine is: it has answered here, and so done what was due before; and what it
   * sent then has been read.
   */
  turn(): Promise<void> {
    const turn = this.#last.then(() => this.#roundTrip());
    this.#last = turn;
    return turn;
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  async #roundTrip(): Promise<void> {
    await new Promise<void>((done) => {
      const socket = (this.#socket ??= this.#connect());
      let text = '';
      const onData = (data: Buffer): void => {
        text += data.toString('latin1');
        if (responseLength(text, 'GET') !== undefined) over();
      };
      // A proxy that does not answer any more has no turns.
      const late = setTimeout(() => socket.destroy(), PATIENCE);
      const over = (): void => {
        clearTimeout(late);
        socket.off('data', onData);
        socket.off('close', over);
        done();
      };
      socket.on('data', onData);
      socket.on('close', over);
      socket.write('GET /ready HTTP/1.1\r\nHost: localhost\r\n\r\n');
    });
    await nextTurn();
    await nextTurn();
  }

  #connect(): Socket {
    const socket = connect({ port: this.#port, host: '127.0.0.1', noDelay: true });
    socket.on('error', () => undefined);
    for (const event of ['end', 'close'])
      socket.on(event, () => {
        if (this.#socket === socket) this.#socket = undefined;
      });
    return socket;
  }
}
