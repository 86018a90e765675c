import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { requireTool } from '@mizzen/testkit';
import { TypeUrl } from '@mizzen/xds';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadOrCreateRoot } from '../ca/root.ts';
import { WorkloadSecrets } from '../ca/workload-secrets.ts';
import { ManualClock } from '../manual-clock.ts';
import { XdsServer } from '../xds/server.ts';
import { configOf, type TestMesh } from '../xds/test-config.ts';
import { TestProxy } from '../xds/test-proxy.ts';
import { ControlPlaneMetrics } from './control-plane-metrics.ts';
import { Registry } from './registry.ts';

const base: TestMesh = { clusters: { a: 1, b: 1 }, endpoints: { a: 1, b: 1 }, routes: { '80': ['a', 'b'] } };
let directory: string;
let clock: ManualClock;
let metrics: ControlPlaneMetrics;
let server: XdsServer;
let secrets: WorkloadSecrets;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mizzen-metrics-'));
  clock = new ManualClock();
  const root = loadOrCreateRoot(directory, 'cluster.local', clock.wall());
  metrics = new ControlPlaneMetrics({ clock, root, version: '1.2.3' });
  server = new XdsServer({ clock, observer: metrics });
  secrets = new WorkloadSecrets({ clock, root, onRotate: () => {}, observer: metrics });
  metrics.follow({
    versions: () => [...server.connected()].map(() => '1.30.0'),
    refusals: () => server.refusals(),
    services: () => 7,
    virtualServices: () => 2,
    rejected: () => [['Gateway', 'shop/front']],
  });
});
afterEach(() => {
  secrets.close();
  rmSync(directory, { recursive: true });
});

const commit = (mesh: TestMesh): number => server.commit(new Map(['m', 'n'].map((node) => [node, configOf(mesh)])));
function connect(node: string): TestProxy {
  const proxy = new TestProxy(server, node);
  proxy.connect();
  proxy.settle();
  return proxy;
}
/** The sample with this name and these labels. */
function value(sample: string): number | undefined {
  const line = metrics
    .text()
    .split('\n')
    .find((each) => each.startsWith(`${sample} `));
  return line === undefined ? undefined : Number(line.slice(sample.length + 1));
}

test('resources are counted as they come, change and go: those of Istio, and those of the registry', () => {
  const ref = (apiVersion: string, kind: string, name = 'a') => ({ apiVersion, kind, namespace: 'shop', name });
  const route = ref('networking.istio.io/v1', 'VirtualService');
  const service = ref('v1', 'Service');
  const others = [ref('v1', 'ConfigMap'), ref('apps/v1', 'Deployment'), ref('other.io/v1', 'Service')];
  metrics.onResources({ added: [route, { ...route, name: 'b' }, service, ...others], modified: [], removed: [] });
  metrics.onResources({
    added: [ref('gateway.networking.k8s.io/v1', 'HTTPRoute')],
    modified: [route, ref('security.istio.io/v1beta1', 'PeerAuthentication')],
    removed: [service],
  });
  expect(
    metrics
      .text()
      .split('\n')
      .filter((line) => line.startsWith('pilot_k8s_')),
  ).toEqual([
    'pilot_k8s_cfg_events{type="VirtualService",event="add"} 2',
    'pilot_k8s_cfg_events{type="HTTPRoute",event="add"} 1',
    'pilot_k8s_cfg_events{type="VirtualService",event="update"} 1',
    'pilot_k8s_cfg_events{type="PeerAuthentication",event="update"} 1',
    'pilot_k8s_reg_events{type="Services",event="add"} 1',
    'pilot_k8s_reg_events{type="Services",event="delete"} 1',
  ]);
});

test('proxies, pushes and their sizes are counted by type', () => {
  commit(base);
  const proxies = [connect('m'), connect('n')];
  expect(value('pilot_xds{version="1.30.0"}')).toBe(2);
  expect(value('pilot_services')).toBe(7);
  expect(value('pilot_virt_services')).toBe(2);
  expect(value('pilot_total_rejected_configs{type="Gateway",name="shop/front"}')).toBe(1);
  expect(value('pilot_info{version="1.2.3"}')).toBe(1);
  for (const type of ['cds', 'eds', 'lds', 'rds', 'sds']) {
    expect(value(`pilot_xds_pushes{type="${type}"}`), type).toBe(2);
    expect(value(`pilot_xds_push_time_count{type="${type}"}`), type).toBe(2);
    expect(value(`pilot_xds_config_size_bytes_bucket{type="${type}",le="1"}`), type).toBe(0);
    expect(value(`pilot_xds_config_size_bytes_bucket{type="${type}",le="10000"}`), type).toBe(2);
  }
  const sizes = proxies.flatMap(({ received }) =>
    received.filter(({ typeUrl }) => typeUrl === TypeUrl.cluster).map(({ resources }) => resources),
  );
  const bytes = sizes.flat().reduce((sum, { json }) => sum + json.length, 0);
  expect(value('pilot_xds_config_size_bytes_sum{type="cds"}')).toBe(bytes);
  proxies[0]!.disconnect();
  expect(value('pilot_xds{version="1.30.0"}')).toBe(1);
  proxies[1]!.disconnect();
  expect(value('pilot_xds{version="1.30.0"}')).toBeUndefined();
});

