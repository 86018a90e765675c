import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadOrCreateRoot } from '@mizzen/control-plane/ca/root.ts';
import { WorkloadSecrets } from '@mizzen/control-plane/ca/workload-secrets.ts';
import { GrpcXdsListener } from '@mizzen/control-plane/grpc/listener.ts';
import { adsBootstrap } from '@mizzen/control-plane/grpc/testing/ads-bootstrap.ts';
import { realClock as clock } from '@mizzen/control-plane/grpc/testing/clock.ts';
import { smallMesh, type SmallMesh } from '@mizzen/control-plane/grpc/testing/mesh.ts';
import { application, get, Traffic } from '@mizzen/control-plane/grpc/testing/traffic.ts';
import { XdsServer } from '@mizzen/control-plane/xds/server.ts';
import type { NodeConfig, Refusal } from '@mizzen/control-plane/xds/types.ts';
import { freePort } from '@mizzen/testkit';
import { TypeUrl, type Cluster, type Secret } from '@mizzen/xds';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { runProxy, type RunningProxy } from './testing/run-proxy.ts';

const NODE = 'sidecar~127.0.0.1~web-0.default~default.svc.cluster.local';
const SLOW = { interval: 50 };
let directory: string;
let server: XdsServer;
let refusals: Refusal[];
const closing: (() => unknown)[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mizzen-proxy-ads-'));
  refusals = [];
  server = new XdsServer({ clock, onRefusal: (_, all) => refusals.push(...all) });
});
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
  rmSync(directory, { recursive: true });
});

