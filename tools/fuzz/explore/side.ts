/** What one proxy makes of many units, all of them in one process. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expandTyped } from '../../../conformance/configuration.ts';
import { ENGINES, type Engine } from '../../../conformance/engines.ts';
import { fill } from '../../../conformance/placeholders.ts';
import { takePort } from '../../../conformance/ports.ts';
import { isTokenName, tokenOf } from '../../../conformance/tokens.ts';
import { send, type Answered } from './client.ts';
import { isCompared, ofBytes, ofLog, ofReceived } from './known.ts';
import { clustersOf, listenerOf, type Unit } from './unit.ts';
import { isCopy, Upstreams } from './upstream.ts';

/** What was seen of a unit, by what it is seen of: `answer 0`, `received 0`, `log 0`, `connection 0`, the name of a counter. */
export type Seen = ReadonlyMap<string, string>;

/** Time for what is still on its way between two exchanges, milliseconds. */
const BETWEEN = 40;

const WARM_CONNECTIONS = 5;
const WARM = {
  steps: Array.from({ length: 8 }, () => 'POST /?a=b HTTP/1.1\r\nHost: test\r\nContent-Length: 3\r\n\r\nabc'),
  end: false,
};
const PLAIN: Unit = {
  exchanges: [],
  hcm: {},
  router: {},
  filters: [],
  routeConfig: {
    virtualHosts: [{ name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster: 'UNITa' } }] }],
  },
  log: { '$access_loggers.file.v3.FileAccessLog': { path: '${log:UNIT}' } },
  listener: {},
  cluster: {},
  upstream: {},
};

/** The places of some units: ports, files, upstreams. */
export class Field {
  readonly #units: readonly Unit[];
  readonly #ports = new Map<string, number>();
  readonly #folder = mkdtempSync(join(tmpdir(), 'mizzen-explore-'));
  readonly #upstreams: Upstreams[] = [];
  #adminPort = 0;

  /** The last unit is there to be the first that gets requests. */
  private constructor(units: readonly Unit[]) {
    this.#units = [...units, PLAIN];
  }

  static async of(units: readonly Unit[]): Promise<Field> {
    const field = new Field(units);
    await field.#open();
    return field;
  }

  async #open(): Promise<void> {
    this.#adminPort = await takePort();
    this.#ports.set('dead', await takePort());
    for (const i of this.#units.keys()) {
      const upstreams = new Upstreams();
      this.#ports.set(`u${i}`, await takePort());
      for (const name of ['a', 'b']) {
        const port = await takePort();
        this.#ports.set(`u${i}${name}`, port);
        await upstreams.listen(name, port);
      }
      this.#upstreams.push(upstreams);
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#upstreams.map((each) => each.close()));
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #filled(value: unknown, i: number): unknown {
    const named: unknown = JSON.parse(JSON.stringify(value).replaceAll('UNIT', `u${i}`));
    return fill(named, (name) => {
      if (name.startsWith('log:')) return this.#log(i);
      // Damaged names of tokens are the names of none.
      if (isTokenName(name)) return tokenOf(name);
      return this.#ports.get(name.slice('port:'.length)) ?? '';
    });
  }

  #log(i: number): string {
    return join(this.#folder, `u${i}.log`);
  }

