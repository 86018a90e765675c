/** Filters beside real Envoy: the same bootstrap, the same bytes, and what client, upstream, services and admin see. */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { get } from 'node:http';
import { freePort, startEnvoy, until } from '@mizzen/testkit';
import { startWithAdmin } from '../../process/testing/standalone.ts';
import { bootstrap, hcm, listener, routeTo, staticCluster } from '../../process/testing/bootstraps.ts';

export const TYPE = 'type.googleapis.com/';

export interface BesideCase {
  readonly name: string;
  readonly filters: readonly object[];
  /** Whole routes; one to `up` by default. */
  readonly routes?: readonly object[];
  readonly perRoute?: object;
  /** Network filters before the connection manager. */
  readonly network?: readonly object[];
  readonly virtualHost?: object;
  readonly more?: object;
  /** Raw requests, one connection each; `connection: close` is added. */
  readonly ask: readonly string[];
  /** How many notes each question leads to at least, where some come after the answer; 0 by default. */
  readonly notes?: number;
}

export interface Observed {
  /** By case and question. */
  readonly answers: readonly (readonly string[])[];
  readonly log: readonly string[];
  /** Counters that are not zero. */
  readonly stats: Readonly<Record<string, number>>;
  /** What the admin interface has at `pages`. */
  readonly pages: readonly string[];
}

export interface Surroundings {
  /** Clusters besides `up`, by name: the port of their one host. */
  readonly clusters: Readonly<Record<string, number>>;
  readonly clusterOptions?: Readonly<Record<string, object>>;
  /** What a service noted since it was last asked; empty when nothing. */
  readonly noted?: () => readonly string[];
  /** Whether what comes some time after the last answer has come. */
  readonly arrived?: () => boolean;
  readonly logFormat: string;
  readonly statsFilter: string;
  /** All that is to be counted has been; unless given, once no connection is left. */
  readonly counted?: (stats: Readonly<Record<string, number>>) => boolean;
  /** Paths of the admin interface. */
  readonly pages?: readonly string[];
  /** Other fields of the bootstrap. */
  readonly bootstrap?: object;
}

export interface Echo {
  readonly port: number;
  stop(): Promise<void>;
}

/** An upstream that answers with what it was sent; fields sorted, so that order does not matter where none is promised. */
export async function startEcho(): Promise<Echo> {
  return startRaw((text) => {
    const body = sorted(text);
    return `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\nx-up: 1\r\n\r\n${body}`;
  });
}

export function sorted(text: string): string {
  const [head = '', ...rest] = text.split('\r\n\r\n');
  const [line = '', ...fields] = head.split('\r\n');
  return [line, ...fields.sort(), '', rest.join('\r\n\r\n')].join('\n');
}

/** At the end of a reply: the connection ends with it. */
export const END = '\u0004';

/** Answers whole requests (framed by content-length or chunks) by a function; an empty answer hangs up. */
export async function startRaw(answer: (request: string) => string | Promise<string>): Promise<Echo> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    let text = '';
    socket.on('data', (data: Buffer) => {
      text += data.toString('latin1');
      const end = text.indexOf('\r\n\r\n');
      if (end < 0) return;
      const head = text.slice(0, end).toLowerCase();
      const length = Number(/\r\ncontent-length: (\d+)/.exec(head)?.[1] ?? 0);
      const chunked = head.includes('\r\ntransfer-encoding: chunked');
      if (chunked ? !/\r\n0\r\n(?:[^\r\n]+\r\n)*\r\n$/.test(text) : text.length < end + 4 + length) return;
      const request = text;
      text = '';
      void Promise.resolve(answer(request)).then((reply) =>
        reply === ''
          ? socket.destroy()
          : reply.endsWith(END)
            ? socket.end(reply.slice(0, -END.length), 'latin1')
            : socket.write(reply, 'latin1'),
      );
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((done) => server.close(done));
    },
  };
}

export function ask(port: number, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let text = '';
    socket.setTimeout(15_000, () => socket.destroy());
    socket.on('connect', () => socket.write(Buffer.from(bytes, 'latin1')));
    socket.on('data', (data: Buffer) => (text += data.toString('latin1')));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(text));
  });
}

export function fetchText(port: number, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ port, host: '127.0.0.1', path, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => (text += part));
      response.on('end', () => resolve(text));
    }).on('error', reject);
  });
}

const CONNECTED =
  /^(?:listener|http)\.(?!admin\.|inner\.|[^:]*worker_\d).*\.downstream_(?:pre_)?cx_active: [1-9]\d*$/gm;

/**
 * The statistics once no listener has connections any more: what is counted of them has been counted by then. One named `inner`
 * is the proxy's own client, which keeps its connections.
 */
export async function statsWhenQuiet(admin: number): Promise<string> {
  let stats = '';
  await until(
    () => `the end of all connections: ${(stats.match(CONNECTED) ?? []).join(', ')}`,
    async () => (stats = await fetchText(admin, '/stats')).search(CONNECTED) < 0,
  );
  return stats;
}

