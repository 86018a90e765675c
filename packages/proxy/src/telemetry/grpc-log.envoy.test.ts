/** What access log services are sent is compared with what the real Envoy sends. */
import { readFileSync } from 'node:fs';
import { createServer, connect, type AddressInfo, type Server } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { freePort, responseLength, startEnvoy, until } from '@mizzen/testkit';
import { decode } from '@mizzen/xds/binary/index.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  bootstrap,
  downstreamTls,
  hcm,
  listener,
  routeTo,
  staticCluster,
  tcpProxy,
  tlsInspector,
} from '../process/testing/bootstraps.ts';
import { startProxy } from '../process/testing/standalone.ts';
import { testAuthority } from '../tls/testing/certificates.ts';
import { startLogReceiver } from './testing/log-receiver.ts';

const T = 'type.googleapis.com/';
const ca = testAuthority();
const server = ca.issue('server', 'DNS:a.com,URI:spiffe://td/server');
const client = ca.issue('client', 'DNS:c.com,URI:spiffe://td/client');
const mutual = downstreamTls(server, ca.rootFile, { requireClient: true });

interface Visit {
  readonly what: string;
  readonly to: 'http' | 'https' | 'tcp' | 'tls';
  readonly send: string;
}
const VISITS: readonly Visit[] = [
  {
    what: 'a request with everything',
    to: 'http',
    send: 'POST /a/b?x=1 HTTP/1.1\r\nhost: h:80\r\nuser-agent: me\r\nreferer: ref\r\nx-forwarded-for: 1.2.3.4\r\nx-a: 1\r\nx-a: 2\r\nx-b: \u00fcq\r\nx-request-id: id-1\r\ncontent-length: 3\r\n\r\nabc',
  },
  { what: 'a rewritten request', to: 'http', send: 'GET /rewritten/a?b=c HTTP/1.1\r\nhost: h\r\n\r\n' },
  { what: 'a local reply', to: 'http', send: 'GET /direct HTTP/1.1\r\nhost: h\r\n\r\n' },
  { what: 'nobody there', to: 'http', send: 'GET /dead HTTP/1.1\r\nhost: h\r\n\r\n' },
  { what: 'no route', to: 'http', send: 'PATCH /none HTTP/1.1\r\nhost: h\r\n\r\n' },
  { what: 'HTTP/1.0', to: 'http', send: 'GET /a HTTP/1.0\r\nhost: h\r\n\r\n' },
  { what: 'a bad request', to: 'http', send: 'GARBAGE\r\n\r\n' },
  { what: 'a request within mutual TLS', to: 'https', send: 'GET /a HTTP/1.1\r\nhost: h\r\n\r\n' },
  { what: 'a connection', to: 'tcp', send: 'hello' },
  { what: 'a connection within mutual TLS', to: 'tls', send: 'hello' },
];

const common = {
  logName: 'mylog',
  grpcService: { envoyGrpc: { clusterName: 'als' }, initialMetadata: [{ key: 'x-m', value: 'v' }] },
  transportApiVersion: 'V3',
  bufferFlushInterval: '0.2s',
  filterStateObjectsToLog: ['fs.key', 'missing'],
  customTags: [
    { tag: 'literal', literal: { value: 'L' } },
    { tag: 'header', requestHeader: { name: 'X-A', defaultValue: 'absent' } },
    { tag: 'no header', requestHeader: { name: 'x-none' } },
    { tag: 'environment', environment: { name: 'NO_SUCH_VARIABLE', defaultValue: 'd' } },
    { tag: 'route', metadata: { kind: { route: {} }, metadataKey: { key: 'ns', path: [{ key: 'key' }] } } },
    { tag: 'object', metadata: { kind: { route: {} }, metadataKey: { key: 'ns', path: [{ key: 'deep' }] } } },
    {
      tag: 'no metadata',
      metadata: { kind: { request: {} }, metadataKey: { key: 'ns', path: [{ key: 'a' }] }, defaultValue: 'none' },
    },
  ],
};
const httpLog = {
  name: 'http_grpc',
  typedConfig: {
    '@type': `${T}envoy.extensions.access_loggers.grpc.v3.HttpGrpcAccessLogConfig`,
    commonConfig: common,
    additionalRequestHeadersToLog: ['x-a', 'X-B', 'x-none'],
    additionalResponseHeadersToLog: ['x-r', 'content-length'],
    additionalResponseTrailersToLog: ['x-t'],
  },
};
const tcpLog = {
  name: 'tcp_grpc',
  typedConfig: {
    '@type': `${T}envoy.extensions.access_loggers.grpc.v3.TcpGrpcAccessLogConfig`,
    commonConfig: common,
  },
};
const h2 = {
  typedExtensionProtocolOptions: {
    'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
      '@type': `${T}envoy.extensions.upstreams.http.v3.HttpProtocolOptions`,
      explicitHttpConfig: { http2ProtocolOptions: {} },
    },
  },
};
const setState = {
  name: 'state',
  typedConfig: {
    '@type': `${T}envoy.extensions.filters.http.set_filter_state.v3.Config`,
    onRequestHeaders: [
      {
        objectKey: 'fs.key',
        factoryKey: 'envoy.string',
        formatString: { textFormatSource: { inlineString: 'state' } },
      },
    ],
  },
};
const setMetadata = {
  name: 'metadata',
  typedConfig: {
    '@type': `${T}envoy.extensions.filters.http.set_metadata.v3.Config`,
    metadata: [{ metadataNamespace: 'own', value: { a: 1, b: ['x'] } }],
  },
};

