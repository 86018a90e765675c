/** Active health checks beside the real Envoy: what hosts are asked, what becomes of them, what is counted and logged. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { createServer as createHttp2, type Http2Server } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, startEnvoy, until } from '@mizzen/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fetchText, TYPE } from '../filter/testing/beside.ts';
import { bootstrap } from '../process/testing/bootstraps.ts';
import { startProxy } from '../process/testing/standalone.ts';
import { frame } from '../grpc/framing.ts';

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
const BAD = 'HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n';
const having = (field: string, head = OK): string => head.replace('\r\n', `\r\n${field}\r\n`);

interface HealthCase {
  readonly name: string;
  readonly check: object;
  /** What the host says to its checks, one after the other; the last for ever. Empty: hangs up; `-`: says nothing. */
  readonly answers: readonly string[];
  /** How often it is asked before one looks; by default a little more often than it has answers. */
  readonly asks?: number;
  readonly endpoint?: object;
  readonly lbEndpoint?: object;
  readonly cluster?: object;
  readonly http2?: 'grpc' | 'http';
}

const http = (more: object = {}): object => ({ httpHealthCheck: { path: '/hc', ...more } });
const hex = (text: string): string => Buffer.from(text).toString('hex');
const HTTP2_ALLOWED = {
  typedExtensionProtocolOptions: {
    'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
      '@type': `${TYPE}envoy.extensions.upstreams.http.v3.HttpProtocolOptions`,
      useDownstreamProtocolConfig: { httpProtocolOptions: {}, http2ProtocolOptions: {} },
    },
  },
};

/** Every host is asked at least this often, and what came later is left out. */
const ASKS = 5;