test('a proxy has converged when it has answered all of a change', () => {
  commit(base);
  const [m, n] = [connect('m'), connect('n')];
  const before = value('pilot_proxy_convergence_time_count')!;
  commit({ ...base, endpoints: { a: 1, b: 2 } });
  clock.advance(400);
  m.settle();
  expect(value('pilot_proxy_convergence_time_count')).toBe(before + 1);
  clock.advance(3600);
  n.settle();
  expect(value('pilot_proxy_convergence_time_count')).toBe(before + 2);
  expect(value('pilot_proxy_convergence_time_bucket{le="0.5"}')).toBe(before + 1);
  expect(value('pilot_proxy_convergence_time_bucket{le="5"}')).toBe(before + 2);
  commit({ ...base, endpoints: { a: 1, b: 3 } });
  n.disconnect();
  m.settle();
  expect(value('pilot_proxy_convergence_time_count'), 'who is gone has not converged').toBe(before + 3);
});

test('a refusal is counted once, and shows for as long as it lasts', () => {
  commit(base);
  const proxy = connect('n');
  proxy.refuse = (_, json) => (json.includes('"7s"') ? 'no' : undefined);
  commit({ ...base, clusters: { a: 7, b: 1 } });
  proxy.settle();
  expect(value('pilot_total_xds_rejects{type="cds"}')).toBe(1);
  expect(value('pilot_xds_cds_reject{node="n",err="Internal"}')).toBe(1);
  commit(base);
  proxy.settle();
  expect(value('pilot_total_xds_rejects{type="cds"}')).toBe(1);
  expect(value('pilot_xds_cds_reject{node="n",err="Internal"}')).toBeUndefined();
  proxy.toServer.push({ typeUrl: TypeUrl.cluster, responseNonce: 'of old' });
  proxy.settle();
  expect(value('pilot_xds_expired_nonce{type="cds"}')).toBe(1);
});

test('certificates issued, and how long the root lasts', () => {
  const identity = { trustDomain: 'cluster.local', namespace: 'shop', serviceAccount: 'web' };
  expect(value('citadel_server_success_cert_issuance_count')).toBe(0);
  secrets.resolve('n', identity, 'default', undefined);
  secrets.resolve('n', identity, 'default', undefined);
  secrets.resolve('m', identity, 'default', undefined);
  expect(value('citadel_server_success_cert_issuance_count')).toBe(2);
  const left = value('citadel_server_root_cert_expiry_seconds')!;
  expect(left / 86_400 / 365).toBeCloseTo(10, 1);
  clock.advance(60_000);
  expect(value('citadel_server_root_cert_expiry_seconds')).toBeCloseTo(left - 60, 3);
  expect(value('citadel_server_root_cert_expiry_timestamp')).toBe(clock.wall() / 1000 + left - 60);
});

test('Prometheus reads all of it', () => {
  commit(base);
  connect('n');
  metrics.onChange('endpoint');
  metrics.onModel(20);
  const promtool = requireTool('promtool');
  let said = '';
  try {
    execFileSync(promtool, ['check', 'metrics'], { input: metrics.text(), encoding: 'utf8', stdio: 'pipe' });
  } catch (error) {
    // Names that istiod has are not all as Prometheus advises: that alone is said with status 3.
    expect((error as { status: number }).status).toBe(3);
    said = (error as { stdout: string; stderr: string }).stdout + (error as { stderr: string }).stderr;
  }
  for (const line of said.split('\n').filter((each) => each !== ''))
    expect(line).toMatch(/_total|_count|non-base unit|"type"/);
});

test('a metric has bounds, and labels of any text', () => {
  const registry = new Registry();
  const counter = registry.counter({ name: 'some', help: 'Some.', labels: ['a', 'b'] });
  counter.add(['"x"\n\\', 'y']);
  expect(registry.text()).toBe('# HELP some Some.\n# TYPE some counter\nsome{a="\\"x\\"\\n\\\\",b="y"} 1\n');
  for (let i = 0; i < 3000; i++) counter.add([String(i), 'y']);
  const lines = registry.text().split('\n');
  expect(lines.length).toBeLessThan(1010);
  expect(lines).toContain('some{a="other",b="other"} 2001');
});
