import { createSocket } from 'node:dgram';
import { createServer, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { freePort, startEnvoy } from '@mizzen/testkit';
import { expect, test } from 'vitest';
import { ask, startRaw } from '../../filter/testing/beside.ts';
import { startWithAdmin } from '../../process/testing/standalone.ts';

const TYPE = 'type.googleapis.com/envoy';
const METRICS = `${TYPE}.config.metrics.v3`;
const HTTP = `${TYPE}.extensions.filters`;

interface Received {
  readonly port: number;
  /** Lines as they came. */
  readonly lines: string[];
  stop(): Promise<void>;
}

async function udp(): Promise<Received & { readonly longest: () => number }> {
  const socket = createSocket('udp4');
  const lines: string[] = [];
  let longest = 0;
  socket.on('message', (data) => {
    longest = Math.max(longest, data.length);
    lines.push(...data.toString().split('\n'));
  });
  await new Promise<void>((done) => socket.bind(0, '127.0.0.1', done));
  return {
    port: socket.address().port,
    lines,
    longest: () => longest,
    stop: () => new Promise((done) => socket.close(() => done())),
  };
}

async function tcp(): Promise<Received> {
  const lines: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    let rest = '';
    socket.on('error', () => undefined);
    socket.on('data', (data) => {
      const parts = (rest + data.toString()).split('\n');
      rest = parts.pop()!;
      lines.push(...parts);
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    lines,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((done) => server.close(done));
    },
  };
}

function cluster(name: string, port: number): object {
  const address = { socketAddress: { address: '127.0.0.1', portValue: port } };
  const endpoints = [{ lbEndpoints: [{ endpoint: { address } }] }];
  return { name, connectTimeout: '1s', loadAssignment: { clusterName: name, endpoints } };
}

function bootstrap(port: number, up: number, sinks: readonly object[], clusters: readonly object[]): object {
  const hcm = {
    '@type': `${HTTP}.network.http_connection_manager.v3.HttpConnectionManager`,
    statPrefix: 'in',
    httpFilters: [
      { name: 'router', typedConfig: { '@type': `${HTTP}.http.router.v3.Router`, suppressEnvoyHeaders: true } },
    ],
    routeConfig: {
      virtualHosts: [
        {
          name: 'v',
          domains: ['*'],
          routes: [
            { match: { prefix: '/gone' }, directResponse: { status: 410 } },
            { match: { prefix: '/' }, route: { cluster: 'up' } },
          ],
        },
      ],
    },
  };
  return {
    node: { id: 'n', cluster: 'c' },
    statsFlushInterval: '0.2s',
    statsSinks: sinks.map((typedConfig) => ({ name: 'sink', typedConfig })),
    staticResources: {
      clusters: [cluster('up', up), ...clusters],
      listeners: [
        {
          name: 'l',
          address: { socketAddress: { address: '127.0.0.1', portValue: port } },
          filterChains: [{ filters: [{ name: 'hcm', typedConfig: hcm }] }],
        },
      ],
    },
  };
}

/** What Envoy alone has, what is about the process or the sinks' own connections, and what is asked by who tests. */
const OTHER =
  /(connections_accepted_per_socket_event|initialization_time_ms|clusters_inflated|high\.cx_pool_open|delayed_close_timeout|server\.(memory_\w+|uptime|version|stats_recent_lookups)|_bytes_buffered):|[.:]admin\b|cluster\.sink\.|cluster_name:sink\b|cluster\.sink\b/;

/** By name and kind: how much came in all, the last gauge, how many values of a histogram. */
function summary(lines: readonly string[], port: number): Record<string, number> {
  const out: Record<string, number> = {};
  for (const line of lines) {
    if (OTHER.test(line)) continue;
    const found = /^(.+):([\d.]+)\|(c|g|ms|h)(\|#.*)?$/.exec(line);
    if (found === null) throw new Error(`no line of statsd: ${line}`);
    const [, name, value, kind, tags = ''] = found;
    const key = `${name}|${kind}${tags}`.replaceAll(String(port), 'PORT');
    if (kind === 'g') out[key] = Number(value);
    else out[key] = (out[key] ?? 0) + (kind === 'c' ? Number(value) : 1);
  }
  return out;
}

async function sent(own: boolean): Promise<Record<string, Record<string, number>>> {
  const up = await startRaw(() => 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok');
  const [plain, dog, stream] = [await udp(), await udp(), await tcp()];
  const port = await freePort();
  const address = (to: number): object => ({
    address: { socketAddress: { protocol: 'UDP', address: '127.0.0.1', portValue: to } },
  });
  const config = bootstrap(
    port,
    up.port,
    [
      { '@type': `${METRICS}.StatsdSink`, ...address(plain.port) },
      { '@type': `${METRICS}.DogStatsdSink`, ...address(dog.port), prefix: 'dog', maxBytesPerDatagram: 512 },
      { '@type': `${METRICS}.StatsdSink`, tcpClusterName: 'sink', prefix: 'tcp' },
    ],
    [cluster('sink', stream.port)],
  );
  const running = own ? await startWithAdmin(config) : await startEnvoy(config);
  try {
    for (const path of ['/', '/a', '/gone'])
      await ask(port, `GET ${path} HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n`);
    // All is said once a flush has come after the last request and the end of its connection.
    const done = (lines: readonly string[]): boolean => {
      const so = summary(lines, port);
      const [, destroyed] = Object.entries(so).find(([key]) => /http\.(in\.)?downstream_cx_destroy\|c/.test(key)) ?? [];
      const [, closed] = Object.entries(so).find(([key]) => /http\.(in\.)?downstream_cx_active\|g/.test(key)) ?? [];
      return destroyed === 3 && closed === 0;
    };
    await expect
      .poll(() => [plain, dog, stream].map(({ lines }) => done(lines)), { timeout: 15_000 })
      .toEqual([true, true, true]);
    await wait(250);
  } finally {
    await running.stop();
    await up.stop();
  }
  expect(dog.longest()).toBeLessThanOrEqual(512);
  expect(dog.longest()).toBeGreaterThan(300);
  await Promise.all([plain.stop(), dog.stop(), stream.stop()]);
  return { plain: summary(plain.lines, port), dog: summary(dog.lines, port), stream: summary(stream.lines, port) };
}

test('statsd over UDP and TCP and with tags: the same names, kinds and numbers as from Envoy', async () => {
  const [theirs, ours] = await Promise.all([sent(false), sent(true)]);
  expect(Object.keys(theirs['plain']!).length).toBeGreaterThan(50);
  expect(theirs['plain']!['envoy.http.in.downstream_rq_time|ms']).toBe(3);
  expect(ours).toEqual(theirs);
}, 30_000);