const CASES: readonly HealthCase[] = [
  {
    name: 'fields',
    check: http({
      host: 'asked.example',
      requestHeadersToAdd: [
        { header: { key: 'x-a', value: '1 %PROTOCOL% %UPSTREAM_CLUSTER%' } },
        { header: { key: 'User-Agent', value: 'me' } },
        { header: { key: 'x-b', value: 'b' }, appendAction: 'OVERWRITE_IF_EXISTS_OR_ADD' },
      ],
      requestHeadersToRemove: ['x-c'],
    }),
    answers: [OK],
  },
  { name: 'removes', check: http({ requestHeadersToRemove: ['User-Agent'] }), answers: [OK] },
  { name: 'post', check: http({ method: 'POST', send: { text: hex('hi') } }), answers: [OK] },
  { name: 'options', check: http({ method: 'OPTIONS' }), answers: [OK] },
  { name: 'head', check: http({ method: 'HEAD' }), answers: ['HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n'] },
  {
    name: 'put',
    check: http({ method: 'PUT', send: { binary: Buffer.from('hi').toString('base64') } }),
    answers: [OK],
  },
  { name: 'falls', check: http(), answers: [OK, OK, BAD] },
  {
    name: 'retriable',
    check: http({ retriableStatuses: [{ start: 500, end: 504 }] }),
    answers: [OK, BAD, OK, BAD, BAD, OK, OK, OK, BAD, BAD],
  },
  {
    name: 'expected',
    check: http({
      expectedStatuses: [
        { start: 404, end: 405 },
        { start: 200, end: 201 },
      ],
    }),
    answers: ['HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n'],
  },
  { name: 'first', check: http(), answers: [BAD, BAD, OK] },
  {
    name: 'degraded',
    check: http(),
    answers: [OK, having('x-envoy-degraded: 1'), having('x-envoy-degraded: 1'), OK, having('x-envoy-degraded: 1')],
  },
  { name: 'excluded', check: http(), answers: [OK, having('x-envoy-immediate-health-check-fail: 1', BAD)] },
  { name: 'back', check: http(), answers: [OK, having('x-envoy-immediate-health-check-fail: 1', BAD), OK] },
  { name: 'receive', check: http({ receive: [{ text: hex('o') }, { text: hex('k') }] }), answers: [OK] },
  { name: 'receives', check: http({ receive: [{ text: hex('k') }, { text: hex('o') }] }), answers: [OK] },
  { name: 'buffer', check: http({ receive: [{ text: hex('k') }], responseBufferSize: 1 }), answers: [OK] },
  { name: 'unbuffered', check: http({ receive: [{ text: hex('k') }], responseBufferSize: 0 }), answers: [OK] },
  {
    name: 'service',
    check: http({ serviceNameMatcher: { prefix: 'loc' } }),
    answers: [having('x-envoy-upstream-healthchecked-cluster: local')],
  },
  { name: 'services', check: http({ serviceNameMatcher: { exact: 'x' } }), answers: [OK] },
  { name: 'closes', check: http(), answers: [having('connection: close')] },
  { name: 'afresh', check: { ...http(), reuseConnection: false }, answers: [OK] },
  { name: 'hangup', check: http(), answers: [OK, ''] },
  { name: 'silent', check: { ...http(), timeout: '2s' }, answers: [OK, '-', '-', '-', OK] },
  { name: 'speaks-again', check: { ...http(), timeout: '2s', unhealthyThreshold: 1 }, answers: [OK, '-', BAD] },
  {
    name: 'chunked',
    check: http(),
    answers: ['HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n'],
  },
  { name: 'continues', check: http(), answers: [`HTTP/1.1 100 Continue\r\n\r\n${OK}`] },
  { name: 'nonsense', check: http(), answers: ['nonsense\r\n\r\n'] },
  {
    name: 'always',
    check: { ...http(), alwaysLogHealthCheckFailures: true, alwaysLogHealthCheckSuccess: true },
    answers: [OK, BAD, BAD, OK],
  },
  {
    name: 'disabled',
    check: http(),
    answers: [OK],
    asks: 0,
    endpoint: { healthCheckConfig: { disableActiveHealthCheck: true } },
  },
  {
    name: 'hostname',
    check: http(),
    answers: [OK],
    endpoint: { hostname: 'other', healthCheckConfig: { hostname: 'own.example' } },
  },
  { name: 'draining', check: http(), answers: [OK], lbEndpoint: { healthStatus: 'DRAINING' } },
  { name: 'named', check: { name: 'x', ...http() }, answers: [OK] },
  { name: 'metadata', check: http(), answers: [OK], lbEndpoint: { metadata: { filterMetadata: { a: { b: 'ü' } } } } },
  { name: 'slowly', check: { ...http(), noTrafficInterval: '60s' }, answers: [OK], asks: 1 },
  {
    name: 'unwell',
    check: { ...http(), noTrafficInterval: '0.2s', noTrafficHealthyInterval: '60s' },
    answers: [BAD, OK],
    asks: 3,
  },
  {
    name: 'tcp',
    check: { tcpHealthCheck: { send: { text: hex('ping') }, receive: [{ text: hex('po') }, { text: hex('g') }] } },
    answers: ['pong'],
  },
  {
    name: 'tcps',
    // Never answered, so that it is asked as often as others only with a short time.
    check: { timeout: '1.5s', tcpHealthCheck: { send: { text: hex('ping') }, receive: [{ text: hex('x') }] } },
    answers: ['pong'],
    asks: ASKS,
  },
  {
    name: 'tcpafresh',
    check: {
      reuseConnection: false,
      tcpHealthCheck: { send: { text: hex('ping') }, receive: [{ text: hex('pong') }] },
    },
    answers: ['pong'],
  },
  {
    name: 'tcphangup',
    check: { tcpHealthCheck: { send: { text: hex('ping') }, receive: [{ text: hex('pong') }] } },
    answers: ['pong', '', 'pong'],
  },
  { name: 'connects', check: { tcpHealthCheck: {} }, answers: ['-'], asks: 0 },
  { name: 'sends', check: { tcpHealthCheck: { send: { text: hex('ping') } } }, answers: ['-'], asks: 0 },
  {
    name: 'proxied',
    check: {
      tcpHealthCheck: {
        send: { text: hex('x') },
        receive: [{ text: hex('pong') }],
        proxyProtocolConfig: { version: 'V2' },
      },
    },
    answers: ['pong'],
  },
  {
    name: 'redis',
    check: {
      customHealthCheck: {
        name: 'envoy.health_checkers.redis',
        typedConfig: { '@type': `${TYPE}envoy.extensions.health_checkers.redis.v3.Redis` },
      },
    },
    answers: ['+PONG\r\n', '+PONG\r\n', '-ERR\r\n'],
  },
  {
    name: 'rediskey',
    check: {
      customHealthCheck: {
        name: 'envoy.health_checkers.redis',
        typedConfig: { '@type': `${TYPE}envoy.extensions.health_checkers.redis.v3.Redis`, key: 'down' },
      },
    },
    answers: [':0\r\n', ':0\r\n', ':1\r\n'],
  },
  {
    name: 'http2',
    check: http({ codecClientType: 'HTTP2', requestHeadersToAdd: [{ header: { key: 'x-a', value: '1' } }] }),
    answers: ['200', '200', '503'],
    http2: 'http',
  },
  {
    name: 'grpc',
    check: {
      grpcHealthCheck: {
        serviceName: 'shop.Cart',
        authority: 'cart',
        initialMetadata: [{ header: { key: 'x-a', value: '1' } }],
      },
    },
    answers: ['1', '1', '2', '2', '1', '1'],
    http2: 'grpc',
    cluster: HTTP2_ALLOWED,
  },
  {
    name: 'grpcs',
    check: { grpcHealthCheck: {} },
    answers: ['status 12', 'status 12'],
    http2: 'grpc',
    cluster: HTTP2_ALLOWED,
  },
  {
    name: 'grpcafresh',
    check: { reuseConnection: false, grpcHealthCheck: {} },
    answers: ['1'],
    http2: 'grpc',
    cluster: HTTP2_ALLOWED,
  },
];