async function listen(
  port = 0,
  tls?: ConstructorParameters<typeof GrpcXdsListener>[0]['tls'],
): Promise<{ port: number; close(): Promise<void> }> {
  const listener = new GrpcXdsListener({
    bind: { host: '127.0.0.1', port },
    server,
    clock,
    ...(tls === undefined ? {} : { tls }),
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

function proxy(bootstrap: object): RunningProxy {
  const running = runProxy(bootstrap);
  closing.push(() => running.stop());
  return running;
}

const commit = (mesh: SmallMesh | NodeConfig): number =>
  server.commit(new Map([[NODE, 'routes' in mesh ? mesh : smallMesh(mesh)]]));
const synced = (): boolean =>
  Object.values(server.status()[0]?.types ?? { none: 'none' }).every((state) =>
    ['synced', 'not subscribed'].includes(state),
  );
const body = (port: number) => async (): Promise<string> => (await get(port)).body;

describe.each([
  ['state of the world', false],
  ['incremental', true],
])('over ADS, %s', (_, incremental) => {
  const ads = (port: number): object =>
    adsBootstrap({ node: { id: NODE }, at: { host: '127.0.0.1', port }, incremental });

  test('clusters, endpoints, listeners and routes come, change and go under traffic without a failure', async () => {
    const [first, second] = [await app('first'), await app('second')];
    const { port } = await listen();
    const [own, other] = [await freePort(), await freePort()];
    const to = (name: string): SmallMesh['listeners'] => ({ '80': { port: own, to: name } });
    commit({ listeners: to('a'), clusters: { a: { port: first } } });
    proxy(ads(port));
    await expect.poll(body(own), SLOW).toBe('first');
    const traffic = new Traffic(own);
    closing.push(() => traffic.stop());
    commit({ listeners: to('a'), clusters: { a: { port: second } } });
    await expect.poll(body(own), SLOW).toBe('second');
    commit({ listeners: to('a'), clusters: { a: { port: second, timeout: '2s' } } });
    await expect.poll(synced, SLOW).toBe(true);
    commit({ listeners: to('b'), clusters: { b: { port: first } } });
    await expect.poll(body(own), SLOW).toBe('first');
    commit({ listeners: { ...to('b'), '81': { port: other, to: 'b' } }, clusters: { b: { port: first } } });
    await expect.poll(body(other), SLOW).toBe('first');
    commit({ listeners: to('b'), clusters: { b: { port: first } } });
    await expect.poll(async () => (await get(other)).status, SLOW).toBe(0);
    await expect.poll(synced, SLOW).toBe(true);
    await traffic.stop();
    expect(traffic.failures).toEqual([]);
    expect(traffic.bodies.get('second')).toBeGreaterThan(0);
    expect(refusals).toEqual([]);
  });

  test('what is refused is named with its field, the last good one stays, and everything else goes on', async () => {
    const [first, second] = [await app('first'), await app('second')];
    const { port } = await listen();
    const own = await freePort();
    const good = smallMesh({ listeners: { '80': { port: own, to: 'a' } }, clusters: { a: { port: first } } });
    commit(good);
    proxy(ads(port));
    await expect.poll(body(own), SLOW).toBe('first');
    const bad: Cluster = { ...good.clusters[0]!, perConnectionBufferHighWatermarkTimeout: '1s' };
    const b = smallMesh({ listeners: { '80': { port: own, to: 'b' } }, clusters: { b: { port: second } } });
    commit({ ...b, clusters: [bad, ...b.clusters], endpoints: [...good.endpoints, ...b.endpoints] });
    await expect.poll(body(own), SLOW).toBe('second');
    await expect
      .poll(() => refusals.map(({ typeUrl, resource }) => [typeUrl, resource]), SLOW)
      .toEqual([[TypeUrl.cluster, 'a']]);
    expect(refusals[0]!.message).toContain('perConnectionBufferHighWatermarkTimeout');
    await expect
      .poll(() => server.status()[0]?.types, SLOW)
      .toMatchObject({ cluster: 'refused', listener: 'synced', route: 'synced' });
    commit(b);
    await expect.poll(synced, SLOW).toBe(true);
  });

  test('a proxy outlives its server and follows the next one', async () => {
    const [first, second] = [await app('first'), await app('second')];
    const before = await listen();
    const own = await freePort();
    const mesh = (backend: number): SmallMesh => ({
      listeners: { '80': { port: own, to: 'a' } },
      clusters: { a: { port: backend } },
    });
    commit(mesh(first));
    const running = proxy(ads(before.port));
    await expect.poll(body(own), SLOW).toBe('first');
    const traffic = new Traffic(own);
    closing.push(() => traffic.stop());
    await before.close();
    await expect.poll(() => running.output(), SLOW).toContain('configuration stays as it is');
    server = new XdsServer({ clock, onRefusal: (_node, all) => refusals.push(...all) });
    commit(mesh(first));
    await listen(before.port);
    await expect.poll(() => server.status()[0]?.connected, SLOW).toBe(true);
    await expect.poll(synced, SLOW).toBe(true);
    commit(mesh(second));
    await expect.poll(body(own), SLOW).toBe('second');
    await traffic.stop();
    expect(traffic.failures).toEqual([]);
    expect(refusals).toEqual([]);
  });
});

test('the server may be at a unix socket, with secrets from a server of their own', async () => {
  const backend = await app('first');
  const own = await freePort();
  const root = loadOrCreateRoot(join(directory, 'ca'), 'cluster.local', clock.wall());
  const secrets = new WorkloadSecrets({ root, clock, onRotate: (node) => server.refresh(node) });
  closing.push(() => secrets.close());
  const identity = { trustDomain: 'cluster.local', namespace: 'default', serviceAccount: 'web' };
  const path = join(directory, 'xds', 'ads.sock');
  const listener = new GrpcXdsListener({ bind: { path }, server, clock });
  await listener.listen();
  closing.push(() => listener.close());
  commit({
    listeners: { '443': { port: own, to: 'a' } },
    clusters: { a: { port: backend } },
    tls: true,
    secret: (name, have) => secrets.resolve(NODE, identity, name, have),
  });
  proxy(adsBootstrap({ node: { id: NODE }, at: { path }, incremental: true }));
  const { connect } = await import('node:tls');
  const names = (): Promise<string | undefined> =>
    new Promise((done) => {
      const socket = connect({ port: own, host: '127.0.0.1', rejectUnauthorized: false }, () => {
        done(socket.getPeerCertificate().subjectaltname);
        socket.destroy();
      });
      socket.on('error', () => done(undefined));
    });
  await expect.poll(names, SLOW).toBe('URI:spiffe://cluster.local/ns/default/sa/web');
});

test('a server over mutual TLS is proved, and told the metadata of the bootstrap', async () => {
  const backend = await app('first');
  const own = await freePort();
  const root = loadOrCreateRoot(join(directory, 'ca'), 'cluster.local', clock.wall());
  const secrets = new WorkloadSecrets({ root, clock, onRotate: () => undefined });
  closing.push(() => secrets.close());
  const secret = (account: string, name: string): Secret => {
    const identity = { trustDomain: 'cluster.local', namespace: 'istio-system', serviceAccount: account };
    const answer = secrets.resolve(account, identity, name, undefined);
    if (answer === undefined || answer === 'keep') throw new Error(`no secret ${name}`);
    return answer.secret;
  };
  const pem = (text: string | undefined): string => Buffer.from(text ?? '', 'base64').toString();
  const ca = pem(secret('istiod', 'ROOTCA').validationContext?.trustedCa?.inlineBytes);
  const { certificateChain, privateKey } = secret('istiod', 'default').tlsCertificate!;
  commit({ listeners: { '80': { port: own, to: 'a' } }, clusters: { a: { port: backend } } });
  const { port } = await listen(0, { cert: pem(certificateChain?.inlineBytes), key: pem(privateKey?.inlineBytes), ca });
  const tls = (account: string): object => ({
    commonTlsContext: {
      tlsCertificates: [secret('web', 'default').tlsCertificate],
      validationContext: {
        trustedCa: { inlineString: ca },
        matchTypedSubjectAltNames: [
          { sanType: 'URI', matcher: { exact: `spiffe://cluster.local/ns/istio-system/sa/${account}` } },
        ],
      },
    },
  });
  const at = { host: '127.0.0.1', port };
  const wrong = proxy(adsBootstrap({ node: { id: NODE }, at, incremental: false, tls: tls('somebody') }));
  await expect.poll(() => wrong.output(), SLOW).toContain('SAN matcher');
  proxy(adsBootstrap({ node: { id: NODE }, at, incremental: false, tls: tls('istiod') }));
  await expect.poll(body(own), SLOW).toBe('first');
  expect((await get(own)).status).toBe(200);
});

test('clusters, listeners and what they name come from files, and again when these are moved into place', async () => {
  const [first, second] = [await app('first'), await app('second')];
  const own = await freePort();
  const write = (name: string, typeUrl: string, resources: readonly object[]): void => {
    const file = join(directory, name);
    const text = { versionInfo: '1', resources: resources.map((each) => ({ '@type': typeUrl, ...each })) };
    writeFileSync(`${file}.new`, JSON.stringify(text));
    renameSync(`${file}.new`, file);
  };
  const source = (name: string): object => ({
    pathConfigSource: { path: join(directory, name) },
    resourceApiVersion: 'V3',
  });
  const text = JSON.stringify(
    smallMesh({ listeners: { '80': { port: own, to: 'a' } }, clusters: { a: { port: first } } }),
  );
  const mesh = JSON.parse(
    text
      .replace(/"edsConfig":\{[^}]*\}[^}]*\}/, `"edsConfig":${JSON.stringify(source('eds.json'))}`)
      .replace(/"configSource":\{[^}]*\}[^}]*\}/, `"configSource":${JSON.stringify(source('rds.json'))}`),
  ) as NodeConfig;
  write('cds.json', TypeUrl.cluster, mesh.clusters);
  write('eds.json', TypeUrl.endpoint, mesh.endpoints);
  write('lds.json', TypeUrl.listener, mesh.listeners);
  write('rds.json', TypeUrl.route, mesh.routes);
  proxy({
    node: { id: NODE, cluster: 'test' },
    dynamicResources: { cdsConfig: source('cds.json'), ldsConfig: source('lds.json') },
  });
  await expect.poll(body(own), SLOW).toBe('first');
  const moved = JSON.parse(JSON.stringify(mesh.endpoints).replaceAll(String(first), String(second))) as object[];
  write('eds.json', TypeUrl.endpoint, moved);
  await expect.poll(body(own), SLOW).toBe('second');
});
