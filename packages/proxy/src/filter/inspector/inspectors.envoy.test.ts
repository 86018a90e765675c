/** What the TLS and HTTP inspectors see in the beginning of a connection, beside the real Envoy. */
import { connect, createServer, type AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { freePort, startEnvoy } from '@mizzen/testkit';
import { beforeAll, describe, expect, test } from 'vitest';
import { bootstrap, listener, staticCluster, stdoutLog, tcpProxy } from '../../process/testing/bootstraps.ts';
import { startProxy } from '../../process/testing/standalone.ts';
import { statsWhenQuiet } from '../testing/beside.ts';

const TYPE = 'type.googleapis.com/envoy.extensions.filters.listener';

/** The ClientHello of a client with such options. */
async function clientHello(options: ConnectionOptions): Promise<Buffer> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const bytes = new Promise<Buffer>((done) =>
    server.once('connection', (socket) => {
      socket.on('error', () => undefined);
      socket.once('data', (data) => {
        done(Buffer.from(data));
        socket.destroy();
      });
    }),
  );
  const client = connectTls({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', ...options });
  client.on('error', () => undefined);
  const hello = await bytes;
  client.destroy();
  server.close();
  return hello;
}

/** The same in records of so many bytes. */
function inRecords(hello: Buffer, size: number): Buffer {
  const records: Buffer[] = [];
  for (let at = 5; at < hello.length; at += size) {
    const part = hello.subarray(at, at + size);
    records.push(Buffer.from([22, 3, 1, part.length >> 8, part.length & 255]), part);
  }
  return Buffer.concat(records);
}

let beginnings: Readonly<Record<string, readonly Buffer[]>>;

async function makeBeginnings(): Promise<Readonly<Record<string, readonly Buffer[]>>> {
  const usual = await clientHello({ servername: 'a.test' });
  const long = await clientHello({
    servername: 'a.test',
    ALPNProtocols: Array.from({ length: 40 }, (_, i) => `protocol-number-${i}`),
  });
  const text = (value: string): Buffer[] => [Buffer.from(value, 'latin1')];
  const broken = Buffer.from(usual);
  broken.writeUInt16BE(0xffff, 43 + usual[43]! + 1);
  const grease = Buffer.from(usual);
  grease.writeUInt16BE(0x3a3a, 43 + usual[43]! + 3);
  /** The usual one with six other bytes for a name. */
  const named = (name: string): Buffer[] => {
    const hello = Buffer.from(usual);
    hello.write(name, hello.indexOf('a.test'), 'latin1');
    return [hello];
  };
  return {
    'a server name': [usual],
    'a name with a line break': named('a\r\nb:c'),
    'a name with a blank': named('a test'),
    'a name with an underscore': named('a_test'),
    'a name with a zero': named('a\0test'),
    'a name with an accent': named('\xe9.test'),
    'upper case': [await clientHello({ servername: 'A.Test' })],
    'a wildcard': [await clientHello({ servername: 'x.y.wild.test' })],
    'no server name': [await clientHello({})],
    'another server name': [await clientHello({ servername: 'other.test' })],
    ALPN: [await clientHello({ servername: 'other.test', ALPNProtocols: ['h2', 'http/1.1'] })],
    'one ALPN name': [await clientHello({ servername: 'a.test', ALPNProtocols: ['istio'] })],
    'TLS 1.2': [
      await clientHello({ servername: 'a.test', maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' }),
    ],
    'TLS 1.3': [await clientHello({ servername: 'a.test', minVersion: 'TLSv1.3', sigalgs: 'ecdsa_secp256r1_sha256' })],
    grease: [grease],
    long: [long],
    'in two pieces': [usual.subarray(0, 60), usual.subarray(60)],
    'in small records': [inRecords(usual, 50)],
    'cut off': [usual.subarray(0, 100)],
    broken: [broken],
    'a request': text('GET / HTTP/1.1\r\nHost: a\r\n\r\n'),
    'a request of 1.0': text('GET / HTTP/1.0\r\n\r\n'),
    'HTTP/2': text('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    'a request in pieces': [...text('GE'), ...text('T / HTTP/1.1\r\nHost: a\r\n\r\n')],
    'another version of HTTP': text('GET / HTTP/3.0\r\n\r\n'),
    'no HTTP': text('hello there\r\n'),
    'one letter': text('x'),
    bytes: text('\x00\x01\x02\x03'),
    'an alert': text('\x15\x03\x01\x00\x02\x02\x28'),
    'SSL 2': text('\x80\x2e\x01\x00\x02\x00\x15'),
    'a record of nothing': text('\x16\x03\x01\x00\x00'),
    'another handshake message': text('\x16\x03\x01\x00\x05\x02\x00\x00\x01\x00'),
    'an old version': text('\x16\x02\x00\x00\x10abcdefghijklmnop'),
  };
}

const tls = (config: object = {}): object => ({
  name: 'envoy.filters.listener.tls_inspector',
  typedConfig: { '@type': `${TYPE}.tls_inspector.v3.TlsInspector`, ...config },
});
const http: object = {
  name: 'envoy.filters.listener.http_inspector',
  typedConfig: { '@type': `${TYPE}.http_inspector.v3.HttpInspector` },
};
const chain = (name: string, match: object): object => ({ name, filterChainMatch: match, filters: [tcpProxy('none')] });
const byName = [
  chain('name', { serverNames: ['a.test'] }),
  chain('wild', { serverNames: ['*.wild.test'] }),
  chain('alpn', { applicationProtocols: ['h2'] }),
  chain('tls', { transportProtocol: 'tls' }),
];
const byHttp = [
  chain('1.1', { applicationProtocols: ['http/1.1'], transportProtocol: 'raw_buffer' }),
  chain('1.0', { applicationProtocols: ['http/1.0'], transportProtocol: 'raw_buffer' }),
  chain('2', { applicationProtocols: ['h2c'], transportProtocol: 'raw_buffer' }),
];
const plain = chain('plain', { transportProtocol: 'raw_buffer' });
const rest = chain('rest', {});

const LISTENERS: Readonly<
  Record<string, { readonly listenerFilters?: readonly object[]; readonly chains: readonly object[] }>
> = {
  tls: {
    listenerFilters: [tls({ enableJa3Fingerprinting: true, enableJa4Fingerprinting: true })],
    chains: [...byName, rest],
  },
  'not named': { chains: [...byName, rest] },
  'not needed': { chains: [rest] },
  strict: { listenerFilters: [tls({ closeConnectionOnClientHelloParsingErrors: true })], chains: [...byName, rest] },
  small: { listenerFilters: [tls({ maxClientHelloSize: 400 })], chains: [rest] },
  http: { listenerFilters: [http], chains: [...byHttp.slice(0, 1), rest] },
  both: { listenerFilters: [tls(), http], chains: [...byName, ...byHttp, plain, rest] },
};

const LOG =
  'LOG %DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT% %FILTER_CHAIN_NAME% %REQUESTED_SERVER_NAME% %TLS_JA3_FINGERPRINT% %TLS_JA4_FINGERPRINT% ' +
  '%DYNAMIC_METADATA(envoy.filters.listener.tls_inspector)% %RESPONSE_CODE_DETAILS%';

async function say(port: number, from: string, parts: readonly Buffer[]): Promise<void> {
  const socket = connect({ port, host: '127.0.0.1', localAddress: from, noDelay: true });
  const closed = new Promise((done) => socket.on('close', done));
  socket.on('error', () => undefined);
  socket.resume();
  for (const part of parts) {
    socket.write(part);
    if (parts.length > 1) await pause(40);
  }
  // The proxy ends all of which it has seen enough; it has time to see the rest, too.
  const patience = new AbortController();
  await Promise.race([closed, pause(2000, undefined, { signal: patience.signal })]);
  patience.abort();
  socket.destroy();
}

type Observed = Readonly<Record<string, readonly string[]>>;

async function observe(
  start: (config: object) => Promise<{ readonly adminPort?: number; output(): string; stop(): Promise<void> }>,
): Promise<Observed> {
  const admin = await freePort();
  const ports = new Map<string, number>();
  for (const name of Object.keys(LISTENERS)) ports.set(name, await freePort());
  const proxy = await start({
    ...bootstrap(
      Object.entries(LISTENERS).map(([name, { chains, listenerFilters }]) =>
        listener(ports.get(name)!, chains, {
          accessLog: [stdoutLog(LOG)],
          listenerFiltersTimeout: '60s',
          ...(listenerFilters === undefined ? {} : { listenerFilters }),
        }),
      ),
      [staticCluster('none', [await freePort()])],
    ),
    admin: { address: { socketAddress: { address: '127.0.0.1', portValue: admin } } },
  });
  const froms: Record<string, string> = {};
  let number = 0;
  const all: Promise<void>[] = [];
  for (const [name, port] of ports) {
    for (const [what, parts] of Object.entries(beginnings)) {
      number++;
      const from = (froms[`${name}: ${what}`] = `127.66.${number >> 8}.${number & 255}`);
      all.push(say(port, from, parts));
      if (all.length % 60 === 0) await Promise.all(all);
    }
  }
  await Promise.all(all);
  const stats = await statsWhenQuiet(proxy.adminPort ?? admin);
  await proxy.stop();
  const lines = proxy.output().split('\n');
  const observed: Record<string, string[]> = {};
  for (const [what, from] of Object.entries(froms))
    observed[what] = lines
      .filter((line) => line.startsWith(`LOG ${from} `))
      .map((line) => line.replace(`${from} `, ''));
  observed['stats'] = stats
    .split('\n')
    .filter((line) => /^(tls|http)_inspector\.\w+: \d+$/.test(line))
    .toSorted();
  return observed;
}

let theirs: Observed;
let ours: Observed;
beforeAll(async () => {
  beginnings = await makeBeginnings();
  theirs = await observe(startEnvoy);
  ours = await observe(startProxy);
}, 120_000);

describe('inspectors see what Envoy’s see', () => {
  test.each([...Object.keys(LISTENERS).map((name) => `${name}:`), 'stats'])('%s', (name) => {
    const of = (all: Observed): Observed =>
      Object.fromEntries(Object.entries(all).filter(([what]) => what.startsWith(name)));
    expect(of(ours)).toEqual(of(theirs));
    expect(Object.values(of(theirs)).flat().length).toBeGreaterThan(1);
  });
});
