import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { envoyBinary } from '@mizzen/testkit';
import { afterAll, expect, test } from 'vitest';
import { adsBootstrap } from './ads-bootstrap.ts';
import { mergeBootstrap } from './envoy-filter/bootstrap.ts';
import type { Node } from './types.ts';

const folder = mkdtempSync(join(tmpdir(), 'mizzen-bootstrap-'));
afterAll(() => rmSync(folder, { recursive: true }));

const node: Node = {
  id: 'sidecar~127.64.0.2~web-0.default~default.svc.cluster.local',
  metadata: { NAME: 'web-0', NAMESPACE: 'default', LABELS: { app: 'web' }, MIZZEN: { engine: 'envoy' } },
};
const bootstrap = adsBootstrap({
  node,
  xds: join(folder, 'xds.sock'),
  admin: join(folder, 'admin.sock'),
  metrics: join(folder, 'metrics.sock'),
});

test('an Envoy is told who it is and where to ask, and nothing else', () => {
  expect(bootstrap.node).toEqual({ id: node.id, cluster: 'web.default', metadata: node.metadata });
  expect(bootstrap.admin?.address).toEqual({ pipe: { path: join(folder, 'admin.sock'), mode: 0o600 } });
  expect(bootstrap.dynamicResources?.adsConfig?.apiType).toBe('DELTA_GRPC');
  expect(bootstrap.staticResources?.listeners).toBeUndefined();
  expect(bootstrap.staticResources?.clusters?.map(({ name }) => name)).toEqual(['xds', 'mizzen_metrics']);
});

test('patches are merged as protobuf merges: single values win, lists are appended', () => {
  const patches = { statsFlushInterval: '2s', layeredRuntime: { layers: [{ name: 'mine', staticLayer: {} }] } };
  const merged = mergeBootstrap(bootstrap, patches);
  expect(merged.statsFlushInterval).toBe('2s');
  expect(merged.layeredRuntime?.layers?.map(({ name }) => name)).toEqual(['mizzen', 'mine']);
  expect({ ...merged, statsFlushInterval: undefined, layeredRuntime: bootstrap.layeredRuntime }).toEqual(bootstrap);
});

test('the real Envoy takes it without a word of warning', () => {
  const file = join(folder, 'bootstrap.json');
  writeFileSync(file, JSON.stringify(mergeBootstrap(bootstrap, { statsFlushInterval: '2s' })));
  const args = ['--mode', 'validate', '-c', file, '-l', 'warning', '--disable-hot-restart'];
  const { status, stderr } = spawnSync(envoyBinary(), args, { encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
});
