/** What the PROXY protocol listener filter makes of each beginning of a connection, beside the real Envoy. */
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort, startEnvoy } from '@mizzen/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bootstrap, hcm, listener, staticCluster, stdoutLog, tcpProxy } from '../../process/testing/bootstraps.ts';
import { startProxy } from '../../process/testing/standalone.ts';
import { statsWhenQuiet } from '../testing/beside.ts';

const TYPE = 'type.googleapis.com/envoy.extensions';
const REQUEST = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex').toString('latin1');
const V4 = '\x01\x02\x03\x04\x05\x06\x07\x08\x04\x57\x08\xae';
const V6 = `${Buffer.from('20010db8000000000000000000000001', 'hex').toString('latin1')}${Buffer.from(
  '20010db8000000000000000000000002',
  'hex',
).toString('latin1')}\x04\x57\x08\xae`;

function v2(command: number, family: number, body: string, length = body.length): string {
  return SIGNATURE + String.fromCharCode(command, family, length >> 8, length & 255) + body;
}
function tlv(type: number, value: string): string {
  return String.fromCharCode(type, value.length >> 8, value.length & 255) + value;
}
function unknown(length: number): string {
  return `PROXY UNKNOWN ${'x'.repeat(length - 16)}\r\n`;
}
const utf8 = (text: string): string => Buffer.from(text).toString('latin1');

