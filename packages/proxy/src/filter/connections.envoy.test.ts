/** Filters that take connections, or lead them elsewhere, beside real Envoy. */
import { connect, createServer, type Server, type Socket } from 'node:net';
import { connect as secure } from 'node:tls';
import { until } from '@mizzen/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bootstrap, listener, staticCluster } from '../process/testing/bootstraps.ts';
import { statsWhenQuiet, TYPE } from './testing/beside.ts';
import { startSides, type Side } from './testing/sides.ts';

const network = (type: string, config: object = {}): object => ({
  name: `envoy.filters.network.${type.split('.')[0]}`,
  typedConfig: { '@type': `${TYPE}envoy.extensions.filters.network.${type}`, ...config },
});
const tcp = (statPrefix: string, cluster: string): object => network('tcp_proxy.v3.TcpProxy', { statPrefix, cluster });
const limit = (statPrefix: string, delay?: string): object =>
  network('connection_limit.v3.ConnectionLimit', { statPrefix, maxConnections: 2, delay });
const tlsInspector = {
  name: 'tls',
  typedConfig: { '@type': `${TYPE}envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector` },
};
const dnsCacheConfig = { name: 'cache', dnsLookupFamily: 'V4_ONLY' };
const NAMES = ['echo', 'direct', 'nothing', 'limited', 'delayed', 'sni', 'forward'] as const;
type Name = (typeof NAMES)[number];
type Ports = Readonly<Record<Name, number>>;

const closing: (() => unknown)[] = [];
let sides: { readonly ours: Side<Name>; readonly theirs: Side<Name> };
let forwardPort: number;

/** Says its name, and then what came. */
async function named(name: string): Promise<number> {
  const server: Server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (data: Buffer) => socket.end(`${name}:${data.length > 5 ? 'more' : data.toString()}`));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  closing.push(() => server.close());
  return (server.address() as { port: number }).port;
}

beforeAll(async () => {
  const up = await named('up');
  const other = await named('other');
  forwardPort = await named('forward');
  const config = (ports: Ports): object => {
    const named = (name: keyof Ports, filters: object[], more: object = {}): object => ({
      ...listener(ports[name], [{ filters }]),
      ...more,
    });
    const inspected = { listenerFilters: [tlsInspector] };
    const forward = {
      '@type': `${TYPE}envoy.extensions.clusters.dynamic_forward_proxy.v3.ClusterConfig`,
      dnsCacheConfig,
    };
    return bootstrap(
      [
        named('echo', [network('echo.v3.Echo')]),
        named('direct', [network('direct_response.v3.Config', { response: { inlineString: 'hello\n' } })]),
        named('nothing', [network('direct_response.v3.Config')]),
        named('limited', [limit('a'), network('echo.v3.Echo')]),
        named('delayed', [limit('b', '2s'), network('echo.v3.Echo')]),
        named('sni', [network('sni_cluster.v3.SniCluster'), tcp('sni', 'up')], inspected),
        named(
          'forward',
          [
            network('sni_dynamic_forward_proxy.v3.FilterConfig', { portValue: forwardPort, dnsCacheConfig }),
            tcp('forward', 'forward'),
          ],
          inspected,
        ),
      ],
      [
        staticCluster('up', [up]),
        staticCluster('other.example', [other]),
        {
          name: 'forward',
          connectTimeout: '1s',
          lbPolicy: 'CLUSTER_PROVIDED',
          clusterType: { name: 'envoy.clusters.dynamic_forward_proxy', typedConfig: forward },
        },
      ],
    );
  };
  sides = await startSides(NAMES, config, closing);
}, 30_000);
afterAll(async () => {
  for (const close of closing.toReversed()) await close();
});

