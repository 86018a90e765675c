import { beforeEach, expect, test } from 'vitest';
import { TypeUrl } from '@mizzen/xds';
import { ManualClock } from '../manual-clock.ts';
import { XdsServer } from '../xds/server.ts';
import { configOf } from '../xds/test-config.ts';
import { TestProxy } from '../xds/test-proxy.ts';
import { answerDebug, type DebugSource } from './answer.ts';
import { redacted } from './redact.ts';
import type { SyncStatus } from './syncz.ts';
import type { ConfigDump } from './types.ts';

const NODE = 'sidecar~10.0.0.1~orders-0.shop~shop.svc.cluster.local';
const OTHER = 'sidecar~10.0.0.2~orders-1.shop~shop.svc.cluster.local';
const metadata = { CLUSTER_ID: 'Kubernetes', ISTIO_VERSION: '1.27.1' };
let server: XdsServer;
let issued: (string | undefined)[];

beforeEach(() => {
  server = new XdsServer({ clock: new ManualClock() });
  issued = [];
  for (const node of [NODE, OTHER]) commit(node, { a: 1 });
});

function commit(node: string, clusters: Readonly<Record<string, number>>): void {
  const config = configOf({ clusters, endpoints: { a: 1 }, routes: { '80': ['a'] }, secret: 'key' });
  const secret: typeof config.secret = (name, have) => {
    issued.push(have);
    return config.secret(name, have);
  };
  server.commit(new Map([[node, { ...config, secret }]]));
}

const source: DebugSource = {
  proxies: () =>
    server.status().map(({ node, connected, refusals }) => ({
      node: { id: node, metadata },
      connected,
      config: server.config(node),
      sync: server.sync(node),
      refusals: refusals.map((each) => ({ ...each, origin: { file: 'shop.yaml', line: 7 } })),
    })),
  endpoints: () => [{ svc: 'orders.shop.svc.cluster.local:http', ep: [] }],
};
const ask = (path: string): unknown => answerDebug(new URL(path, 'http://localhost'), source)?.body;
const dump = (query: string): ConfigDump['configs'] => (ask(`/debug/config_dump?${query}`) as ConfigDump).configs;
const types = (parts: ConfigDump['configs']): string[] => parts.map((part) => part['@type'].split('.').at(-1) ?? '');

test('a dump has every part that Envoy has, in the order of istiod', () => {
  expect(types(dump('proxyID=orders-0.shop'))).toEqual([
    'BootstrapConfigDump',
    'ClustersConfigDump',
    'ListenersConfigDump',
    'ScopedRoutesConfigDump',
    'RoutesConfigDump',
    'SecretsConfigDump',
    'EcdsConfigDump',
  ]);
  expect(types(dump('proxyID=orders-0.shop&include_eds=true'))[2]).toBe('EndpointsConfigDump');
});

test('resources are as they are sent, with their type and their version', () => {
  const proxy = new TestProxy(server, NODE);
  proxy.connect();
  proxy.settle();
  const clusters = dump(`proxyID=${NODE}`).find((part) => part['@type'].endsWith('ClustersConfigDump'));
  const sent = proxy.received.find(({ typeUrl }) => typeUrl === TypeUrl.cluster)?.resources[0];
  expect(clusters).toMatchObject({
    dynamicActiveClusters: [{ versionInfo: sent?.version, cluster: { '@type': TypeUrl.cluster, ...sent?.resource } }],
  });
});

test('secrets are shown without their keys', () => {
  const text = JSON.stringify(dump('proxyID=orders-0.shop'));
  expect(text).toContain('"name":"default","versionInfo":"key"');
  expect(text).toContain('[redacted]');
  expect(text).not.toContain('"inlineString":"key"');
});

test('a secret that is asked for and not there is one that the proxy waits for', () => {
  const { secret: _, ...config } = configOf({ clusters: {}, endpoints: {}, routes: { '80': [] } });
  server.commit(new Map([[NODE, { ...config, secret: () => undefined }]]));
  expect(dump('proxyID=orders-0.shop').find((part) => part['@type'].endsWith('SecretsConfigDump'))).toMatchObject({
    dynamicActiveSecrets: [],
    dynamicWarmingSecrets: [{ name: 'default', versionInfo: 'uninitialized' }],
  });
});

test('every sensitive field of a secret is redacted, and nothing else', () => {
  const bytes = Buffer.from('[redacted]').toString('base64');
  expect(
    redacted({
      name: 'default',
      tlsCertificate: {
        certificateChain: { inlineBytes: 'Y2VydA==' },
        privateKey: { inlineBytes: 'a2V5' },
        password: { inlineString: 'secret' },
      },
    }),
  ).toEqual({
    name: 'default',
    tlsCertificate: {
      certificateChain: { inlineBytes: 'Y2VydA==' },
      privateKey: { inlineBytes: bytes },
      password: { inlineString: '[redacted]' },
    },
  });
  expect(redacted({ sessionTicketKeys: { keys: [{ filename: '/keys/1' }] } })).toEqual({
    sessionTicketKeys: { keys: [{ filename: '[redacted]' }] },
  });
});

