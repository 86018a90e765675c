/** Why connections were closed, as the real Envoy says it. */
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { freePort, startEnvoy, until } from '@mizzen/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { statsWhenQuiet } from '../filter/testing/beside.ts';
import { bootstrap, hcm, jsonLog, listener, routeTo, staticCluster, tcpProxy } from '../process/testing/bootstraps.ts';
import { startWithAdmin } from '../process/testing/standalone.ts';

const FILTERS = 'type.googleapis.com/envoy.extensions.filters.network';
const CLIENT = '%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%';
const logs = {
  accessLog: [
    jsonLog({ client: CLIENT, down: '%DOWNSTREAM_LOCAL_CLOSE_REASON%', up: '%UPSTREAM_LOCAL_CLOSE_REASON%' }),
  ],
};
const filter = (name: string, config: object): object => ({
  name,
  typedConfig: { '@type': `${FILTERS}.${name}`, statPrefix: name, ...config },
});
const any = { action: 'DENY', policies: { all: { permissions: [{ any: true }], principals: [{ any: true }] } } };
const noTokens = { maxTokens: 1, fillInterval: '60s' };

/** Filters, and for how many of two clients the proxy keeps the connection, so that they leave. */
const CASES: Readonly<Record<string, { readonly filters: readonly object[]; readonly stay?: number }>> = {
  'a client that leaves': { filters: [tcpProxy('app', logs)], stay: 2 },
  'a connection that idles': { filters: [tcpProxy('app', { ...logs, idleTimeout: '0.2s' })] },
  'a connection that has lasted': { filters: [tcpProxy('app', { ...logs, maxDownstreamConnectionDuration: '0.2s' })] },
  'nobody there': { filters: [tcpProxy('dead', logs)] },
  'nobody there, time and again': { filters: [tcpProxy('dead', { ...logs, maxConnectAttempts: 3 })] },
  'no host': { filters: [tcpProxy('empty', logs)] },
  'no connection left': { filters: [tcpProxy('full', logs)] },
  'no cluster': { filters: [tcpProxy('none', logs)] },
  'a denied one': { filters: [filter('rbac.v3.RBAC', { rules: any }), tcpProxy('app', logs)] },
  'one too many': {
    filters: [filter('connection_limit.v3.ConnectionLimit', { maxConnections: 1 }), tcpProxy('app', logs)],
    stay: 1,
  },
  'one too soon': {
    filters: [filter('local_ratelimit.v3.LocalRateLimit', { tokenBucket: noTokens }), tcpProxy('app', logs)],
    stay: 1,
  },
  'a request': { filters: [hcm([routeTo('app')], logs)], stay: 2 },
};

let backend: Server;
beforeAll(async () => {
  backend = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'));
  });
  await new Promise<void>((done) => backend.listen(0, '127.0.0.1', done));
});
afterAll(() => void backend.close());

/** A connection that has been answered, or is over. */
function visit(port: number, from: string): Promise<Socket> {
  return new Promise((done) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress: from });
    socket.on('error', () => undefined);
    socket.on('data', () => done(socket));
    socket.on('close', () => done(socket));
    socket.write('GET / HTTP/1.1\r\nhost: h\r\n\r\n');
  });
}

async function observe(
  start: (config: object) => Promise<{ readonly admin: number; output(): string; stop(): Promise<void> }>,
): Promise<Record<string, string[]>> {
  const cases = await Promise.all(Object.values(CASES).map(async (one) => ({ ...one, port: await freePort() })));
  const ports = [(backend.address() as AddressInfo).port];
  const proxy = await start(
    bootstrap(
      cases.map(({ port, filters }) => listener(port, [{ filters }])),
      [
        staticCluster('app', ports),
        staticCluster('dead', [await freePort()]),
        staticCluster('empty', []),
        staticCluster('full', ports, { circuitBreakers: { thresholds: [{ maxConnections: 0 }] } }),
      ],
    ),
  );
  // Twice each: limits let the first one in.
  const sockets: Socket[] = [];
  for (const round of [0, 1])
    sockets.push(...(await Promise.all(cases.map(({ port }, i) => visit(port, `127.66.${round}.${i + 1}`)))));
  const staying = cases.reduce((sum, { stay = 0 }) => sum + stay, 0);
  const open = (): Socket[] => sockets.filter(({ closed }) => !closed);
  await until(
    () => `the end of all connections but ${staying} of ${open().length}`,
    () => open().length === staying,
  );
  for (const socket of open()) socket.destroy();
  await statsWhenQuiet(proxy.admin);
  await proxy.stop();
  const seen: Record<string, string[]> = Object.fromEntries(Object.keys(CASES).map((name) => [name, []]));
  for (const line of proxy.output().split('\n').sort()) {
    if (!line.startsWith('{"client"')) continue;
    const { client, down, up } = JSON.parse(line) as Record<'client' | 'down' | 'up', string | null>;
    const name = Object.keys(CASES)[Number(client!.split('.')[3]) - 1]!;
    seen[name]!.push(`${client!.split('.')[2]}: ${down} ${up}`);
  }
  return seen;
}

test('reasons are those of Envoy', async () => {
  const theirs = await observe(async (config) => {
    const envoy = await startEnvoy(config);
    return { ...envoy, admin: envoy.adminPort };
  });
  expect(theirs['a connection that idles']).toEqual([
    '0: tcp_session_idle_timeout tcp_session_idle_timeout',
    '1: tcp_session_idle_timeout tcp_session_idle_timeout',
  ]);
  expect(await observe(startWithAdmin)).toEqual(theirs);
}, 60_000);