interface Backend {
  readonly port: number;
  /** What it was asked, connection by connection. */
  readonly asked: string[];
  stop(): void;
}

async function startBackend({ answers, http2, check }: HealthCase): Promise<Backend> {
  const asked: string[] = [];
  let next = 0;
  const answer = (): string => answers[Math.min(next++, answers.length - 1)]!;
  const server =
    http2 === undefined ? rawServer(asked, answer, !('tcpHealthCheck' in check)) : http2Server(asked, answer, http2);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { port: address.port, asked, stop: () => server.close() };
}

function rawServer(asked: string[], answer: () => string, whole: boolean): ReturnType<typeof createServer> {
  let connections = 0;
  return createServer((socket: Socket) => {
    const id = connections++;
    let text = '';
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      const length = Number(/content-length: (\d+)/.exec(text)?.[1] ?? 0);
      if (whole && text.includes('HTTP/1.1') && text.length < text.indexOf('\r\n\r\n') + 4 + length) return;
      asked.push(`${id} ${text}`);
      text = '';
      const said = answer();
      if (said === '') socket.destroy();
      else if (said !== '-') socket.write(said);
    });
  });
}

function http2Server(asked: string[], answer: () => string, kind: 'grpc' | 'http'): Http2Server {
  const server = createHttp2();
  let connections = 0;
  server.on('session', (session) => {
    const id = connections++;
    session.on('error', () => undefined);
    session.on('stream', (stream, headers) => {
      const body: Buffer[] = [];
      stream.on('error', () => undefined);
      stream.on('data', (chunk: Buffer) => body.push(chunk));
      stream.on('end', () => {
        const fields = Object.entries(headers).map(([name, value]) => `${name}: ${String(value)}`);
        asked.push([`${id}`, ...fields.toSorted(), Buffer.concat(body).toString('hex')].join('\n'));
        const said = answer();
        if (kind === 'http') {
          stream.respond({ ':status': Number(said) }, { endStream: true });
          return;
        }
        if (said.startsWith('status')) {
          stream.respond(
            { ':status': 200, 'content-type': 'application/grpc', 'grpc-status': said.slice(7) },
            { endStream: true },
          );
          return;
        }
        stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
        stream.end(frame(Buffer.from([0x08, Number(said)])));
      });
    });
  });
  return server;
}

interface Observed {
  readonly asked: readonly string[];
  readonly flags: string;
  readonly status: string;
  readonly log: readonly string[];
  readonly stats: Readonly<Record<string, string>>;
}

const folder = mkdtempSync(join(tmpdir(), 'mizzen-health-'));
const results: Record<string, Readonly<Record<string, Observed>>> = {};