test('looking at a proxy asks for the secret it holds, not for another', () => {
  const proxy = new TestProxy(server, NODE);
  proxy.connect();
  proxy.settle();
  issued.length = 0;
  dump('proxyID=orders-0.shop');
  expect(issued).toEqual(['key']);
});

test('syncz tells what was sent from what was acknowledged', () => {
  const proxy = new TestProxy(server, NODE);
  proxy.connect();
  proxy.settle();
  commit(NODE, { a: 2 });
  const [first, second] = ask('/debug/syncz') as SyncStatus[];
  expect(first).toMatchObject({
    cluster_id: 'Kubernetes',
    proxy: 'orders-0.shop',
    proxy_type: 'sidecar',
    istio_version: '1.27.1',
    mizzen: {
      connected: true,
      types: { CDS: 'pending', LDS: 'synced', EDS: 'synced', RDS: 'synced', SDS: 'synced' },
      refusals: [],
    },
  });
  expect(first?.cluster_sent).not.toBe(first?.cluster_acked);
  expect(first?.listener_sent).toBe(first?.listener_acked);
  expect(second).toEqual({
    cluster_id: 'Kubernetes',
    proxy: 'orders-1.shop',
    proxy_type: 'sidecar',
    istio_version: '1.27.1',
    mizzen: { node: OTHER, workload: '', labels: {}, connected: false, types: {}, refusals: [] },
  });
});

test('syncz says what was refused, why, and which line it came from', () => {
  const proxy = new TestProxy(server, NODE);
  proxy.refuse = (typeUrl) => (typeUrl === TypeUrl.cluster ? 'no' : undefined);
  proxy.connect();
  proxy.settle();
  const [first] = ask('/debug/syncz') as SyncStatus[];
  expect(first?.cluster_acked).toBeUndefined();
  expect(first?.mizzen.types['CDS']).toBe('refused');
  expect(first?.mizzen.refusals).toMatchObject([
    { type: 'CDS', resource: 'a', field: 'x', message: 'no', file: 'shop.yaml', line: 7 },
  ]);
});

test('syncz of one proxy says which resources it lacks, and why', () => {
  const lacks = (): unknown => (ask(`/debug/syncz?proxyID=${NODE}`) as SyncStatus[])[0]?.mizzen.differences;
  const proxy = new TestProxy(server, NODE);
  proxy.connect();
  proxy.settle();
  expect(lacks()).toEqual([]);
  commit(NODE, { a: 2, b: 1 });
  expect(lacks()).toMatchObject([
    { type: 'CDS', resource: 'a', state: 'not acknowledged' },
    { type: 'CDS', resource: 'b', state: 'not acknowledged' },
  ]);
  proxy.setWritable(false);
  proxy.settle();
  commit(NODE, { b: 1 });
  expect(lacks()).toMatchObject([{ type: 'CDS', resource: 'a', wanted: '', state: 'not sent' }]);
  proxy.setWritable(true);
  proxy.refuse = (typeUrl) => (typeUrl === TypeUrl.cluster ? 'no' : undefined);
  commit(NODE, { b: 2 });
  proxy.settle();
  expect(lacks()).toMatchObject([{ type: 'CDS', resource: 'b', state: 'refused' }]);
});

test('endpointz is what EDS sends a proxy, or what all services have', () => {
  expect(ask('/debug/endpointz?proxyID=orders-1.shop')).toMatchObject([{ clusterName: 'a' }]);
  expect(ask('/debug/endpointz')).toEqual([{ svc: 'orders.shop.svc.cluster.local:http', ep: [] }]);
});

test('a proxy that is not there, not named or not the only one is an error', () => {
  const status = (path: string): unknown => answerDebug(new URL(path, 'http://localhost'), source);
  expect(status('/debug/config_dump')).toMatchObject({ status: 400, body: { error: { code: 'proxy-missing' } } });
  expect(status('/debug/config_dump?proxyID=nobody')).toMatchObject({ status: 404 });
  expect(status('/debug/config_dump?proxyID=orders')).toMatchObject({
    status: 400,
    body: { error: { code: 'ambiguous', message: '`orders` could be orders-0.shop, orders-1.shop' } },
  });
  expect(status('/debug/config_dump?proxyID=10.0.0.2')).toMatchObject({ status: 200 });
  expect(status('/debug/nothing')).toBeUndefined();
});
