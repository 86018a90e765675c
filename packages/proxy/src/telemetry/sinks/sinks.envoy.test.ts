import { createSocket } from 'node:dgram';
import { createServer, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { freePort, startEnvoy, until } from '@mizzen/testkit';
import { expect, test } from 'vitest';
import { decode } from '@mizzen/xds/binary/index.ts';
import { startLogReceiver, type LogStream } from '../testing/log-receiver.ts';
import { ask, startRaw } from '../../filter/testing/beside.ts';
import { startProxy, startWithAdmin } from '../../process/testing/standalone.ts';

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
  const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 20 });
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
    statsFlushInterval: '0.5s',
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
  /(connections_accepted_per_socket_event|initialization_time_ms|clusters_inflated|high\.cx_pool_open|delayed_close_timeout|server\.(memory_\w+|uptime|version|stats_recent_lookups)|_bytes_buffered):|[.:]admin\b|async-client\b|cluster(\.|_name:)sink2?\b/;

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
    const all = [plain, dog, stream].map(({ lines }) => lines);
    await until('the end of the connections', () => all.every(done));
    const flushes = (): number[] => all.map((lines) => lines.filter((line) => /\bserver\.live:/.test(line)).length);
    const before = flushes();
    await until('another flush', () => flushes().every((count, i) => count > before[i]!));
    await running.stop();
    // What a process has sent is there when it has ended, and read in a few turns.
    let count: number;
    do {
      count = all.flat().length;
      await wait(100);
    } while (all.flat().length > count);
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
}, 90_000);

test.each([true, false])(
  'what is new at the end is sent before the end, though nobody has asked for statistics; own: %s',
  { timeout: 60_000 },
  async (own) => {
    const receiver = await udp();
    const port = await freePort();
    const to = { socketAddress: { address: '127.0.0.1', portValue: receiver.port } };
    const config = {
      ...bootstrap(port, 1, [{ '@type': `${METRICS}.StatsdSink`, address: to, prefix: 'p' }], []),
      statsFlushInterval: '200s',
    };
    const running = own ? await startProxy(config) : await startEnvoy(config);
    await ask(port, 'GET /gone HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n');
    await running.stop();
    await expect.poll(() => receiver.lines, { timeout: 20_000 }).toContain('p.http.in.downstream_rq_4xx:1|c');
    expect(receiver.lines).toContain('p.server.live:1|g');
    await receiver.stop();
  },
);

interface Family {
  readonly name: string;
  readonly type: string;
  readonly metric: readonly {
    readonly label?: readonly { readonly name: string; readonly value: string }[];
    readonly timestampMs: string;
    readonly counter?: { readonly value: number };
    readonly gauge?: { readonly value: number };
    readonly summary?: { readonly sampleCount: string; readonly quantile: readonly { readonly quantile: number }[] };
    readonly histogram?: { readonly sampleCount: string; readonly bucket: readonly { readonly upperBound: number }[] };
  }[];
}

/** By name, kind and labels: the counter (what came in all, where they are deltas), the last gauge, the shape of a histogram. */
function families(stream: LogStream | undefined, port: number, deltas: boolean): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  const samples = new Map<string, number>();
  for (const message of stream?.messages ?? []) {
    const { envoyMetrics = [] } = decode('envoy.service.metrics.v3.StreamMetricsMessage', message) as {
      envoyMetrics?: readonly Family[];
    };
    for (const { name, type, metric } of envoyMetrics) {
      const [{ label = [], timestampMs, counter, gauge, summary: quantiles, histogram }, ...more] = metric as [
        Family['metric'][0],
      ];
      const labels = label.map((each) => `,${each.name}:${each.value}`).join('');
      if (OTHER.test(`.${name}:${labels}`) || OTHER.test(`${labels},`)) continue;
      expect(more).toEqual([]);
      expect(Math.abs(Number(timestampMs) - Date.now())).toBeLessThan(60_000);
      const key = `${name}|${type}${labels}`.replaceAll(String(port), 'PORT');
      const count = (of: string): number => {
        samples.set(key, (samples.get(key) ?? 0) + Number(of));
        return samples.get(key)!;
      };
      if (counter !== undefined) out[key] = counter.value + (deltas ? ((out[key] as number | undefined) ?? 0) : 0);
      if (gauge !== undefined) out[key] = gauge.value;
      if (quantiles !== undefined)
        out[key] = [count(quantiles.sampleCount), quantiles.quantile.map(({ quantile }) => quantile)];
      if (histogram !== undefined)
        out[key] = [count(histogram.sampleCount), histogram.bucket.map(({ upperBound }) => upperBound)];
    }
  }
  return out;
}

