/** The choice of a filter chain is compared with the real Envoy: chains answer with their names. */
import { connect, createServer, type AddressInfo } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { freePort, startEnvoy, type RunningEnvoy } from '@mizzen/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { testDeps } from '../testing/deps.ts';
import type { ListenerProgram } from '../types.ts';
import { compileListener } from './compile.ts';

const FILTERS = 'type.googleapis.com/envoy.extensions.filters';
const range = (addressPrefix: string, prefixLen: number): object => ({ addressPrefix, prefixLen });

/** Chains by name; `default` is the default chain. */
const LISTENERS: readonly Readonly<Record<string, object>>[] = [
  {
    exact: { serverNames: ['a.example.com'] },
    wide: { serverNames: ['*.example.com'] },
    wider: { serverNames: ['*.com'] },
    'tls-any': { transportProtocol: 'tls' },
    default: {},
  },
  {
    // The server name comes before the protocol: once a chain fits better, its siblings are out.
    'name-h2': { serverNames: ['a.com'], applicationProtocols: ['h2'] },
    'name-only': { serverNames: ['a.com', 'b.com'], transportProtocol: 'raw_buffer' },
    istio: { transportProtocol: 'tls', applicationProtocols: ['istio', 'istio-peer-exchange'] },
    'plain-http': { transportProtocol: 'raw_buffer', applicationProtocols: ['http/1.1', 'h2c'] },
    plain: { transportProtocol: 'raw_buffer' },
  },
  {
    'from-one': { sourcePrefixRanges: [range('127.0.0.1', 32)] },
    'from-some': { sourcePrefixRanges: [range('127.0.0.0', 30)] },
    'direct-two': { directSourcePrefixRanges: [range('127.0.0.2', 32)] },
    local: { sourceType: 'SAME_IP_OR_LOOPBACK' },
    default: {},
  },
  {
    'to-here': { prefixRanges: [range('127.0.0.1', 32)], applicationProtocols: ['x'] },
    'to-net': { prefixRanges: [range('127.0.0.0', 8)] },
    'tls-anywhere': { transportProtocol: 'tls' },
    six: { prefixRanges: [range('::', 0)] },
  },
  { any: {}, 'sni-some': { serverNames: ['*.com'] }, external: { sourceType: 'EXTERNAL' } },
  { 'only-name': { serverNames: ['a.com'] }, 'only-tls': { transportProtocol: 'tls', applicationProtocols: ['h2'] } },
];

const INPUT = 'type.googleapis.com/envoy.extensions.matching.common_inputs.network.v3';
const input = (type: string): object => ({ name: type, typedConfig: { '@type': `${INPUT}.${type}` } });
const to = (value: string): object => ({
  action: { name: value, typedConfig: { '@type': 'type.googleapis.com/google.protobuf.StringValue', value } },
});
const is = (type: string, valueMatch: object): object => ({ singlePredicate: { input: input(type), valueMatch } });
const list = (...matchers: (readonly [object, object])[]): object => ({
  matcherList: { matchers: matchers.map(([predicate, onMatch]) => ({ predicate, onMatch })) },
});
const tree = (type: string, of: object): object => ({ matcherTree: { input: input(type), ...of } });

