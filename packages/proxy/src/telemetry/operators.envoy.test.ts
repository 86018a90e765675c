/** Every command operator is compared with the real Envoy's, on requests and connections of several kinds. */
import { constants } from 'node:crypto';
import { createServer, connect, type AddressInfo, type Server } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { readFileSync } from 'node:fs';
import { freePort, responseLength, startEnvoy } from '@mizzen/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  bootstrap,
  downstreamTls,
  hcm,
  jsonLog,
  listener,
  routeTo,
  staticCluster,
  tcpProxy,
  tlsInspector,
} from '../process/testing/bootstraps.ts';
import { statsWhenQuiet } from '../filter/testing/beside.ts';
import { startWithAdmin } from '../process/testing/standalone.ts';
import { testAuthority } from '../tls/testing/certificates.ts';
import { FORMATS } from './testing/formats.ts';

const ca = testAuthority();
const server = ca.issue(
  'server',
  'DNS:a.com,URI:spiffe://td/server,IP:127.0.0.1,email:a@b.c,otherName:1.2.3.4;UTF8:other',
);
const OTHER_NAMES =
  'otherName:1.3.6.1.4.1.311.20.2.3;UTF8:me@x,otherName:1.2.3;IA5:a,otherName:1.2.4;INTEGER:-7,otherName:1.2.5;BOOLEAN:true,otherName:1.2.6;BMPSTRING:bm,otherName:1.2.7;OID:1.2.3,otherName:1.2.8;UTF8:h\u00e9';
const client = ca.issue('client', `DNS:c.com,DNS:d.com,URI:spiffe://td/client,IP:10.0.0.1,email:c@d.e,${OTHER_NAMES}`);
const mutual = downstreamTls(server, ca.rootFile, { requireClient: true });

interface Visit {
  readonly what: string;
  readonly to: 'http' | 'https' | 'old' | 'tcp' | 'tls';
  readonly send: string;
}
const VISITS: readonly Visit[] = [
  {
    what: 'a plain request',
    to: 'http',
    send: 'POST /a/b?x=1&y=&x=2 HTTP/1.1\r\nhost: h:80\r\nuser-agent: me\r\nx-a: 1\r\nx-a: 2\r\nx-request-id: id-1\r\ncontent-length: 3\r\n\r\nabc',
  },
  { what: 'a rewritten one', to: 'http', send: 'GET /rewritten/a?b=c HTTP/1.1\r\nhost: h\r\n\r\n' },
  { what: 'a local reply', to: 'http', send: 'GET /direct HTTP/1.1\r\nhost: h\r\n\r\n' },
  { what: 'nobody there', to: 'http', send: 'GET /dead HTTP/1.1\r\nhost: h\r\n\r\n' },
  { what: 'no route', to: 'http', send: 'GET /none HTTP/1.1\r\nhost: other\r\n\r\n' },
  { what: 'a bad request', to: 'http', send: 'GARBAGE\r\n\r\n' },
  {
    what: 'gRPC',
    to: 'http',
    send: 'POST /grpc HTTP/1.1\r\nhost: h\r\ncontent-type: application/grpc\r\ncontent-length: 0\r\n\r\n',
  },
  { what: 'a request within mutual TLS', to: 'https', send: 'GET /a HTTP/1.1\r\nhost: h\r\n\r\n' },
  { what: 'a request within TLS 1.2', to: 'old', send: 'GET /a HTTP/1.1\r\nhost: h\r\n\r\n' },
  { what: 'a connection', to: 'tcp', send: 'hello' },
  { what: 'a connection within mutual TLS', to: 'tls', send: 'hello' },
];

let backend: Server;
beforeAll(async () => {
  backend = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => {
      socket.end(
        'HTTP/1.1 200 OK\r\nconnection: close\r\nx-r: 1\r\nx-r: 2\r\ngrpc-status: 7\r\ncontent-length: 2\r\n\r\nok',
      );
    });
  });
  await new Promise<void>((done) => backend.listen(0, '127.0.0.1', done));
  [theirs, ours] = [
    await observe(async (config) => {
      const envoy = await startEnvoy(config);
      return { ...envoy, admin: envoy.adminPort };
    }),
    await observe(startWithAdmin),
  ];
}, 60_000);
afterAll(() => backend.close());

type Fields = Readonly<Record<string, unknown>>;
type Seen = ReadonlyMap<string, Fields>;
let theirs: Seen;
let ours: Seen;