async function observe(engine: 'mizzen' | 'envoy'): Promise<Record<string, Observed>> {
  const backends = await Promise.all(CASES.map((one) => startBackend(one)));
  const clusters = CASES.map(({ name, check, endpoint, lbEndpoint, cluster }, i) => ({
    name,
    type: 'STATIC',
    connectTimeout: '1s',
    ...cluster,
    healthChecks: [
      {
        // Who answers has all the time that a busy machine may take.
        timeout: '4s',
        interval: '0.25s',
        noTrafficInterval: '0.25s',
        unhealthyThreshold: 2,
        healthyThreshold: 2,
        eventLogPath: join(folder, `${engine}-${name}`),
        ...check,
      },
    ],
    loadAssignment: {
      clusterName: name,
      endpoints: [
        {
          locality: { zone: 'z' },
          lbEndpoints: [
            {
              endpoint: {
                address: { socketAddress: { address: '127.0.0.1', portValue: backends[i]!.port } },
                ...endpoint,
              },
              ...lbEndpoint,
            },
          ],
        },
      ],
    },
  }));
  const adminPort = engine === 'mizzen' ? await freePort() : 0;
  const admin = { address: { socketAddress: { address: '127.0.0.1', portValue: adminPort } } };
  const proxy =
    engine === 'mizzen'
      ? await startProxy({ ...bootstrap([], clusters), admin })
      : await startEnvoy(bootstrap([], clusters));
  const port = 'adminPort' in proxy ? proxy.adminPort : adminPort;
  const unasked = (): readonly string[] =>
    CASES.filter(
      ({ asks, answers }, i) => backends[i]!.asked.length < (asks ?? Math.max(ASKS, answers.length) + 2),
    ).map(({ name }) => name);
  await until(
    () => `questions to ${unasked().join(', ')}`,
    () => unasked().length === 0,
    50,
  );
  const text = await fetchText(port, '/clusters');
  const json = JSON.parse(await fetchText(port, '/clusters?format=json')) as {
    readonly cluster_statuses: readonly {
      readonly name: string;
      readonly host_statuses: readonly { readonly health_status: object }[];
    }[];
  };
  const stats = await fetchText(port, '/stats');
  await proxy.stop();
  return Object.fromEntries(
    CASES.map(({ name }, i) => {
      const backend = backends[i]!;
      const { asked, port: own } = backend;
      backend.stop();
      const plain = (line: string): string => line.replaceAll(String(own), 'PORT');
      const status = json.cluster_statuses.find((cluster) => cluster.name === name)?.host_statuses[0]?.health_status;
      const observed: Observed = {
        asked: asked.slice(0, ASKS).map(plain),
        flags: new RegExp(`^${name}::.*::health_flags::(.*)$`, 'm').exec(text)?.[1] ?? '',
        status: JSON.stringify(status, Object.keys(status ?? {}).toSorted()),
        log: events(join(folder, `${engine}-${name}`)).map(plain),
        stats: Object.fromEntries(
          [
            ...stats.matchAll(new RegExp(`^cluster\\.${name}\\.((?:health_check|membership_)[^:]*): (\\d+)$`, 'gm')),
          ].map(([, stat, value]) => [stat!, value!]),
        ),
      };
      return [name, observed];
    }),
  );
}

/** The first events of a file, without their times. */
function events(file: string): string[] {
  let text = '';
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return [];
  }
  return text
    .split('\n')
    .filter((line) => line !== '')
    .slice(0, 4)
    .map((line) => line.replace(/"timestamp":"[^"]*"/, '"timestamp":""'));
}

beforeAll(async () => {
  [results['mizzen'], results['envoy']] = [await observe('mizzen'), await observe('envoy')];
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Counters go on for as long as one looks: how often exactly is chance, whether at all is not. */
function roughly(stats: Observed['stats']): Record<string, string> {
  return Object.fromEntries(
    Object.entries(stats).map(([name, value]) => [
      name,
      /(attempt|success|failure|verify_cluster)$/.test(name) && value !== '0' ? 'some' : value,
    ]),
  );
}

describe('health checks are as Envoy’s', () => {
  test.each(CASES.map(({ name }) => name))('%s', (name) => {
    const [mine, theirs] = [results['mizzen']![name]!, results['envoy']![name]!];
    expect({ ...mine, stats: roughly(mine.stats) }).toEqual({ ...theirs, stats: roughly(theirs.stats) });
    expect(Object.keys(theirs.stats).length).toBeGreaterThan(4);
  });
});