/** Options of a cluster whose hosts speak HTTP/2. */
export const HTTP2 = {
  typedExtensionProtocolOptions: {
    'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
      '@type': `${TYPE}envoy.extensions.upstreams.http.v3.HttpProtocolOptions`,
      explicitHttpConfig: { http2ProtocolOptions: {} },
    },
  },
};

const ROUTER = {
  name: 'envoy.filters.http.router',
  typedConfig: { '@type': `${TYPE}envoy.extensions.filters.http.router.v3.Router` },
};

function stdoutLog(format: string): object {
  return {
    name: 'log',
    typedConfig: {
      '@type': `${TYPE}envoy.extensions.access_loggers.stream.v3.StdoutAccessLog`,
      logFormat: { textFormatSource: { inlineString: `${format}\n` } },
    },
  };
}

/** The same for Envoy and for this proxy, one after the other. */
export async function observeBoth(
  cases: readonly BesideCase[],
  around: Surroundings,
): Promise<{ readonly theirs: Observed; readonly ours: Observed }> {
  const echo = await startEcho();
  try {
    const theirs = await observe(cases, echo.port, around, async (config) => {
      const envoy = await startEnvoy(config);
      return { ...envoy, admin: envoy.adminPort };
    });
    const ours = await observe(cases, echo.port, around, startWithAdmin);
    return { theirs, ours };
  } finally {
    await echo.stop();
  }
}

export async function observe(
  cases: readonly BesideCase[],
  up: number,
  around: Surroundings,
  start: (config: object) => Promise<{ output(): string; stop(): Promise<void>; readonly admin: number }>,
): Promise<Observed> {
  const ports: number[] = [];
  for (const _ of cases) ports.push(await freePort());
  const listeners = cases.map((one, i) => {
    const routes = one.routes ?? [
      { ...routeTo('up'), ...(one.perRoute === undefined ? {} : { typedPerFilterConfig: one.perRoute }) },
    ];
    const manager = hcm(routes, {
      statPrefix: `c${i}`,
      accessLog: [stdoutLog(`LOG ${i} ${around.logFormat}`)],
      httpFilters: [...one.filters, ROUTER],
      routeConfig: {
        name: 'routes',
        virtualHosts: [{ name: 'all', domains: ['*'], routes, ...one.virtualHost }],
      },
      ...one.more,
    });
    return listener(ports[i]!, [{ filters: [...(one.network ?? []), manager] }]);
  });
  const clusters = [
    staticCluster('up', [up], around.clusterOptions?.['up']),
    ...Object.entries(around.clusters).map(([name, port]) =>
      staticCluster(name, [port], around.clusterOptions?.[name]),
    ),
  ];
  const node = { id: 'tester', cluster: 'testers' };
  const proxy = await start({ ...bootstrap(listeners, clusters), node, ...around.bootstrap });
  const answers: string[][] = [];
  try {
    for (const [i, one] of cases.entries()) {
      const own: string[] = [];
      for (const question of one.ask) {
        const bytes = question.replace('\r\n', '\r\nconnection: close\r\n');
        const answer = normalize(await ask(ports[i]!, bytes), ports[i]!);
        const notes: string[] = [];
        await until(
          () => `notes of \`${one.name}\`:\n${notes.join('\n')}`,
          () => notes.push(...(around.noted?.() ?? [])) >= (one.notes ?? 0),
        );
        own.push([answer, ...notes.map((note) => normalize(note, ports[i]!))].join('\n--\n'));
      }
      answers.push(own);
    }
    if (around.arrived !== undefined) await until('what comes after the answers', around.arrived);
    let stats: Record<string, number> = {};
    await until(
      () => `counters: ${JSON.stringify(stats)}`,
      async () => {
        stats = {};
        for (const line of (await statsWhenQuiet(proxy.admin)).split('\n')) {
          const parts = /^(\S+): (\d+)$/.exec(line);
          if (parts !== null && Number(parts[2]) > 0 && new RegExp(around.statsFilter).test(parts[1]!))
            stats[parts[1]!] = Number(parts[2]);
        }
        return around.counted?.(stats) ?? true;
      },
    );
    const pages: string[] = [];
    for (const page of around.pages ?? []) pages.push(await fetchText(proxy.admin, page));
    await proxy.stop();
    const log = proxy
      .output()
      .split('\n')
      .filter((line) => line.startsWith('LOG '));
    return { answers, log, stats, pages };
  } catch (error) {
    await proxy.stop();
    throw new Error(`after its output:\n${proxy.output().slice(-3000)}`, { cause: error });
  }
}

function normalize(text: string, port: number): string {
  return text
    .replaceAll(String(port), 'PORT')
    .replaceAll(/(?<=\ndate: )[^\r\n]*/g, 'DATE')
    .replaceAll(/(?<=x-request-id"?: "?)[0-9a-f-]{36}/g, 'ID')
    .replaceAll(/(?<=x-envoy-upstream-service-time: )\d+/g, 'N');
}