function say({ to, send }: Visit, port: number, from: string): Promise<void> {
  return new Promise((done) => {
    const raw = connect({ port, host: '127.0.0.1', localAddress: from });
    const secure = to === 'https' || to === 'old' || to === 'tls';
    const socket = secure
      ? connectTls({
          socket: raw,
          servername: 'a.com',
          ecdhCurve: to === 'https' ? 'P-256' : 'X25519:P-256',
          ...(to === 'old' ? { maxVersion: 'TLSv1.2', secureOptions: constants.SSL_OP_NO_TICKET } : {}),
          rejectUnauthorized: false,
          cert: readFileSync(client.certificateFile),
          key: readFileSync(client.keyFile),
        })
      : raw;
    socket.on('error', () => undefined);
    raw.on('close', () => done());
    socket.write(send);
    let text = '';
    socket.on('data', (data: Buffer) => {
      text += data.toString('latin1');
      // The end of what is no request comes from behind the proxy.
      if (to !== 'tcp' && to !== 'tls' && responseLength(text, send.split(' ')[0]!) !== undefined) socket.destroy();
    });
  });
}

async function observe(
  start: (config: object) => Promise<{ readonly admin: number; output(): string; stop(): Promise<void> }>,
): Promise<Map<string, Fields>> {
  const ports = {
    http: await freePort(),
    https: await freePort(),
    old: await freePort(),
    tcp: await freePort(),
    tls: await freePort(),
  };
  const dead = await freePort();
  const logs = {
    accessLog: [
      jsonLog({
        client: '%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%',
        ...Object.fromEntries(FORMATS.map((f) => [f, f])),
      }),
    ],
  };
  const http = (): object =>
    hcm(
      [
        {
          match: { prefix: '/direct' },
          name: 'direct',
          directResponse: { status: 418, body: { inlineString: 'tea' } },
        },
        { ...routeTo('dead', '/dead'), name: 'dead' },
        routeTo('app', '/rewritten', { prefixRewrite: '/new' }),
        { match: { prefix: '/none', headers: [{ name: 'no' }] }, route: { cluster: 'app' } },
        {
          ...routeTo('app', '/a'),
          name: 'to-a',
          metadata: { filterMetadata: { ns: { key: 'value', deep: { er: 1 }, list: [1, 'a', true] } } },
        },
        routeTo('app', '/grpc'),
      ],
      logs,
    );
  const proxy = await start(
    bootstrap(
      [
        listener(ports.http, [{ name: 'chain-h', filters: [http()] }]),
        listener(ports.https, [{ filters: [http()], transportSocket: mutual }], { listenerFilters: [tlsInspector] }),
        listener(ports.old, [{ filters: [http()], transportSocket: mutual }], { listenerFilters: [tlsInspector] }),
        listener(ports.tcp, [{ filters: [tcpProxy('app', logs)] }]),
        listener(ports.tls, [{ name: 'chain-t', filters: [tcpProxy('app', logs)], transportSocket: mutual }], {
          listenerFilters: [tlsInspector],
        }),
      ],
      [staticCluster('app', [(backend.address() as AddressInfo).port]), staticCluster('dead', [dead])],
    ),
  );
  for (const [i, visit] of VISITS.entries()) await say(visit, ports[visit.to], `127.65.0.${i + 1}`);
  await statsWhenQuiet(proxy.admin);
  await proxy.stop();
  const seen = new Map<string, Fields>();
  for (const line of proxy.output().split('\n')) {
    if (!line.startsWith('{"')) continue;
    const fields = JSON.parse(line) as Fields & { client: string };
    const visit = VISITS[Number(fields.client.split('.')[3]) - 1];
    if (visit === undefined) continue;
    const own = new Map<string, string>(
      [...Object.entries(ports), ['dead', dead]].map(([name, port]) => [String(port), String(name)]),
    );
    seen.set(visit.what, normalize(fields, own) as Fields);
  }
  return seen;
}

/** Ports have names, times are times. */
function normalize(value: unknown, ports: ReadonlyMap<string, string | number>): unknown {
  if (Array.isArray(value)) return value.map((v) => normalize(v, ports));
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, normalize(v, ports)]));
  if (typeof value === 'number' && value > 1023) return String(ports.get(String(value)) ?? 'PORT');
  if (typeof value !== 'string') return value;
  return value
    .replaceAll(/(?<=\.\d+:)\d+/g, (port) => String(ports.get(port) ?? 'PORT'))
    .replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'UUID');
}

describe.each(VISITS.map(({ what }) => what))('%s', (what) => {
  test.each(FORMATS)('%s', (format) => {
    const their = theirs.get(what);
    expect(their).toBeDefined();
    const [our, wanted] = [ours.get(what)?.[format], their![format]];
    // What takes as long as it takes, and a cipher that is either's choice: there or not.
    if (/DURATION|TIME|CONNECTION_ID|UNIQUE_ID|TLS_CIPHER/.test(format)) expect(our === null).toBe(wanted === null);
    // Times have more digits or fewer, and `connection: close` is not among the fields here.
    else if (format === '%RESPONSE_HEADERS_BYTES%') expect(Math.abs(Number(our) - Number(wanted))).toBeLessThan(20);
    else if (format === '%DOWNSTREAM_TLS_SESSION_ID%') expect(String(our).length).toBe(String(wanted).length);
    else expect(our).toEqual(wanted);
  });
});