async function streamed(own: boolean): Promise<Record<string, unknown>> {
  const up = await startRaw(() => 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok');
  const [plain, labelled] = [await startLogReceiver(), await startLogReceiver()];
  const port = await freePort();
  const http2 = {
    typedExtensionProtocolOptions: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
        '@type': `${TYPE}.extensions.upstreams.http.v3.HttpProtocolOptions`,
        explicitHttpConfig: { http2ProtocolOptions: {} },
      },
    },
  };
  const config = bootstrap(
    port,
    up.port,
    [
      { '@type': `${METRICS}.MetricsServiceConfig`, grpcService: { envoyGrpc: { clusterName: 'sink' } } },
      {
        '@type': `${METRICS}.MetricsServiceConfig`,
        transportApiVersion: 'V3',
        grpcService: { envoyGrpc: { clusterName: 'sink2' }, initialMetadata: [{ key: 'x-a', value: 'b' }] },
        reportCountersAsDeltas: true,
        emitTagsAsLabels: true,
        histogramEmitMode: 'HISTOGRAM',
        batchSize: 20,
      },
    ],
    [
      { ...cluster('sink', plain.port), ...http2 },
      { ...cluster('sink2', labelled.port), ...http2 },
    ],
  );
  const running = own ? await startWithAdmin(config) : await startEnvoy(config);
  const seen = (): Record<string, Record<string, unknown>> => ({
    plain: families(plain.streams[0], port, false),
    labelled: families(labelled.streams[0], port, true),
  });
  try {
    for (const path of ['/', '/a', '/gone'])
      await ask(port, `GET ${path} HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n`);
    const last = (): unknown[] => {
      const { plain: a, labelled: b } = seen();
      const prefix = ',envoy.http_conn_manager_prefix:in';
      return [
        a!['http.in.downstream_cx_destroy|COUNTER'],
        a!['http.in.downstream_cx_active|GAUGE'],
        b![`http.downstream_cx_destroy|COUNTER${prefix}`],
        b![`http.downstream_cx_active|GAUGE${prefix}`],
      ];
    };
    await expect.poll(last, { timeout: 30_000 }).toEqual([3, 0, 3, 0]);
    const lengths = (): number[] => [plain, labelled].map(({ streams: [stream] }) => stream!.messages.length);
    const before = lengths();
    await until('another flush', () => lengths().every((length, i) => length > before[i]!));
  } finally {
    await running.stop();
    await up.stop();
    await Promise.all([plain.stop(), labelled.stop()]);
  }
  const [first, second] = labelled.streams[0]!.messages.map(
    (message) =>
      decode('envoy.service.metrics.v3.StreamMetricsMessage', message) as {
        identifier?: { node: { id: string; cluster: string } };
        envoyMetrics: unknown[];
      },
  );
  const {
    ':path': path,
    ':authority': authority,
    te,
    'content-type': type,
    'x-a': added,
  } = labelled.streams[0]!.headers;
  const { id, cluster: of } = first!.identifier!.node;
  return {
    ...seen(),
    head: { path, authority, te, type, added },
    internal: labelled.streams[0]!.headers['x-envoy-internal'],
    first: [id, of, first!.envoyMetrics.length, second!.identifier, second!.envoyMetrics.length],
  };
}

test('a metrics service: the same families, labels and numbers as from Envoy', async () => {
  const [theirs, ours] = await Promise.all([streamed(false), streamed(true)]);
  expect(Object.keys(theirs['plain'] as object).length).toBeGreaterThan(50);
  expect(ours).toEqual(theirs);
}, 90_000);