/** The bytes before a request; several are sent one after the other. */
const BEGINNINGS: Readonly<Record<string, string | readonly string[]>> = {
  'version 1': 'PROXY TCP4 1.2.3.4 5.6.7.8 1111 2222\r\n',
  'version 1 in pieces': ['PRO', 'XY TCP4 1.2.3.4 5.6', '.7.8 1111 2222\r', '\n'],
  'version 1, IPv6': 'PROXY TCP6 2001:DB8:0::1 2001:db8::2 1111 2222\r\n',
  'version 1, mapped': 'PROXY TCP6 ::ffff:1.2.3.4 ::ffff:5.6.7.8 1 2\r\n',
  unknown: 'PROXY UNKNOWN\r\n',
  'unknown with addresses': 'PROXY UNKNOWN ffff:: ffff:: 1 2\r\n',
  'nothing but PROXY': 'PROXY\r\n',
  'five parts': 'PROXY TCP4 1.2.3.4 5.6.7.8 1111\r\n',
  'seven parts': 'PROXY TCP4 1.2.3.4 5.6.7.8 1111 2222 3\r\n',
  'two spaces': 'PROXY  TCP4 1.2.3.4 5.6.7.8 1111 2222\r\n',
  'space at the end': 'PROXY TCP4 1.2.3.4 5.6.7.8 1111 2222 \r\n',
  'port too large': 'PROXY TCP4 1.2.3.4 5.6.7.8 65536 2222\r\n',
  'port with a sign': 'PROXY TCP4 1.2.3.4 5.6.7.8 +111 2222\r\n',
  'ports of 0': 'PROXY TCP4 1.2.3.4 5.6.7.8 0 0\r\n',
  'negative port': 'PROXY TCP4 1.2.3.4 5.6.7.8 -1 2\r\n',
  'port with zeros': 'PROXY TCP4 1.2.3.4 5.6.7.8 007 2\r\n',
  'families mixed': 'PROXY TCP4 2001:db8::1 5.6.7.8 1111 2222\r\n',
  'not an address': 'PROXY TCP4 1.2.3.256 5.6.7.8 1111 2222\r\n',
  'address with zeros': 'PROXY TCP4 01.2.3.4 5.6.7.8 1111 2222\r\n',
  multicast: 'PROXY TCP4 224.0.0.1 5.6.7.8 1111 2222\r\n',
  'destination multicast': 'PROXY TCP4 1.2.3.4 239.0.0.1 1111 2222\r\n',
  unspecified: 'PROXY TCP4 0.0.0.0 5.6.7.8 1111 2222\r\n',
  broadcast: 'PROXY TCP4 255.255.255.255 5.6.7.8 1111 2222\r\n',
  loopback: 'PROXY TCP4 127.0.0.1 127.0.0.1 1111 2222\r\n',
  'IPv6 unspecified': 'PROXY TCP6 :: 2001:db8::2 1 2\r\n',
  'IPv6 multicast': 'PROXY TCP6 ff02::1 2001:db8::2 1 2\r\n',
  'IPv6 in brackets': 'PROXY TCP6 [2001:db8::1] 2001:db8::2 1 2\r\n',
  'lower case': 'proxy TCP4 1.2.3.4 5.6.7.8 1111 2222\r\n',
  'another protocol': 'PROXY TCP5 1.2.3.4 5.6.7.8 1111 2222\r\n',
  'line feed alone': 'PROXY TCP4 1.2.3.4 5.6.7.8 1111 2222\n',
  tabs: 'PROXY\tTCP4 1.2.3.4 5.6.7.8 1111 2222\r\n',
  'short and wrong': 'PRIXY\r\n',
  'longest line': unknown(108),
  'line too long': unknown(109),
  'line far too long': unknown(140),
  'line out of sight': unknown(300),
  'line that goes on': [unknown(200).slice(0, 109), 'xx\r\n'],
  'line that goes on in time': [unknown(108).slice(0, 106), unknown(108).slice(106)],
  'version 2': v2(0x21, 0x11, V4),
  'version 2 in pieces': v2(0x21, 0x11, V4).split(''),
  'version 2, datagrams': v2(0x21, 0x12, V4),
  'version 2, no transport': v2(0x21, 0x10, V4),
  'version 2, IPv6': v2(0x21, 0x21, V6),
  'version 2, unix': v2(0x21, 0x31, 'a'.repeat(216)),
  'version 2, no family': v2(0x21, 0x00, ''),
  'version 2, family 4': v2(0x21, 0x41, V4),
  local: v2(0x20, 0, ''),
  'local with addresses': v2(0x20, 0x11, V4),
  'local with TLV': v2(0x20, 0, tlv(2, 'local')),
  'local with garbage': v2(0x20, 0x11, 'abc'),
  'local with cut TLV': v2(0x20, 0x11, 'abcde'),
  'command 2': v2(0x22, 0x11, V4),
  'version 1 in binary': v2(0x11, 0x11, V4),
  'length too short': v2(0x21, 0x11, V4, 11),
  TLVs: v2(0x21, 0x11, V4 + tlv(2, 'hello') + tlv(0xee, '\xff\xfeabc') + tlv(5, 'z')),
  'TLVs as they are': v2(0x21, 0x11, V4 + tlv(0xef, '\xff\xfeab') + tlv(0xef, 'later') + tlv(2, 'x')),
  'TLV without value': v2(0x21, 0x11, V4 + tlv(2, '')),
  'TLV cut': v2(0x21, 0x11, `${V4}\x02\x00\x05abc`),
  'TLV without length': v2(0x21, 0x11, `${V4}\x02`),
  'TLV with half a length': v2(0x21, 0x11, `${V4}\x02\x00`),
  'TLV twice': v2(0x21, 0x11, V4 + tlv(2, 'one') + tlv(2, 'two')),
  'checksum that is wrong': v2(0x21, 0x11, V4 + tlv(3, '\0\0\0\x01')),
  'text of all kinds': v2(0x21, 0x11, V4 + tlv(2, `${utf8('é€😀')}\xe2\x82z\xc3\xed\xa0\x80\xc0\xaf`)),
  'large TLV': v2(0x21, 0x11, V4 + tlv(2, 'q'.repeat(3000))),
  'version 2, multicast': v2(0x21, 0x11, `\xe0\0\0\x01${V4.slice(4)}`),
  'version 2, ports of 0': v2(0x21, 0x11, `${V4.slice(0, 8)}\0\0\0\0`),
  none: '',
  'empty line': '\r\n',
  'almost a signature': `${SIGNATURE.slice(0, 11)}x`,
};

const LISTENERS = {
  plain: {
    rules: [
      { tlvType: 2, onTlvPresent: { key: 'two' } },
      { tlvType: 238, onTlvPresent: { metadataNamespace: 'ns', key: 'x' } },
      { tlvType: 239, onTlvPresent: { key: 'raw', valueStringEncoding: 'BASE64' } },
    ],
  },
  optional: { statPrefix: 'optional', allowRequestsWithoutProxyProtocol: true },
  'optional without 1': { statPrefix: 'no1', allowRequestsWithoutProxyProtocol: true, disallowedVersions: ['V1'] },
  'without 1': { statPrefix: 'only2', disallowedVersions: ['V1'] },
  'without 2': { statPrefix: 'no2', disallowedVersions: ['V2'] },
} as const;

