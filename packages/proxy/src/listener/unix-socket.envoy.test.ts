/** Unix sockets, with who may use them and in no folder at all: beside the real Envoy. */
import { mkdtempSync, readdirSync, statSync } from 'node:fs';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { connect, createServer as createSocketServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, startEnvoy } from '@mizzen/testkit';
import { expect, test } from 'vitest';
import { bootstrap, hcm, socketAddress } from '../process/testing/bootstraps.ts';
import { startProxy } from '../process/testing/standalone.ts';
import { compileListener } from '../program/listener/compile.ts';
import { testDeps } from '../program/testing/deps.ts';

const name = (of: string): string => `mizzen-${of}-${process.pid}`;

function get(socketPath: string, path: string): Promise<string> {
  return new Promise((resolve) => {
    const sent = request({ socketPath, path, headers: { host: 'a' }, agent: false }, (response) => {
      let body = '';
      response.on('data', (data: Buffer) => (body += data.toString()));
      response.on('end', () => resolve(`${response.statusCode} ${body}`));
    });
    sent.on('error', (error) => resolve(error.message));
    sent.end();
  });
}

const on = (path: string, mode = 0, options: object = {}): object => ({
  name: path,
  address: { pipe: { path, mode } },
  filterChains: [{ filters: [hcm([{ match: { prefix: '/' }, route: { cluster: 'app' } }], options)] }],
});
const trusting = (unixSockets: boolean): object => ({ useRemoteAddress: true, internalAddressConfig: { unixSockets } });

async function observe(start: (config: object) => Promise<{ stop(): Promise<void> }>): Promise<unknown> {
  const folder = mkdtempSync(join(tmpdir(), 'mizzen-pipe-'));
  const file = join(folder, 'a.sock');
  // One that somebody has left behind.
  const gone = createSocketServer();
  await new Promise<void>((done) => gone.listen(file, done));
  const proxy = await start(
    bootstrap(
      [
        on(file, 0o640),
        on(`@${name('listener')}`),
        on(`@${name('internal')}`, 0, trusting(true)),
        on(`@${name('external')}`, 0, trusting(false)),
      ],
      [
        {
          name: 'app',
          loadAssignment: {
            clusterName: 'app',
            endpoints: [{ lbEndpoints: [{ endpoint: { address: { pipe: { path: `@${name('app')}` } } } }] }],
          },
        },
      ],
    ),
  );
  const seen = [
    (statSync(file).mode & 0o777).toString(8),
    await get(file, '/file'),
    await get(`\0${name('listener')}`, '/abstract'),
    await get(`\0${name('internal')}`, '/internal'),
    await get(`\0${name('external')}`, '/external'),
    readdirSync('.').filter((each) => each.startsWith('@')),
  ];
  await proxy.stop();
  gone.close();
  return seen;
}

test('listeners and hosts', { timeout: 30_000 }, async () => {
  const app = createServer((asked, response) =>
    response.end(`${asked.url} ${String(asked.headers['x-envoy-internal'])}`),
  );
  await new Promise<void>((done) => app.listen(`\0${name('app')}`, done));
  const theirs = await observe(startEnvoy);
  const ours = await observe(startProxy);
  app.close();
  expect(ours).toEqual(theirs);
  expect(theirs).toEqual([
    '640',
    '200 /file undefined',
    '200 /abstract undefined',
    '200 /internal true',
    '200 /external undefined',
    [],
  ]);
});

test('the admin endpoint', { timeout: 30_000 }, async () => {
  const path = join(mkdtempSync(join(tmpdir(), 'mizzen-pipe-')), 'admin.sock');
  const gone = createSocketServer();
  await new Promise<void>((done) => gone.listen(path, done));
  const proxy = await startProxy({ admin: { address: { pipe: { path, mode: 0o600 } } } });
  expect([await get(path, '/ready'), (statSync(path).mode & 0o777).toString(8)]).toEqual(['200 LIVE\n', '600']);
  await proxy.stop();
  gone.close();
});

test('what cannot be is refused', async () => {
  const refused = [on('@name', 0o600), on(`/${'x'.repeat(107)}`)];
  for (const [i, listener] of refused.entries()) {
    expect(compileListener(listener, testDeps).nacks?.[0]?.field).toBe(['address.pipe.mode', 'address.pipe.path'][i]);
    await expect(startEnvoy(bootstrap([listener], []))).rejects.toThrow(/AF_UNIX|UNIX domain/);
  }
  expect(compileListener(on(`/${'x'.repeat(106)}`), testDeps).nacks).toBeUndefined();
}, 30_000);

function closed(socket: Socket): Promise<void> {
  return new Promise((done) =>
    socket
      .on('error', () => undefined)
      .once('close', () => done())
      .resume(),
  );
}

/** What is reset where it is of TCP, from there and to there. */
async function observeEnds(start: (config: object) => Promise<{ stop(): Promise<void> }>): Promise<unknown> {
  const tcp = (cluster: string): object => ({
    name: 'tcp',
    typedConfig: {
      '@type': 'type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy',
      statPrefix: 'tcp',
      cluster,
    },
  });
  const port = await freePort();
  const proxy = await start(
    bootstrap(
      [
        {
          name: 'unmatched',
          address: { pipe: { path: `@${name('unmatched')}` } },
          listenerFilters: [
            {
              name: 'tls',
              typedConfig: {
                '@type': 'type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector',
              },
            },
          ],
          filterChains: [{ filterChainMatch: { transportProtocol: 'tls' }, filters: [tcp('kept')] }],
        },
        { name: 'through', address: socketAddress(port), filterChains: [{ filters: [tcp('kept')] }] },
      ],
      [
        {
          name: 'kept',
          loadAssignment: {
            clusterName: 'kept',
            endpoints: [{ lbEndpoints: [{ endpoint: { address: { pipe: { path: `@${name('kept')}` } } } }] }],
          },
        },
      ],
    ),
  );
  const seen: unknown[] = [];
  for (const text of ['not TLS', 'not TLS either']) {
    const client = connect(`\0${name('unmatched')}`);
    client.end(text);
    await closed(client);
    seen.push('closed');
  }
  const kept = createSocketServer((socket) => socket.on('error', () => undefined).write('hi'));
  await new Promise<void>((done) => kept.listen(`\0${name('kept')}`, done));
  for (let i = 0; i < 2; i++) {
    const arrived = once(kept, 'connection') as Promise<[Socket]>;
    const client = connect(port, '127.0.0.1');
    await once(client, 'data');
    const [upstream] = await arrived;
    client.resetAndDestroy();
    await closed(upstream);
    seen.push('ended');
  }
  await proxy.stop();
  kept.close();
  return seen;
}

test('connections that would be reset if they were of TCP just end', { timeout: 30_000 }, async () => {
  const theirs = await observeEnds(startEnvoy);
  expect(theirs).toEqual(['closed', 'closed', 'ended', 'ended']);
  expect(await observeEnds(startProxy)).toEqual(theirs);
});