/** What comes of a connection that says `bytes`, until `enough` has come or it is closed. */
function say(port: number, bytes: string | Buffer, enough = Infinity): Promise<string> {
  return new Promise((resolve) => {
    let got = '';
    const socket: Socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    socket.on('data', (data: Buffer) => {
      got += data.toString();
      if (got.length >= enough) socket.destroy();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(got));
  });
}

/** The first bytes of a client that asks for a server name. */
async function greeting(servername: string | undefined): Promise<Buffer> {
  const { promise, resolve } = Promise.withResolvers<Buffer>();
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', (data: Buffer) => {
      resolve(data);
      socket.destroy();
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as { port: number };
  const options = servername === undefined ? {} : { servername };
  secure({ port, host: '127.0.0.1', ...options }).on('error', () => undefined);
  const bytes = await promise;
  server.close();
  return bytes;
}
const greet = async (port: number, servername: string | undefined): Promise<string> =>
  say(port, await greeting(servername));

async function alike(ask: (side: Side<Name>) => Promise<unknown>): Promise<unknown> {
  const [ours, theirs] = [await ask(sides.ours), await ask(sides.theirs)];
  expect(ours).toEqual(theirs);
  return ours;
}

test('what is said comes back', async () => {
  expect(await alike(({ ports }) => say(ports.echo, 'abc', 3))).toBe('abc');
  expect(await alike(async ({ ports }) => (await say(ports.echo, 'x'.repeat(300_000), 300_000)).length)).toBe(300_000);
});

test('one answer for all', async () => {
  expect(await alike(({ ports }) => say(ports.direct, 'abc'))).toBe('hello\n');
  expect(await alike(({ ports }) => say(ports.nothing, 'abc'))).toBe('');
});

test('so many connections at a time', async () => {
  // One that is refused is closed at once, or later; the others stay for as long as the client does.
  const all = async (port: number): Promise<unknown> => {
    const began = performance.now();
    const open: Socket[] = [];
    const outcomes: string[] = [];
    for (const n of ['1', '2', '3', '4']) {
      const socket = connect(port, '127.0.0.1', () => socket.write(n));
      open.push(socket);
      let got = '';
      socket.on('error', () => undefined);
      socket.on('data', (data: Buffer) => outcomes.push((got = data.toString()) === n ? 'echo' : got));
      socket.on('close', () => {
        if (got === '') outcomes.push(`nothing ${performance.now() - began > 1500 ? 'late' : 'at once'}`);
      });
    }
    await until(
      () => `four outcomes: ${outcomes.join(', ')}`,
      () => outcomes.length === 4,
    );
    for (const socket of open) socket.destroy();
    return outcomes.toSorted();
  };
  expect(await alike(({ ports }) => all(ports.limited))).toEqual([
    'echo',
    'echo',
    'nothing at once',
    'nothing at once',
  ]);
  expect(await alike(({ ports }) => all(ports.delayed))).toEqual(['echo', 'echo', 'nothing late', 'nothing late']);
  const stats = async ({ admin }: Side<Name>): Promise<string[]> =>
    (await statsWhenQuiet(admin)).split('\n').filter((line) => line.startsWith('connection_limit'));
  expect(await alike(stats)).toContain('connection_limit.a.limited_connections: 2');
  expect(await alike(({ ports }) => say(ports.limited, 'again', 5))).toBe('again');
});

test('a server name leads to the cluster of that name', async () => {
  expect(await alike(({ ports }) => greet(ports.sni, 'other.example'))).toBe('other:more');
  expect(await alike(({ ports }) => greet(ports.sni, 'nobody.example'))).toBe('');
  expect(await alike(({ ports }) => greet(ports.sni, undefined))).toBe('up:more');
  expect(await alike(({ ports }) => say(ports.sni, 'plain'))).toBe('up:plain');
});

test('a server name leads to the host of that name', async () => {
  expect(await alike(({ ports }) => greet(ports.forward, 'localhost'))).toBe('forward:more');
  expect(await alike(({ ports }) => greet(ports.forward, undefined))).toBe('');
});
