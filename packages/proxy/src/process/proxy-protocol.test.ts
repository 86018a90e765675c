import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { TLSSocket, createSecureContext } from 'node:tls';
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { freePort, startEnvoy } from '@mizzen/testkit';
import { testAuthority } from '../tls/testing/certificates.ts';
import { bootstrap, hcm, listener, routeTo, staticCluster, tcpProxy, upstreamTls } from './testing/bootstraps.ts';
import { startProxy } from './testing/standalone.ts';

const TYPE = 'type.googleapis.com/envoy.extensions.transport_sockets';
const ca = testAuthority();
const identity = ca.issue('a', 'DNS:a.example');
const servers: Server[] = [];
/** What each connection brought before its first request, and how many requests came on it. */
let seen: { header: string; requests: number }[] = [];

afterAll(() => {
  for (const server of servers) server.close();
});

/** Answers every request with its number on this connection; the PROXY header is everything before `GET` or TLS. */
async function serve(tls: boolean): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    const entry = { header: '', requests: 0 };
    socket.once('data', (data) => {
      const first = typeof data === 'string' ? Buffer.from(data) : data;
      const end = headerLength(first);
      entry.header = first.subarray(0, end).toString('latin1');
      seen.push(entry);
      const rest = first.subarray(end);
      if (!tls) {
        socket.on('data', (data: Buffer) => answer(socket, data, entry));
        if (rest.length > 0) answer(socket, rest, entry);
        return;
      }
      socket.pause();
      if (rest.length > 0) socket.unshift(rest);
      const secure = new TLSSocket(socket, {
        isServer: true,
        secureContext: createSecureContext({
          cert: readFileSync(identity.certificateFile),
          key: readFileSync(identity.keyFile),
        }),
      });
      secure.on('error', () => undefined);
      secure.on('data', (data: Buffer) => answer(secure, data, entry));
    });
  });
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return (server.address() as AddressInfo).port;
}

function headerLength(first: Buffer): number {
  if (first.toString('latin1', 0, 5) === 'PROXY') return first.indexOf('\r\n') + 2;
  if (first.toString('hex', 0, 12) === '0d0a0d0a000d0a515549540a') return 16 + first.readUInt16BE(14);
  return 0;
}

function answer(socket: Socket | TLSSocket, data: Buffer, entry: { requests: number }): void {
  for (const _ of data.toString('latin1').matchAll(/GET /g)) {
    entry.requests++;
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
  }
}

/** Sends `count` requests on one connection from a fixed port of 127.8.8.8, and gives what came back. */
async function ask(port: number, localPort: number, count: number): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', localAddress: '127.8.8.8', localPort });
  socket.setTimeout(5000, () => socket.destroy());
  socket.on('error', () => undefined);
  let text = '';
  for (let i = 0; i < count && !socket.destroyed; i++) {
    socket.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
    text += await new Promise<string>((done) => {
      let answered = '';
      const take = (data: Buffer): void => {
        answered += data.toString('latin1');
        if (!answered.endsWith('ok')) return;
        socket.off('data', take);
        done('ok');
      };
      socket.on('data', take);
      socket.once('close', () => done(`closed after ${answered}`));
    });
  }
  socket.destroy();
  return text;
}

function proxied(version: string, more: object = {}, inner?: object): object {
  return {
    name: 'envoy.transport_sockets.upstream_proxy_protocol',
    typedConfig: {
      '@type': `${TYPE}.proxy_protocol.v3.ProxyProtocolUpstreamTransport`,
      config: { version, ...more },
      transportSocket: inner ?? {
        name: 'envoy.transport_sockets.raw_buffer',
        typedConfig: { '@type': `${TYPE}.raw_buffer.v3.RawBuffer` },
      },
    },
  };
}

