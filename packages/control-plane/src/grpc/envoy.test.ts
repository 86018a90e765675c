import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import type { TLSSocket } from 'node:tls';
import { join } from 'node:path';
import { type RunningEnvoy, freePort, startEnvoy } from '@mizzen/testkit';
import { TypeUrl } from '@mizzen/xds';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadOrCreateRoot } from '../ca/root.ts';
import { WorkloadSecrets } from '../ca/workload-secrets.ts';
import { XdsServer } from '../xds/server.ts';
import type { NodeConfig, Refusal } from '../xds/types.ts';
import { GrpcXdsListener } from './listener.ts';
import { realClock as clock } from './testing/clock.ts';
import { adsBootstrap } from './testing/ads-bootstrap.ts';
import { smallMesh } from './testing/mesh.ts';
import type { SmallMesh } from './testing/mesh.ts';
import { Traffic, application, get } from './testing/traffic.ts';

const NODE = 'sidecar~127.0.0.1~web-0.default~default.svc.cluster.local';
let directory: string;
let server: XdsServer;
let refusals: Refusal[];
let problems: string[];
const closing: (() => Promise<unknown>)[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mizzen-ads-'));
  refusals = [];
  problems = [];
  server = new XdsServer({ clock, onRefusal: (_, all) => refusals.push(...all) });
});
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
  rmSync(directory, { recursive: true });
});

async function listen(port = 0): Promise<{ readonly port: number; close(): Promise<void> }> {
  const listener = new GrpcXdsListener({
    bind: { host: '127.0.0.1', port },
    server,
    clock,
    onProblem: (text) => problems.push(text),
  });
  const bound = await listener.listen();
  closing.push(() => listener.close());
  return { port: bound, close: () => listener.close() };
}

async function app(name: string): Promise<number> {
  const running = await application(name);
  closing.push(() => running.close());
  return running.port;
}

const commit = (mesh: SmallMesh | NodeConfig): number =>
  server.commit(new Map([[NODE, 'secret' in mesh && 'routes' in mesh ? mesh : smallMesh(mesh)]]));

async function envoy(at: Parameters<typeof adsBootstrap>[0]['at'], incremental: boolean): Promise<RunningEnvoy> {
  const running = await startEnvoy(adsBootstrap({ node: { id: NODE }, at, incremental }));
  closing.push(() => running.stop());
  return running;
}

const synced = (): unknown =>
  Object.values(server.status()[0]?.types ?? { none: 'none' }).every((state) =>
    ['synced', 'not subscribed'].includes(state),
  );