const LOG =
  'LOG %DOWNSTREAM_REMOTE_ADDRESS% %DOWNSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT% %DOWNSTREAM_DIRECT_LOCAL_ADDRESS_WITHOUT_PORT% ' +
  '%DYNAMIC_METADATA(envoy.filters.listener.proxy_protocol)% %DYNAMIC_METADATA(ns)% %BYTES_RECEIVED%';

function proxyFilter(config: object): object {
  return {
    name: 'proxy',
    typedConfig: { '@type': `${TYPE}.filters.listener.proxy_protocol.v3.ProxyProtocol`, ...config },
  };
}

/** Sends a beginning and a request; gives the status, `closed`, or `nothing`. */
async function say(port: number, from: string, beginning: string | readonly string[]): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', localAddress: from, noDelay: true });
  let got = '';
  let over: () => void = () => undefined;
  const ended = new Promise<void>((done) => (over = done));
  socket.on('error', () => over());
  socket.on('close', () => over());
  socket.on('data', (data: Buffer) => {
    got += data.toString('latin1');
    over();
  });
  const parts = typeof beginning === 'string' ? [beginning + REQUEST] : [...beginning, REQUEST];
  for (const part of parts) {
    if (socket.destroyed) break;
    socket.write(part, 'latin1');
    if (parts.length > 1) await pause(parts.length > 10 ? 2 : 25);
  }
  const outcome = await Promise.race([ended.then(() => 'ended'), pause(2000, 'nothing')]);
  socket.destroy();
  return got === '' ? (outcome === 'ended' ? 'closed' : 'nothing') : got.slice(9, 12);
}

type Observed = Readonly<Record<string, readonly string[]>>;

async function observe(
  start: (config: object) => Promise<{ readonly adminPort?: number; output(): string; stop(): Promise<void> }>,
): Promise<Observed> {
  const admin = await freePort();
  const ports = new Map<string, number>();
  for (const name of Object.keys(LISTENERS)) ports.set(name, await freePort());
  const route = { match: { prefix: '/' }, directResponse: { status: 200, body: { inlineString: 'ok' } } };
  const proxy = await start({
    ...bootstrap(
      Object.entries(LISTENERS).map(([name, config]) =>
        listener(ports.get(name)!, [{ filters: [hcm([route], { statPrefix: name })] }], {
          statPrefix: name.replaceAll(' ', '_'),
          accessLog: [stdoutLog(LOG)],
          listenerFilters: [proxyFilter(config)],
        }),
      ),
      [],
    ),
    admin: { address: { socketAddress: { address: '127.0.0.1', portValue: admin } } },
  });
  const adminPort = proxy.adminPort ?? admin;
  const counts = async (): Promise<Map<string, number>> => {
    const wanted = /^(proxy_proto\.|downstream_cx_proxy|listener\.\w+\.downstream_(cx_total|listener_filter|pre_cx))/;
    return new Map(
      (await statsWhenQuiet(adminPort))
        .split('\n')
        .filter((line) => wanted.test(line) && !line.includes('P0(') && !line.startsWith('listener.admin'))
        .map((line) => [line.split(': ')[0]!, Number(line.split(': ')[1])]),
    );
  };
  const observed: Record<string, string[]> = {};
  let number = 0;
  for (const [name, port] of ports) {
    for (const [what, beginning] of Object.entries(BEGINNINGS)) {
      number++;
      const from = `127.66.${number >> 8}.${number & 255}`;
      const before = await counts();
      const outcome = await say(port, from, beginning);
      const changed = [...(await counts())]
        .filter(([key, value]) => value !== (before.get(key) ?? 0))
        .map(([key, value]) => `${key} ${value - (before.get(key) ?? 0)}`);
      observed[`${name}: ${what}`] = [from, outcome, ...changed.toSorted()];
    }
  }
  await proxy.stop();
  const lines = proxy.output().split('\n');
  for (const [name, [from, ...rest]] of Object.entries(observed)) {
    const line = lines.find((each) => each.startsWith('LOG') && each.includes(` ${from} `));
    const own = ports.get(name.split(':')[0]!)!;
    // What comes in parts may be read after the answer, or not.
    const inParts = typeof BEGINNINGS[name.split(': ')[1]!] === 'object';
    observed[name] = [
      ...rest,
      line
        ?.replaceAll(new RegExp(`${from}:\\d+`, 'g'), 'CLIENT')
        .replace(`:${own}`, ':OWN')
        .replace(/ \d+$/, inParts ? ' N' : '$&') ?? 'no line',
    ];
  }
  return observed;
}

