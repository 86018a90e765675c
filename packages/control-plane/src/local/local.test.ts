import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { LocalBodies, TypeUrl } from '@mizzen/xds';
import type { LocalXdsMessage, LocalXdsRequest, LocalXdsUpdate } from '@mizzen/xds';
import { ManualClock } from '../manual-clock.ts';
import { XdsServer } from '../xds/server.ts';
import { configOf } from '../xds/test-config.ts';
import { localXdsPath } from './path.ts';
import { LocalXdsListener } from './server.ts';

const mesh = configOf({ clusters: { a: 1 }, endpoints: { a: 1 }, routes: { '80': ['a'] } });
let directory: string;
let server: XdsServer;
let listeners: LocalXdsListener[];
let problems: string[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mizzen-xds-'));
  server = new XdsServer({ clock: new ManualClock() });
  listeners = [];
  problems = [];
});
afterEach(async () => {
  for (const listener of listeners) await listener.close();
  rmSync(directory, { recursive: true });
});

async function listen(path = localXdsPath(directory)): Promise<string> {
  const listener = new LocalXdsListener({ path, server, onProblem: (message) => problems.push(message) });
  await listener.listen();
  listeners.push(listener);
  return path;
}

/** Speaks lines: sends requests, waits for responses. */
class Client {
  readonly socket: Socket;
  /** Everything received, as it came. */
  text = '';
  readonly #bodies = new LocalBodies();
  readonly #lines: LocalXdsUpdate[] = [];
  readonly #waiting: ((response: LocalXdsUpdate) => void)[] = [];
  #rest = '';

  constructor(path: string) {
    this.socket = connect(path);
    this.socket.setEncoding('utf8');
    this.socket.on('data', (data: string) => {
      this.text += data;
      const lines = (this.#rest + data).split('\n');
      this.#rest = lines.pop() ?? '';
      for (const line of lines) {
        const response = this.#bodies.take(JSON.parse(line) as LocalXdsMessage);
        if (response === undefined) continue;
        const waiting = this.#waiting.shift();
        if (waiting === undefined) this.#lines.push(response);
        else waiting(response);
      }
    });
  }
  send(request: LocalXdsRequest): void {
    this.socket.write(`${JSON.stringify(request)}\n`);
  }
  next(): Promise<LocalXdsUpdate> {
    const line = this.#lines.shift();
    return line === undefined ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve(line);
  }
  closed(): Promise<void> {
    return new Promise((resolve) => this.socket.once('close', () => resolve()));
  }
}

test('many proxies share a connection, each with its own resources', async () => {
  const path = await listen();
  server.commit(
    new Map([
      ['n', mesh],
      ['m', configOf({ clusters: { other: 1 }, endpoints: { other: 1 }, routes: {} })],
    ]),
  );
  const client = new Client(path);
  client.send({ node: 'n', typeUrl: TypeUrl.cluster, subscribe: ['*'] });
  client.send({ node: 'm', typeUrl: TypeUrl.cluster, subscribe: ['*'] });
  const [first, second] = [await client.next(), await client.next()];
  expect(first).toMatchObject({
    node: 'n',
    typeUrl: TypeUrl.cluster,
    removed: [],
    resources: [{ name: 'a', resource: mesh.clusters[0] }],
  });
  expect(second).toMatchObject({ node: 'm', resources: [{ name: 'other' }] });
  client.send({
    node: 'n',
    typeUrl: TypeUrl.cluster,
    responseNonce: first.nonce,
    errors: [{ resource: 'a', field: 'type', message: 'not that' }],
  });
  client.send({ node: 'm', typeUrl: TypeUrl.cluster, responseNonce: second.nonce });
  client.send({ node: 'm', typeUrl: TypeUrl.endpoint, subscribe: ['other'] });
  await client.next();
  expect(server.status().map(({ node, types }) => [node, types['cluster']])).toEqual([
    ['m', 'synced'],
    ['n', 'refused'],
  ]);
  client.send({ node: 'm', typeUrl: '', close: true });
  client.send({ node: 'n', typeUrl: TypeUrl.listener, subscribe: ['*'] });
  await expect.poll(() => server.status().find(({ node }) => node === 'm')?.connected).toBe(false);
  expect(server.status().find(({ node }) => node === 'n')?.connected).toBe(true);
  client.socket.destroy();
  await expect.poll(() => server.status().find(({ node }) => node === 'n')?.connected).toBe(false);
});

test('only this user may open the socket', async () => {
  const path = await listen();
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(directory).mode & 0o777).toBe(0o700);
});

test('a long state directory gets a short socket path, always the same', async () => {
  const long = join(directory, 'x'.repeat(120));
  const path = localXdsPath(long);
  expect(Buffer.byteLength(path)).toBeLessThanOrEqual(100);
  expect(localXdsPath(long)).toBe(path);
  expect(localXdsPath(`${long}y`)).not.toBe(path);
  await listen(path);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(join(path, '..')).mode & 0o777).toBe(0o700);
  rmSync(join(path, '..'), { recursive: true });
});