describe.each([
  ['state of the world', false],
  ['incremental', true],
])('a real Envoy follows the %s', (_, incremental) => {
  test('clusters, endpoints, listeners and routes come, change and go under traffic without a failure', async () => {
    const [first, second] = [await app('first'), await app('second')];
    const { port } = await listen();
    const [own, other] = [await freePort(), await freePort()];
    const to = (name: string): SmallMesh['listeners'] => ({ '80': { port: own, to: name } });
    commit({ listeners: to('a'), clusters: { a: { port: first } } });
    const running = await envoy({ host: '127.0.0.1', port }, incremental);
    await expect.poll(synced).toBe(true);
    const traffic = new Traffic(own);
    closing.push(() => traffic.stop());
    const sees = (body: string): Promise<void> => expect.poll(async () => (await get(own)).body).toBe(body);
    await sees('first');

    // Endpoints alone.
    commit({ listeners: to('a'), clusters: { a: { port: second } } });
    await sees('second');
    // A cluster that changes waits for its endpoints again.
    commit({ listeners: to('a'), clusters: { a: { port: second, timeout: '2s' } } });
    await expect.poll(synced).toBe(true);
    await expect.poll(() => stat(running, 'cluster_manager.warming_clusters')).toBe(0);
    // A new cluster, its endpoints and the route to it, while the old cluster goes.
    commit({ listeners: to('b'), clusters: { b: { port: first } } });
    await sees('first');
    await expect.poll(() => stat(running, 'cluster_manager.active_clusters')).toBe(2);
    // One more listener, then one less.
    commit({ listeners: { ...to('b'), '81': { port: other, to: 'b' } }, clusters: { b: { port: first } } });
    await expect.poll(async () => (await get(other)).body).toBe('first');
    commit({ listeners: to('b'), clusters: { b: { port: first } } });
    await expect.poll(() => stat(running, 'listener_manager.total_listeners_active')).toBe(1);
    await expect.poll(synced).toBe(true);

    await traffic.stop();
    expect(traffic.failures).toEqual([]);
    expect(traffic.bodies.get('first')).toBeGreaterThan(3);
    expect(traffic.bodies.get('second')).toBeGreaterThan(3);
    expect([refusals, problems]).toEqual([[], []]);
  });

  test('secrets and extension configurations come over the same stream, and change by themselves', async () => {
    const backend = await app('x');
    const { port } = await listen();
    const own = await freePort();
    const root = loadOrCreateRoot(join(directory, 'ca'), 'cluster.local', clock.wall());
    const secrets = new WorkloadSecrets({ root, clock, onRotate: (node) => server.refresh(node) });
    closing.push(() => Promise.resolve(secrets.close()));
    const identity = { trustDomain: 'cluster.local', namespace: 'default', serviceAccount: 'web' };
    const mesh = (extension: string): SmallMesh => ({
      listeners: { '443': { port: own, to: 'a' } },
      clusters: { a: { port: backend } },
      extension,
      tls: true,
      secret: (name, have) => secrets.resolve(NODE, identity, name, have),
    });
    commit(mesh('one'));
    await envoy({ host: '127.0.0.1', port }, incremental);
    await expect.poll(async () => (await getTls(own)).mark).toBe('one');
    const before = await getTls(own);
    expect(before.names).toBe('URI:spiffe://cluster.local/ns/default/sa/web');
    commit(mesh('two'));
    await expect.poll(async () => (await getTls(own)).mark).toBe('two');
    const { extension: _, ...without } = mesh('');
    commit(without);
    await expect.poll(async () => (await getTls(own)).mark).toBeUndefined();
    await expect.poll(async () => (await getTls(own)).names).toBe(before.names);
    secrets.rotate();
    await expect.poll(async () => (await getTls(own)).serial).not.toBe(before.serial);
    await expect.poll(synced).toBe(true);
    expect([refusals, problems]).toEqual([[], []]);
  });

  test('what Envoy refuses leaves the last good one in force, stops nothing else and is not sent again', async () => {
    const [first, second] = [await app('first'), await app('second')];
    const { port } = await listen();
    const own = await freePort();
    const good = smallMesh({ listeners: { '80': { port: own, to: 'a' } }, clusters: { a: { port: first } } });
    commit(good);
    const running = await envoy({ host: '127.0.0.1', port }, incremental);
    await expect.poll(async () => (await get(own)).body).toBe('first');

    const bad = { ...good.clusters[0]!, dnsLookupFamily: 'AUTO', type: 'STATIC' } as const;
    const b = smallMesh({ listeners: {}, clusters: { b: { port: second } } });
    const mixed = { ...good, clusters: [bad, ...b.clusters], endpoints: [...good.endpoints, ...b.endpoints] };
    commit(mixed);
    await expect
      .poll(() => refusals.map(({ resource, typeUrl }) => [resource, typeUrl]))
      .toEqual([['a', TypeUrl.cluster]]);
    expect(refusals[0]?.message).toBe('eds_cluster_config set in a non-EDS cluster');
    await expect.poll(() => stat(running, 'cluster_manager.active_clusters')).toBe(3);
    expect(await get(own)).toMatchObject({ status: 200, body: 'first' });
    const types = () => server.status()[0]?.types;
    await expect.poll(types).toMatchObject({ cluster: 'refused', listener: 'synced', route: 'synced' });
    const rejected = await stat(running, 'cluster_manager.cds.update_rejected');
    expect(rejected).toBe(1);

    // Other changes go on, and the bad one is not sent again with them.
    const c = smallMesh({ listeners: {}, clusters: { c: { port: second } } });
    commit({
      ...mixed,
      clusters: [bad, ...b.clusters, ...c.clusters],
      endpoints: [...mixed.endpoints, ...c.endpoints],
    });
    await expect.poll(() => stat(running, 'cluster_manager.active_clusters')).toBe(4);
    expect(await stat(running, 'cluster_manager.cds.update_rejected')).toBe(1);
    await expect.poll(() => types()?.['cluster']).toBe('refused');

    // A refused listener and a refused route.
    const listener = { ...good.listeners[0]!, listenerFilters: [{ name: 'nobody.has.this' }] };
    commit({ ...good, listeners: [listener] });
    await expect.poll(() => refusals.at(-1)?.resource).toBe('listener-80');
    const route = { ...good.routes[0]!, virtualHosts: [{ name: 'all', domains: [] }] };
    commit({ ...good, routes: [route] });
    await expect.poll(() => refusals.at(-1)).toMatchObject({ resource: '80', field: 'virtualHosts[0].domains' });
    expect(await get(own)).toMatchObject({ status: 200, body: 'first' });

    commit(good);
    await expect.poll(synced).toBe(true);
    expect(server.status()[0]?.refusals).toEqual([]);
  });

  test('of a response that Envoy refuses without saying which resource it means, the rest gets through', async () => {
    const backend = await app('first');
    const { port } = await listen();
    const own = await freePort();
    const clusters = Object.fromEntries(['a', 'b', 'c', 'd', 'e'].map((name) => [name, { port: backend }]));
    const first = { listeners: { '80': { port: own, to: 'a' } }, clusters: { a: { port: backend } } };
    commit(first);
    const running = await envoy({ host: '127.0.0.1', port }, incremental);
    await expect.poll(async () => (await get(own)).body).toBe('first');
    commit({ ...first, clusters: { ...clusters, bad: { port: backend, timeout: '0s' } } });
    await expect.poll(() => stat(running, 'cluster_manager.active_clusters')).toBe(6);
    await expect.poll(() => server.status()[0]?.refusals.map((each) => each.resource)).toEqual(['bad']);
    expect(server.status()[0]?.refusals).toMatchObject([{ field: 'connectTimeout' }]);
    expect(await stat(running, 'cluster_manager.cds.update_rejected')).toBeLessThan(6);
    expect(await get(own)).toMatchObject({ status: 200, body: 'first' });
    commit({ ...first, clusters });
    await expect.poll(synced).toBe(true);
  });

  test('a proxy outlives its control plane, and follows the next one', async () => {
    const [first, second] = [await app('first'), await app('second')];
    const before = await listen();
    const own = await freePort();
    const mesh = (backend: number): SmallMesh => ({
      listeners: { '80': { port: own, to: 'a' } },
      clusters: { a: { port: backend } },
    });
    commit(mesh(first));
    const running = await envoy({ host: '127.0.0.1', port: before.port }, incremental);
    await expect.poll(async () => (await get(own)).body).toBe('first');
    const traffic = new Traffic(own);
    closing.push(() => traffic.stop());
    await before.close();
    await expect.poll(() => stat(running, 'control_plane.connected_state')).toBe(0);
    server = new XdsServer({ clock, onRefusal: (_, all) => refusals.push(...all) });
    commit(mesh(first));
    await listen(before.port);
    await expect.poll(() => server.status()[0]?.connected).toBe(true);
    await expect.poll(synced).toBe(true);
    commit(mesh(second));
    await expect.poll(async () => (await get(own)).body).toBe('second');
    await traffic.stop();
    expect(traffic.failures).toEqual([]);
    expect(refusals).toEqual([]);
  });
});