/** Listeners whose chains a matcher chooses; `default` is the default chain where it is named. */
const MATCHERS: readonly { readonly chains: readonly string[]; readonly matcher: object }[] = [
  {
    chains: ['a', 'com', 'tls', 'h2', 'istio', 'plain', 'default'],
    matcher: {
      ...list(
        [is('ServerNameInput', { exact: 'a.com' }), to('a')],
        [
          {
            andMatcher: {
              predicate: [
                is('ServerNameInput', { suffix: '.com' }),
                { notMatcher: is('ApplicationProtocolInput', { contains: "'h2'" }) },
              ],
            },
          },
          to('com'),
        ],
        [is('ApplicationProtocolInput', { exact: "'h2'" }), to('h2')],
        [
          {
            orMatcher: {
              predicate: [
                is('ApplicationProtocolInput', { safeRegex: { googleRe2: {}, regex: ".*'istio.*" } }),
                is('ServerNameInput', { prefix: 'ORG', ignoreCase: true }),
              ],
            },
          },
          to('istio'),
        ],
        [is('TransportProtocolInput', { exact: 'tls' }), to('tls')],
      ),
      onNoMatch: { matcher: tree('TransportProtocolInput', { exactMatchMap: { map: { raw_buffer: to('plain') } } }) },
    },
  },
  {
    chains: ['one', 'some', 'eight', 'nine', 'default'],
    matcher: tree('SourceIPInput', {
      customMatch: {
        name: 'ip',
        typedConfig: {
          '@type': 'type.googleapis.com/xds.type.matcher.v3.IPMatcher',
          rangeMatchers: [
            {
              ranges: [range('127.0.0.0', 8)],
              onMatch: { matcher: list([is('SourceTypeInput', { exact: 'other' }), to('eight')]) },
            },
            {
              ranges: [range('127.0.0.2', 31)],
              onMatch: { matcher: list([is('TransportProtocolInput', { exact: 'raw_buffer' }), to('some')]) },
            },
            { ranges: [range('127.0.0.1', 32)], onMatch: to('one') },
          ],
        },
      },
    }),
  },
  {
    chains: ['local', 'away'],
    matcher: {
      ...tree('SourceTypeInput', {
        exactMatchMap: {
          map: {
            local: {
              matcher: tree('ServerNameInput', {
                prefixMatchMap: { map: { a: to('away'), 'a.com': to('missing'), '': to('local') } },
              }),
            },
          },
        },
      }),
      onNoMatch: to('away'),
    },
  },
  {
    chains: ['x', 'y'],
    matcher: list(
      [
        is('DestinationIPInput', { exact: '127.0.0.1' }),
        { matcher: list([is('DirectSourceIPInput', { exact: '127.0.0.3' }), to('y')]) },
      ],
      [is('DestinationIPInput', { prefix: '127.' }), to('x')],
    ),
  },
  {
    chains: ['name', 'below', 'com', 'rest', 'default'],
    matcher: tree('ServerNameInput', {
      customMatch: {
        name: 'domains',
        typedConfig: {
          '@type': 'type.googleapis.com/xds.type.matcher.v3.ServerNameMatcher',
          domainMatchers: [
            { domains: ['*.com'], onMatch: to('com') },
            {
              domains: ['*.example.com', 'a.com'],
              onMatch: { matcher: list([is('TransportProtocolInput', { exact: 'tls' }), to('below')]) },
            },
            { domains: ['a.example.com'], onMatch: to('name') },
            { domains: ['*'], onMatch: to('rest') },
          ],
        },
      },
    }),
  },
  {
    chains: ['near', 'home', 'default'],
    matcher: list(
      [
        {
          singlePredicate: {
            input: input('SourceIPInput'),
            customMatch: {
              name: 'ip',
              typedConfig: {
                '@type': 'type.googleapis.com/envoy.extensions.matching.input_matchers.ip.v3.Ip',
                statPrefix: 'ip',
                cidrRanges: [range('127.0.0.2', 31)],
              },
            },
          },
        },
        to('near'),
      ],
      [
        {
          singlePredicate: {
            input: {
              name: 'env',
              typedConfig: {
                '@type': 'type.googleapis.com/envoy.extensions.matching.common_inputs.environment_variable.v3.Config',
                // Of one that is set Envoy finds the value in some environments and not in others.
                name: 'MIZZEN_NOT_SET',
              },
            },
            valueMatch: { contains: '/' },
          },
        },
        to('home'),
      ],
    ),
  },
];

interface Client {
  readonly from?: string;
  readonly sni?: string;
  readonly alpn?: readonly string[];
  /** What is sent in plain text instead of a ClientHello. */
  readonly plain?: string;
}
const CLIENTS: readonly Client[] = [
  ...[
    'a.example.com',
    'b.example.com',
    'x.a.example.com',
    'example.com',
    'other.com',
    'A.EXAMPLE.com',
    'a.com',
    'b.com',
    'org',
  ].map((sni) => ({ sni })),
  { sni: 'a.com', alpn: ['h2'] },
  { sni: 'b.com', alpn: ['h2'] },
  { sni: 'a.com', alpn: ['http/1.1'] },
  { sni: 'c.com', alpn: ['istio'] },
  { alpn: ['unknown', 'istio-peer-exchange'] },
  { alpn: ['h2', 'x'] },
  {},
  { plain: 'GET / HTTP/1.1\r\nhost: h\r\n\r\n' },
  { plain: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n' },
  { plain: 'hello, this is not HTTP\r\n\r\n' },
  ...['127.0.0.2', '127.0.0.3', '127.0.0.9'].map((from) => ({ from, plain: 'hello, this is not HTTP\r\n\r\n' })),
];

/** The first bytes that a TLS client sends. */
function clientHello(sni: string | undefined, alpn: readonly string[] | undefined): Promise<Buffer> {
  return new Promise((resolve) => {
    const server = createServer((socket) => {
      socket.once('data', (data: Buffer) => {
        socket.destroy();
        server.close();
        resolve(data);
      });
      socket.on('error', () => undefined);
    });
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      connectTls({
        host: '127.0.0.1',
        port,
        servername: sni ?? '',
        ALPNProtocols: alpn === undefined ? undefined : [...alpn],
        rejectUnauthorized: false,
      }).on('error', () => undefined);
    });
  });
}