test('what a dead process left is removed, what a living one serves is not', async () => {
  const left = `require('node:net').createServer().listen('${localXdsPath(directory)}', () => process.kill(process.pid, 'SIGKILL'))`;
  spawnSync(process.execPath, ['-e', left]);
  expect(statSync(localXdsPath(directory)).isSocket()).toBe(true);
  const path = await listen();
  await expect(listen()).rejects.toThrow(/another process serves xDS/);
  const client = new Client(path);
  server.commit(new Map([['n', mesh]]));
  client.send({ node: 'n', typeUrl: TypeUrl.cluster, subscribe: ['*'] });
  expect((await client.next()).resources).toHaveLength(1);
  client.socket.destroy();
});

test('nonsense ends the connection and nothing else', async () => {
  const path = await listen();
  for (const line of ['{', '[]', '7', '{"node":3}', '{"node":"n"}', 'null']) {
    const client = new Client(path);
    client.socket.write(`${line}\n`);
    await client.closed();
  }
  expect(problems).toHaveLength(6);
  server.commit(new Map([['n', mesh]]));
  const client = new Client(path);
  client.send({ node: 'n', typeUrl: TypeUrl.cluster, subscribe: ['*'] });
  expect((await client.next()).resources).toHaveLength(1);
  client.socket.destroy();
});

test('what many proxies have goes over the connection once, until none of them has it', async () => {
  const path = await listen();
  const nodes = ['n', 'm', 'o'];
  const commit = (revision: number, to: readonly string[]): void => {
    const config = configOf({ clusters: { a: revision }, endpoints: { a: 1 }, routes: {} });
    server.commit(new Map(to.map((node) => [node, config])));
  };
  const client = new Client(path);
  const bodies = (): number => client.text.split('"resource":').length - 1;
  const sent = async (count: number): Promise<unknown[]> => {
    const found: unknown[] = [];
    for (let i = 0; i < count; i++) {
      const { node, typeUrl, nonce, resources } = await client.next();
      client.send({ node, typeUrl, responseNonce: nonce });
      found.push(resources[0]?.resource);
    }
    return found;
  };
  commit(1, nodes);
  for (const node of nodes) client.send({ node, typeUrl: TypeUrl.cluster, subscribe: ['*'] });
  const [first, ...others] = await sent(3);
  for (const other of others) expect(other).toBe(first);
  expect(bodies()).toBe(1);
  await expect.poll(() => server.status().map(({ types }) => types['cluster'])).toEqual(nodes.map(() => 'synced'));
  commit(2, ['n', 'm']);
  await sent(2);
  expect(bodies()).toBe(2);
  commit(1, ['n']);
  expect(await sent(1)).toEqual([first]);
  // Two proxies have the first one still.
  expect(bodies()).toBe(2);
  expect(client.text).not.toContain('"forget"');
  commit(2, ['n']);
  await sent(1);
  client.send({ node: 'o', typeUrl: '', close: true });
  await expect.poll(() => server.status().find(({ node }) => node === 'o')?.connected).toBe(false);
  commit(3, ['n', 'm']);
  await sent(2);
  await expect
    .poll(
      () =>
        client.text
          .match(/"forget":\[[^\]]*\]/g)
          ?.join()
          .split(',').length,
    )
    .toBe(2);
  commit(1, ['n']);
  expect(await sent(1)).toEqual([first]);
  expect(bodies()).toBe(4);
  client.socket.destroy();
});

test('a client that does not read holds up no memory, and gets the newest state when it reads', async () => {
  const path = await listen();
  const big = (revision: number, node: number): ReturnType<typeof configOf> => ({
    ...mesh,
    clusters: [{ name: 'a', altStatName: `${node}`.padEnd(3_000_000, 'x'), connectTimeout: `${revision}s` }],
  });
  server.commit(new Map(Array.from({ length: 20 }, (_, index) => [`n${index}`, big(1, index)])));
  const client = new Client(path);
  client.socket.pause();
  for (let index = 0; index < 20; index++)
    client.send({ node: `n${index}`, typeUrl: TypeUrl.cluster, subscribe: ['*'] });
  await expect.poll(() => server.status().filter((each) => each.connected).length).toBe(20);
  server.commit(new Map(Array.from({ length: 20 }, (_, index) => [`n${index}`, big(2, index)])));
  client.socket.resume();
  const seen: Record<string, string[]> = {};
  for (let open = 20; open > 0;) {
    const { node, nonce, resources } = await client.next();
    const timeout = (resources[0]!.resource as { connectTimeout: string }).connectTimeout;
    (seen[node] ??= []).push(timeout);
    if (timeout === '2s') open -= 1;
    client.send({ node, typeUrl: TypeUrl.cluster, responseNonce: nonce });
  }
  // Those that were still waiting skipped the first state.
  expect(Object.values(seen).filter((states) => states.length === 1).length).toBeGreaterThan(10);
  client.socket.destroy();
});
