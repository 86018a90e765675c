import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, get, type Server } from 'node:http';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { envoyBinary, freePort } from '@mizzen/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../kubelet/clock.ts';
import { tryBind } from '../kubelet/ports.ts';
import type { EnvoyLogLine } from './log.ts';
import { EnvoyProcess } from './process.ts';

/** A real Envoy with all its configuration in its bootstrap: one listener, and a server behind it that answers `/slow` when told to. */

let folder: string;
let server: Server;
let port: number;
const groups = new Set<number>();
const events: string[] = [];
const logs: EnvoyLogLine[] = [];
let envoy: EnvoyProcess | undefined;
/** Answers `/slow`; undefined until it was asked for. */
let answerSlow: (() => void) | undefined;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mizzen-envoy-'));
  server = createServer((incoming, response) => {
    const answer = (): void => void response.end('done');
    if (incoming.url === '/slow') answerSlow = answer;
    else answer();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  port = await freePort();
  events.length = 0;
  logs.length = 0;
  answerSlow = undefined;
});
afterEach(async () => {
  await envoy?.stop(0);
  envoy = undefined;
  server.closeAllConnections();
  server.close();
  expect([...groups]).toEqual([]);
  rmSync(folder, { recursive: true });
});

function start(): EnvoyProcess {
  const admin = join(folder, 'admin.sock');
  const bootstrap = join(folder, 'envoy.json');
  writeFileSync(bootstrap, JSON.stringify(configuration(admin, (server.address() as AddressInfo).port)));
  const started = new EnvoyProcess({
    clock: systemClock,
    groups: { add: (pid) => void groups.add(pid), remove: (pid) => void groups.delete(pid) },
    random: () => 0.5,
    environment: {},
    isFree: async (address, each) => (await tryBind(address, each)) === 'free',
    binary: envoyBinary(),
    bootstrap,
    admin,
    onReady: () => events.push('ready'),
    onTaken: ({ address, port: each }) => events.push(`taken ${address}:${each}`),
    onExit: (how, wait) => events.push(`exit ${how}, again after ${wait}`),
    onLog: (log) => void logs.push(log),
    onLine: () => undefined,
  });
  started.start();
  envoy = started;
  return started;
}

function configuration(admin: string, upstream: number): object {
  const address = (portValue: number) => ({ socketAddress: { address: '127.0.0.1', portValue } });
  const routes = [{ match: { prefix: '/' }, route: { cluster: 'server' } }];
  const type = 'type.googleapis.com/envoy.extensions.filters';
  return {
    node: { id: 'test', cluster: 'test' },
    admin: { address: { pipe: { path: admin } } },
    staticResources: {
      listeners: [
        {
          name: 'front',
          address: address(port),
          enableReusePort: false,
          filterChains: [
            {
              filters: [
                {
                  name: 'http',
                  typedConfig: {
                    '@type': `${type}.network.http_connection_manager.v3.HttpConnectionManager`,
                    statPrefix: 'inbound_front;',
                    routeConfig: { virtualHosts: [{ name: 'all', domains: ['*'], routes }] },
                    httpFilters: [{ name: 'router', typedConfig: { '@type': `${type}.http.router.v3.Router` } }],
                  },
                },
              ],
            },
          ],
        },
      ],
      clusters: [
        {
          name: 'server',
          type: 'STATIC',
          loadAssignment: {
            clusterName: 'server',
            endpoints: [{ lbEndpoints: [{ endpoint: { address: address(upstream) } }] }],
          },
        },
      ],
    },
  };
}

async function until(done: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!(await done())) {
    if (performance.now() > deadline) throw new Error(`not in time: ${JSON.stringify([events, logs])}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function ask(path: string): Promise<{ status: number; connection: string | undefined; body: string }> {
  return new Promise((resolve, reject) => {
    const request = get(
      { host: '127.0.0.1', port, path, agent: false, headers: { connection: 'keep-alive' } },
      (answer) => {
        let body = '';
        answer.on('data', (data: Buffer) => (body += data.toString()));
        answer.on('end', () =>
          resolve({ status: answer.statusCode ?? 0, connection: answer.headers.connection, body }),
        );
        answer.on('error', reject);
      },
    );
    request.on('error', reject);
  });
}

test('is ready when its listener is bound, counts requests, and leaves nothing', async () => {
  const running = start();
  await until(() => events.includes('ready'));
  for (let i = 0; i < 3; i++) expect(await ask('/')).toMatchObject({ status: 200, body: 'done' });
  expect(await running.counts()).toEqual({ inbound: 3, outbound: 0 });
  await running.stop(500);
  expect(readdirSync(folder)).toEqual([]);
  expect(await running.counts()).toBeUndefined();
});

test('a request under way is answered before it ends, and its client told that the connection ends', async () => {
  const running = start();
  await until(() => events.includes('ready'));
  const slow = ask('/slow');
  await until(() => answerSlow !== undefined);
  const stopped = running.stop(20_000);
  await until(async () => (await tryBind('127.0.0.1', port)) === 'free');
  answerSlow?.();
  expect(await slow).toEqual({ status: 200, connection: 'close', body: 'done' });
  await stopped;
  expect(events).toEqual(['ready']);
});

test('one that dies is started again, and what it counted is not forgotten', async () => {
  const running = start();
  await until(() => events.includes('ready'));
  expect((await ask('/')).status).toBe(200);
  expect(await running.counts()).toMatchObject({ inbound: 1 });
  process.kill(running.pid!, 'SIGKILL');
  await until(() => events.length === 3);
  expect(events).toEqual(['ready', 'exit was ended by SIGKILL, again after 0', 'ready']);
  expect((await ask('/')).status).toBe(200);
  expect(await running.counts()).toEqual({ inbound: 2, outbound: 0 });
});

test('a taken port is told of; it listens there once the port is free', async () => {
  const holder = createTcpServer();
  await new Promise<void>((done) => holder.listen({ host: '127.0.0.1', port, exclusive: true }, done));
  start();
  await until(() => events.length > 0);
  await new Promise<void>((done) => void holder.close(() => done()));
  await until(() => events.includes('ready'));
  expect(events.filter((event) => event === `taken 127.0.0.1:${port}`).length).toBeGreaterThan(0);
  expect((await ask('/')).status).toBe(200);
});

test('a binary that cannot be run', async () => {
  const admin = join(folder, 'admin.sock');
  const how = await new Promise<string>((resolve) => {
    envoy = new EnvoyProcess({
      clock: systemClock,
      groups: { add: () => undefined, remove: () => undefined },
      random: () => 0.5,
      environment: {},
      isFree: async () => true,
      binary: join(folder, 'nothing'),
      bootstrap: join(folder, 'envoy.json'),
      admin,
      onReady: () => undefined,
      onTaken: () => undefined,
      onExit: (text) => resolve(text),
      onLog: () => undefined,
      onLine: () => undefined,
    });
    envoy.start();
  });
  expect(how).toContain('ENOENT');
});