function listener(chains: Readonly<Record<string, object>>, port: number, config: (name: string) => object): object {
  const chain = (name: string, filterChainMatch: object): object => ({
    name,
    filterChainMatch,
    filters: [config(name)],
  });
  const { default: fallback, ...rest } = chains;
  return {
    name: `l-${port}`,
    address: { socketAddress: { address: '127.0.0.1', portValue: port } },
    listenerFilters: ['tls_inspector.v3.TlsInspector', 'http_inspector.v3.HttpInspector'].map((type) => ({
      name: type,
      typedConfig: { '@type': `${FILTERS}.listener.${type}` },
    })),
    listenerFiltersTimeout: '0.2s',
    continueOnListenerFiltersTimeout: true,
    filterChains: Object.entries(rest).map(([name, match]) => chain(name, match)),
    defaultFilterChain: fallback === undefined ? undefined : chain('default', {}),
  };
}

const CONFIGS: readonly {
  readonly title: string;
  readonly chains: Readonly<Record<string, object>>;
  readonly more: object;
}[] = [
  ...LISTENERS.map((chains) => ({ title: Object.keys(chains).join(' '), chains, more: {} })),
  ...MATCHERS.map(({ chains, matcher }) => ({
    title: `matcher: ${chains.join(' ')}`,
    chains: Object.fromEntries(chains.map((name) => [name, {}])),
    more: { filterChainMatcher: matcher },
  })),
];

let envoy: RunningEnvoy;
const ports: number[] = [];
const programs: ListenerProgram[] = [];
beforeAll(async () => {
  for (const { chains, more } of CONFIGS) {
    ports.push(await freePort());
    const compiled = compileListener(
      {
        ...listener(chains, ports.at(-1)!, () => ({
          name: 't',
          typedConfig: { '@type': `${FILTERS}.network.tcp_proxy.v3.TcpProxy`, statPrefix: 't', cluster: 'c' },
        })),
        ...more,
      },
      { ...testDeps, env: (name) => process.env[name] },
    );
    expect(compiled.nacks).toBeUndefined();
    programs.push(compiled.program!);
  }
  envoy = await startEnvoy({
    staticResources: {
      listeners: CONFIGS.map(({ chains, more }, i) => ({
        ...listener(chains, ports[i]!, (name) => ({
          name: 'say',
          typedConfig: {
            '@type': `${FILTERS}.network.direct_response.v3.Config`,
            response: { inlineString: `<${name}>` },
          },
        })),
        ...more,
      })),
    },
  });
}, 30_000);
afterAll(() => envoy.stop());

function ask(port: number, bytes: Buffer, from: string): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress: from }, () => socket.write(bytes));
    let text = '';
    socket.on('data', (data) => (text += data.toString()));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(/<(.*)>/.exec(text)?.[1] ?? 'closed'));
  });
}

describe.each(CONFIGS.map(({ title }, index) => ({ title, index })))('$title', ({ index }) => {
  test.each(CLIENTS)('%j', async (client) => {
    const { from = '127.0.0.1', sni, alpn, plain } = client;
    const bytes = plain === undefined ? await clientHello(sni, alpn) : Buffer.from(plain);
    const theirs = await ask(ports[index]!, bytes, from);
    const http =
      plain === undefined ? [] : plain.startsWith('GET') ? ['http/1.1'] : plain.startsWith('PRI') ? ['h2c'] : [];
    const ours = programs[index]!.selectChain({
      destinationAddress: '127.0.0.1',
      destinationPort: ports[index]!,
      sourceAddress: from,
      sourcePort: 1,
      directSourceAddress: from,
      serverName: (sni ?? '').toLowerCase(),
      transportProtocol: plain === undefined ? 'tls' : '',
      applicationProtocols: plain === undefined ? (alpn ?? []) : http,
    });
    expect(ours?.name ?? 'closed').toBe(theirs);
  });
});