test('a unix socket serves Envoy, too', async () => {
  const backend = await app('first');
  const path = join(directory, 'xds', 'ads.sock');
  const listener = new GrpcXdsListener({ bind: { path }, server, clock });
  await listener.listen();
  closing.push(() => listener.close());
  const own = await freePort();
  commit({ listeners: { '80': { port: own, to: 'a' } }, clusters: { a: { port: backend } } });
  await envoy({ path }, true);
  await expect.poll(async () => (await get(own)).body).toBe('first');
});

async function stat({ adminPort }: RunningEnvoy, name: string): Promise<number> {
  const { body } = await get(adminPort, `/stats?filter=^${name}$`);
  return Number(/: (\d+)/.exec(body)?.[1]);
}

function getTls(port: number): Promise<{ readonly mark: unknown; readonly names: unknown; readonly serial: unknown }> {
  return new Promise((resolve) => {
    const outgoing = request({ host: '127.0.0.1', port, agent: false, rejectUnauthorized: false }, (response) => {
      const certificate = (response.socket as TLSSocket).getPeerCertificate();
      response.resume();
      const { subjectaltname: names, serialNumber: serial } = certificate;
      resolve({ mark: response.headers['x-mark'], names, serial });
    });
    outgoing.on('error', () => resolve({ mark: undefined, names: undefined, serial: undefined }));
    outgoing.end();
  });
}