let theirs: Observed;
let ours: Observed;
beforeAll(async () => {
  theirs = await observe(startEnvoy);
  ours = await observe(startProxy);
}, 240_000);

describe('the beginning of a connection is read as by Envoy', () => {
  const names = Object.keys(LISTENERS).flatMap((name) => Object.keys(BEGINNINGS).map((what) => `${name}: ${what}`));
  test.each(names)('%s', (name) => {
    expect(ours[name]).toEqual(theirs[name]);
  });
  test('both accept and refuse', () => {
    expect(theirs['plain: version 1']![0]).toBe('200');
    expect(theirs['plain: two spaces']![0]).toBe('closed');
  });
});

describe('what a header brought along goes on as from Envoy', () => {
  let server: Server;
  let got: string[] = [];
  beforeAll(async () => {
    server = createServer((socket) => {
      socket.on('error', () => undefined);
      let text = '';
      socket.on('data', (data: Buffer) => {
        text += data.toString('latin1');
        if (!text.endsWith('hello')) return;
        got.push(text);
        socket.end();
      });
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  });
  afterAll(() => void server.close());

  const CONFIGS = {
    all: { in: { passThroughTlvs: {} }, out: { passThroughTlvs: {} } },
    'none in': { in: {}, out: { passThroughTlvs: {} } },
    'none out': { in: { passThroughTlvs: {} }, out: {} },
    some: {
      in: { passThroughTlvs: { matchType: 'INCLUDE', tlvType: [2, 5] } },
      out: { passThroughTlvs: { matchType: 'INCLUDE', tlvType: [5, 238] } },
    },
    'own besides': {
      in: { passThroughTlvs: {} },
      out: {
        passThroughTlvs: {},
        addedTlvs: [
          { type: 5, value: 'T1dO' },
          { type: 9, value: 'T1dO' },
        ],
      },
    },
    'version 1': { in: { passThroughTlvs: {} }, out: { version: 'V1', passThroughTlvs: {} } },
  };

  async function received(start: (config: object) => Promise<{ stop(): Promise<void> }>): Promise<string[]> {
    const ports: number[] = [];
    for (const _ of Object.keys(CONFIGS)) ports.push(await freePort());
    const upstream = (server.address() as AddressInfo).port;
    const proxy = await start(
      bootstrap(
        Object.entries(CONFIGS).map(([name, config], i) =>
          listener(ports[i]!, [{ filters: [tcpProxy(name)] }], { listenerFilters: [proxyFilter(config.in)] }),
        ),
        Object.entries(CONFIGS).map(([name, config]) =>
          staticCluster(name, [upstream], {
            transportSocket: {
              name: 'out',
              typedConfig: {
                '@type': `${TYPE}.transport_sockets.proxy_protocol.v3.ProxyProtocolUpstreamTransport`,
                config: { version: 'V2', ...config.out },
                transportSocket: {
                  name: 'raw',
                  typedConfig: { '@type': `${TYPE}.transport_sockets.raw_buffer.v3.RawBuffer` },
                },
              },
            },
          }),
        ),
      ),
    );
    got = [];
    for (const port of ports) {
      for (const beginning of [
        v2(0x21, 0x11, V4 + tlv(2, 'two') + tlv(5, 'five') + tlv(0xee, 'ee') + tlv(2, 'again')),
        v2(0x20, 0, tlv(2, 'local')),
      ]) {
        const socket = connect({ port, host: '127.0.0.1', localAddress: '127.8.8.8' });
        socket.on('error', () => undefined);
        socket.write(`${beginning}hello`, 'latin1');
        socket.resume();
        await new Promise((done) => socket.once('close', done));
      }
    }
    await proxy.stop();
    return got.map(shown);
  }

  /** Ports of the client's own connection differ from run to run. */
  function shown(text: string): string {
    if (!text.startsWith(SIGNATURE)) return text.replace(/(?<=127\.0\.0\.1 )\d+ \d+/, '<ports>');
    const hex = Buffer.from(text, 'latin1').toString('hex', 12);
    return hex.replace(/(?<=7f0808087f000001).{8}/, '<ports>');
  }

  test('TLVs, where both sides let them through', async () => {
    const expected = await received(startEnvoy);
    expect(expected).toHaveLength(2 * Object.keys(CONFIGS).length);
    expect(await received(startProxy)).toEqual(expected);
  }, 60_000);
});