type Fields = Readonly<Record<string, unknown>>;
interface Observed {
  readonly streams: readonly Fields[];
  readonly entries: ReadonlyMap<string, Fields>;
  readonly stats: Readonly<Record<string, string>>;
}

let backend: Server;
let theirs: Observed;
let ours: Observed;
beforeAll(async () => {
  backend = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () =>
      socket.end('HTTP/1.1 200 OK\r\nconnection: close\r\nx-r: 1\r\nx-r: 2\r\ncontent-length: 2\r\n\r\nok'),
    );
  });
  await new Promise<void>((done) => backend.listen(0, '127.0.0.1', done));
  [theirs, ours] = [await observe(startEnvoy), await observe(startProxy)];
}, 60_000);
afterAll(() => backend.close());

function say({ to, send }: Visit, port: number, from: string): Promise<void> {
  return new Promise((done) => {
    const raw = connect({ port, host: '127.0.0.1', localAddress: from });
    const socket =
      to === 'https' || to === 'tls'
        ? connectTls({
            socket: raw,
            servername: 'a.com',
            rejectUnauthorized: false,
            cert: readFileSync(client.certificateFile),
            key: readFileSync(client.keyFile),
          })
        : raw;
    socket.on('error', () => undefined);
    raw.on('close', () => done());
    socket.write(send, 'latin1');
    let text = '';
    socket.on('data', (data: Buffer) => {
      text += data.toString('latin1');
      // The end of what is no request comes from behind the proxy.
      if (to !== 'tcp' && to !== 'tls' && responseLength(text, send.split(' ')[0]!) !== undefined) socket.destroy();
    });
  });
}

async function observe(
  start: (config: object) => Promise<{ readonly adminPort?: number; stop(): Promise<void> }>,
): Promise<Observed> {
  const receiver = await startLogReceiver();
  const ports = { http: await freePort(), https: await freePort(), tcp: await freePort(), tls: await freePort() };
  const [dead, admin] = [await freePort(), await freePort()];
  const http = (): object =>
    hcm(
      [
        {
          match: { prefix: '/direct' },
          name: 'direct',
          directResponse: { status: 418, body: { inlineString: 'tea' } },
        },
        routeTo('dead', '/dead'),
        routeTo('app', '/rewritten', { prefixRewrite: '/new' }),
        {
          ...routeTo('app', '/a'),
          name: 'to-a',
          metadata: { filterMetadata: { ns: { key: 'value', deep: { er: 1 } } } },
        },
      ],
      { accessLog: [httpLog], httpProtocolOptions: { acceptHttp10: true } },
    );
  const tcp = (): object => tcpProxy('app', { accessLog: [tcpLog] });
  const proxy = await start({
    admin: { address: { socketAddress: { address: '127.0.0.1', portValue: admin } } },
    node: { id: 'n1', cluster: 'c1', metadata: { m: 1 } },
    ...bootstrap(
      [
        listener(ports.http, [{ filters: [withFilters(http(), [setState, setMetadata])] }]),
        listener(ports.https, [{ filters: [withFilters(http(), [])], transportSocket: mutual }], {
          listenerFilters: [tlsInspector],
        }),
        listener(ports.tcp, [{ filters: [tcp()] }]),
        listener(ports.tls, [{ filters: [tcp()], transportSocket: mutual }], { listenerFilters: [tlsInspector] }),
      ],
      [
        staticCluster('app', [(backend.address() as AddressInfo).port]),
        staticCluster('dead', [dead]),
        staticCluster('als', [receiver.port], h2),
      ],
    ),
  });
  for (const [i, visit] of VISITS.entries()) await say(visit, ports[visit.to], `127.66.0.${i + 1}`);
  const names = new Map<number, string>([
    ...Object.entries(ports).map(([name, port]) => [port, name] as const),
    [dead, 'dead'],
    [(backend.address() as AddressInfo).port, 'app'],
  ]);
  await until('an entry for each visit', () => read(receiver.streams, names).entries.size === VISITS.length);
  const stats = await (await fetch(`http://127.0.0.1:${proxy.adminPort ?? admin}/stats?filter=grpc_access_log`)).text();
  await proxy.stop();
  await receiver.stop();
  return {
    ...read(receiver.streams, names),
    stats: Object.fromEntries(
      stats
        .trim()
        .split('\n')
        .map((l) => l.split(': ')),
    ),
  };
}