const SOCKETS = {
  v1: proxied('V1'),
  v2: proxied('V2'),
  'v2 with TLVs': proxied('V2', {
    addedTlvs: [
      { type: 0xee, value: Buffer.from('hello').toString('base64') },
      { type: 2, value: Buffer.from('a.example').toString('base64') },
    ],
  }),
  'v2 that passes TLVs on': proxied('V2', {
    addedTlvs: [{ type: 3, value: Buffer.from('own').toString('base64') }],
    passThroughTlvs: { matchType: 'INCLUDE_ALL' },
  }),
  'v2 that passes one on': proxied('V2', { passThroughTlvs: { matchType: 'INCLUDE', tlvType: [5] } }),
  'v1 before TLS': proxied('V1', {}, upstreamTls(undefined, ca.rootFile)),
} as const;
const format = (inlineString: string): object => ({ textFormatSource: { inlineString } });
const FILTERS = {
  tcp: (cluster: string) => tcpProxy(cluster),
  'tcp with TLVs': (cluster: string) =>
    tcpProxy(cluster, {
      proxyProtocolTlvs: [
        { type: 3, value: Buffer.from('theirs').toString('base64') },
        { type: 5, value: Buffer.from('more').toString('base64') },
      ],
    }),
  'tcp with TLVs of its own': (cluster: string) =>
    tcpProxy(cluster, {
      proxyProtocolTlvs: [
        {
          type: 3,
          formatString: format('%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% %REQUESTED_SERVER_NAME% %UPSTREAM_HOST% \xe9'),
        },
        { type: 4, formatString: { jsonFormat: { a: '%DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT%' } } },
        { type: 5, formatString: format('') },
        { type: 6, value: Buffer.from('fixed').toString('base64') },
        { type: 7, formatString: { ...format('%PROTOCOL%'), omitEmptyValues: true } },
      ],
    }),
  http: (cluster: string) => hcm([routeTo(cluster)]),
  'http that names no client': (cluster: string) => hcm([routeTo(cluster)], { addProxyProtocolConnectionState: false }),
} as const;

type Observed = Record<string, { answers: string[]; seen: string[] }>;
let plain = 0;
let secure = 0;
let ours: Observed;
let theirs: Observed;

beforeAll(async () => {
  plain = await serve(false);
  secure = await serve(true);
  theirs = await observe(startEnvoy);
  ours = await observe(startProxy);
}, 120_000);

const CASES = Object.keys(SOCKETS).flatMap((socket) => Object.keys(FILTERS).map((filter) => `${socket}, ${filter}`));

async function observe(start: (config: object) => Promise<{ stop(): Promise<void> }>): Promise<Observed> {
  const ports = new Map<string, number>();
  for (const one of CASES) ports.set(one, await freePort());
  const listeners = CASES.map((one) => {
    const [socket, filter] = one.split(', ') as [keyof typeof SOCKETS, keyof typeof FILTERS];
    return listener(ports.get(one)!, [{ filters: [FILTERS[filter](socket)] }]);
  });
  const clusters = Object.entries(SOCKETS).map(([name, transportSocket]) =>
    staticCluster(name, [upstreamOf(name)], { transportSocket }),
  );
  const proxy = await start(bootstrap(listeners, clusters));
  const observed: Observed = {};
  for (const one of CASES) {
    const port = ports.get(one)!;
    const clients = [await freePort(), await freePort()] as const;
    seen = [];
    const answers = [await ask(port, clients[0], 2), await ask(port, clients[1], 1)];
    const upstream = upstreamOf(one);
    observed[one] = { answers, seen: seen.map((entry) => describeHeader(entry, port, upstream, clients)) };
  }
  await proxy.stop();
  return observed;
}

function upstreamOf(name: string): number {
  return name.includes('TLS') ? secure : plain;
}

/** Ports differ from run to run. */
function describeHeader(
  { header, requests }: { header: string; requests: number },
  port: number,
  upstream: number,
  clients: readonly [number, number],
): string {
  const two = (value: number): string => Buffer.from([value >> 8, value & 255]).toString('latin1');
  let text = header;
  const known: readonly [number, string][] = [
    [port, '<listener>'],
    [upstream, '<upstream>'],
    [clients[0], '<first>'],
    [clients[1], '<second>'],
  ];
  const binary = !header.startsWith('PROXY');
  for (const [value, name] of known) text = text.replace(binary ? two(value) : String(value), name);
  return `${JSON.stringify(text.replace(/(?<=127\.0\.0\.1 127\.0\.0\.1 )\d+/, '<own>'))} ${requests}`;
}

describe('a PROXY protocol header goes upstream as from Envoy', () => {
  test.each(CASES)('%s', (name) => {
    expect(ours[name]).toEqual(theirs[name]);
    expect(ours[name]!.answers).toEqual(['okok', 'ok']);
    expect(ours[name]!.seen.length).toBeGreaterThan(0);
    expect(ours[name]!.seen.every((line) => !line.startsWith('""'))).toBe(true);
  });
});