  #write(): string {
    const file = join(this.#folder, 'bootstrap.json');
    const listeners = join(this.#folder, 'listeners.json');
    const type = 'type.googleapis.com/envoy.config.listener.v3.Listener';
    const resources = this.#units.map((each, i) => ({
      '@type': type,
      ...(this.#filled(listenerOf(each), i) as object),
    }));
    writeFileSync(listeners, JSON.stringify({ resources }));
    const bootstrap = {
      node: { id: 'one', cluster: 'explore' },
      statsFlushOnAdmin: true,
      admin: { address: { socketAddress: { address: '127.0.0.1', portValue: this.#adminPort } } },
      dynamicResources: { ldsConfig: { resourceApiVersion: 'V3', pathConfigSource: { path: listeners } } },
      staticResources: { clusters: this.#units.flatMap((each, i) => this.#filled(clustersOf(each), i) as object[]) },
    };
    writeFileSync(file, JSON.stringify(expandTyped(bootstrap)));
    return file;
  }

  /** What a proxy makes of each unit. */
  async see(engine: Engine): Promise<Seen[]> {
    const file = this.#write();
    for (const each of this.#upstreams) each.reset();
    const server = await ENGINES[engine](file, this.#adminPort, []);
    let seen: Map<string, string>[];
    try {
      const there = await this.#listeners();
      await this.#warmUp();
      seen = await Promise.all(
        this.#units.map(async (each, i) =>
          there.has(`u${i}`) ? await this.#drive(each, i) : new Map([['refused', refusal(server.output(), i)]]),
        ),
      );
      await pause(100);
      await this.#readStats(seen);
    } finally {
      await server.stop();
    }
    for (const [i, each] of seen.entries()) this.#readLog(i, each);
    seen.pop();
    const crash = /uncaught|TypeError|RangeError|Segmentation|assert failure|ReferenceError/i.exec(server.output());
    if (crash !== null)
      seen[0]!.set(
        'crash',
        server
          .output()
          .slice(crash.index - 200)
          .slice(0, 3000),
      );
    return seen;
  }

  /** A program that is compiled as it runs takes its time with what it does first. */
  async #warmUp(): Promise<void> {
    const last = this.#units.length - 1;
    for (let i = 0; i < WARM_CONNECTIONS; i++) await send(WARM, addressOf(last, 200), this.#ports.get(`u${last}`)!);
  }

  async #listeners(): Promise<Set<string>> {
    const text = await this.#admin('/listeners');
    return new Set([...text.matchAll(/^(u\d+)::/gm)].map(([, name]) => name!));
  }

  async #drive(one: Unit, i: number): Promise<Map<string, string>> {
    const seen = new Map<string, string>();
    const upstreams = this.#upstreams[i]!;
    for (const [j, written] of one.exchanges.entries()) {
      upstreams.begin();
      const exchange = this.#filled(written, i) as typeof written;
      const { text, closed }: Answered = await send(exchange, addressOf(i, j), this.#ports.get(`u${i}`)!);
      await pause(BETWEEN);
      seen.set(`answer ${j}`, ofBytes(text, this.#ports));
      seen.set(`connection ${j}`, closed ? 'closed' : 'kept');
      const got = upstreams.received.map(({ upstream, bytes }) => `${upstream} got ${ofReceived(bytes, this.#ports)}`);
      // A copy may come before or after what it is a copy of.
      const place = (each: string): string => `${each[0]} ${isCopy(each)}`;
      seen.set(`received ${j}`, got.toSorted((one, two) => place(one).localeCompare(place(two))).join('\n'));
      seen.set(`log ${j}`, '');
    }
    return seen;
  }

  async #readStats(seen: readonly Map<string, string>[]): Promise<void> {
    const unitOf = new Map([...this.#ports].map(([name, port]) => [String(port), name]));
    for (const line of (await this.#admin('/stats?usedonly')).split('\n')) {
      const parts = /^(.*): (\d+)$/.exec(line);
      if (parts === null || !isCompared(parts[1]!)) continue;
      const name = parts[1]!.replace(/127\.0\.0\.1_(\d+)/, (_, port: string) => unitOf.get(port) ?? port);
      const i = /(?<=^|[._])u(\d+)(?=[a-z]*[._])/.exec(name)?.[1];
      if (i !== undefined && parts[2] !== '0') seen[Number(i)]?.set(`stat ${name.replaceAll(`u${i}`, 'u')}`, parts[2]!);
    }
    // How many values histograms have: what they are is of the moment.
    for (const line of (await this.#admin('/stats/prometheus?usedonly')).split('\n')) {
      const parts = /^(\w+)_count(\{.*\}) (\d+)$/.exec(line);
      if (parts === null || !isCompared(parts[1]!)) continue;
      const tags = parts[2]!.replace(/(?<="127\.0\.0\.1_)(\d+)/, (_, port: string) => unitOf.get(port) ?? port);
      const i = /(?<=["_])u(\d+)(?=[a-z]*")/.exec(tags)?.[1];
      if (i !== undefined) seen[Number(i)]?.set(`histogram ${parts[1]}${tags.replaceAll(`u${i}`, 'u')}`, parts[3]!);
    }
  }

  #readLog(i: number, seen: Map<string, string>): void {
    const file = this.#log(i);
    if (!existsSync(file)) return;
    for (const line of readFileSync(file, 'latin1').split('\n')) {
      const place = /@127\.77\.\d+\.(\d+)/.exec(line)?.[1];
      if (line === '') continue;
      const key = place === undefined ? 'log' : `log ${Number(place) - 1}`;
      seen.set(key, `${seen.get(key) ?? ''}${ofLog(line, this.#ports)}\n`);
    }
    rmSync(file);
  }

  #admin(path: string): Promise<string> {
    return new Promise((done, failed) => {
      get({ host: '127.0.0.1', port: this.#adminPort, path }, (response) => {
        let text = '';
        response.on('data', (data: Buffer) => (text += data.toString()));
        response.on('end', () => done(text));
      }).on('error', failed);
    });
  }
}

/** Every exchange has an address of its own, by which its lines in the log are found. */
function addressOf(unit: number, exchange: number): string {
  return `127.77.${unit}.${exchange + 1}`;
}

function refusal(output: string, unit: number): string {
  const lines = output.split('\n').filter((line) => new RegExp(`\\bu${unit}\\b|rror`).test(line));
  return lines.join('\n').slice(0, 2000);
}