/** With these before the router, which does not tell how long the upstream took. */
function withFilters(manager: object, filters: readonly object[]): object {
  const { typedConfig } = manager as { typedConfig: object };
  const router = {
    name: 'router',
    typedConfig: { '@type': `${T}envoy.extensions.filters.http.router.v3.Router`, suppressEnvoyHeaders: true },
  };
  return { ...manager, typedConfig: { ...typedConfig, httpFilters: [...filters, router] } };
}

function read(
  received: Awaited<ReturnType<typeof startLogReceiver>>['streams'],
  ports: ReadonlyMap<number, string>,
): Omit<Observed, 'stats'> {
  const entries = new Map<string, Fields>();
  const streams = received.map(({ headers, messages }) => {
    const identifiers = messages.flatMap((message) => {
      const decoded = decode('envoy.service.accesslog.v3.StreamAccessLogsMessage', message) as {
        readonly identifier?: { readonly logName: string; readonly node: Fields };
        readonly httpLogs?: { readonly logEntry: readonly Fields[] };
        readonly tcpLogs?: { readonly logEntry: readonly Fields[] };
      };
      for (const entry of decoded.httpLogs?.logEntry ?? decoded.tcpLogs?.logEntry ?? []) {
        const { downstreamDirectRemoteAddress: from } = entry['commonProperties'] as {
          readonly downstreamDirectRemoteAddress: { readonly socketAddress: { readonly address: string } };
        };
        entries.set(
          VISITS[Number(from.socketAddress.address.split('.')[3]) - 1]!.what,
          normalize(entry, ports) as Fields,
        );
      }
      if (decoded.identifier === undefined) return [];
      const { logName, node } = decoded.identifier;
      return [{ logName, node: { id: node['id'], cluster: node['cluster'], metadata: node['metadata'] } }];
    });
    const { date: _date, ...sent } = headers;
    return { headers: sent, identifiers };
  });
  return { streams, entries };
}

/** Ports have names; times are there or not; bytes of heads differ by the fields of time. */
function normalize(value: unknown, ports: ReadonlyMap<number, string>, key = ''): unknown {
  if (Array.isArray(value)) return value.map((each) => normalize(each, ports));
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, normalize(each, ports, name)]));
  if (key === 'portValue' && value !== 0) return ports.get(value as number) ?? 'PORT';
  if (/^timeTo|^duration$|^startTime$|^tlsCipherSuite$/.test(key)) return typeof value;
  if (typeof value === 'string' && /^[0-9a-f]{8}-[0-9a-f-]{27}$/.test(value)) return 'UUID';
  return value;
}

/** `connection: close` is not among the fields here, and of a head that cannot be read no bytes are counted. */
const DIFFERENT: Readonly<Record<string, readonly string[]>> = {
  'HTTP/1.0': ['responseHeadersBytes'],
  'a bad request': ['responseHeadersBytes', 'downstreamWireBytesReceived'],
};

function without(value: unknown, names: readonly string[]): unknown {
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, each]) => (names.includes(name) ? [] : [[name, without(each, names)]])),
  );
}

test('one stream for each kind says once who it is', () => {
  expect(ours.streams).toEqual(theirs.streams);
  expect(ours.streams).toHaveLength(2);
});

test('entries are counted', () => expect(ours.stats).toEqual(theirs.stats));

describe.each(VISITS.map(({ what }) => what))('%s', (what) => {
  test('is logged as by Envoy', () => {
    expect(theirs.entries.get(what)).toBeDefined();
    const different = DIFFERENT[what] ?? [];
    expect(without(ours.entries.get(what), different)).toEqual(without(theirs.entries.get(what), different));
  });
});
