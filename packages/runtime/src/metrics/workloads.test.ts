import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type HeldCertificate, issue, loadOrCreateRoot } from '@mizzen/control-plane';
import { requireTool } from '@mizzen/testkit';
import { afterEach, expect, test } from 'vitest';
import { readGroups } from './process-groups.ts';
import { WorkloadsMetrics, type WorkloadsSource } from './workloads.ts';

const children: ChildProcess[] = [];
afterEach(() => {
  for (const { pid } of children.splice(0)) {
    try {
      process.kill(-pid!, 'SIGKILL');
    } catch {
      // It is gone.
    }
  }
});

/** A shell with a child that has worked, one that holds files open, and one in a group of its own. */
async function group(): Promise<number> {
  const script = [
    `(i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done)`,
    'sleep 60 3</dev/null 4</dev/null &',
    'set -m; sleep 60 & set +m',
    'echo ready; wait',
  ].join('\n');
  const child = spawn('/bin/sh', ['-c', script], { detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
  children.push(child);
  await new Promise((done) => child.stdout.once('data', done));
  return child.pid!;
}

const pod = (name: string, containers: object[], node?: string): object => ({
  name,
  namespace: 'shop',
  owner: { kind: 'Deployment', namespace: 'shop', name: 'web' },
  ready: true,
  node,
  containers,
});
const source = (pods: object[], proxies: WorkloadsSource['proxies'] = []): WorkloadsSource =>
  ({
    pods,
    proxies,
    certificates: [],
    desired: [{ owner: { kind: 'Deployment', namespace: 'shop', name: 'web' }, replicas: 2 }],
    statuses: [{ owner: { kind: 'Deployment', namespace: 'shop', name: 'web' }, replicas: 3, ready: 1 }],
  }) as unknown as WorkloadsSource;
const clock = { wall: () => 1_800_000_000_000 };
const usage = { cpuSeconds: 2, residentBytes: 1024, processes: 1, threads: 3, fileDescriptors: 5 };

test.runIf(process.platform === 'linux')('a group is all that a program started', async () => {
  const pid = await group();
  const found = readGroups(new Set([pid, 0x3fffff]));
  expect([...found!.keys()]).toEqual([pid]);
  const { cpuSeconds, residentBytes, processes, threads, fileDescriptors } = found!.get(pid)!;
  expect([processes, threads]).toEqual([3, 3]);
  expect(cpuSeconds, 'of a child that ended, too').toBeGreaterThan(0);
  expect(residentBytes).toBeGreaterThan(500_000);
  expect(fileDescriptors).toBeGreaterThanOrEqual(11);
});

test('containers, proxies and workloads by the names of cAdvisor and kube-state-metrics', () => {
  const running = [
    pod('web-0', [{ name: 'app', ready: true, restarts: 4, pid: 10 }], 'sidecar~1'),
    pod('web-1', [{ name: 'app', ready: false, restarts: 0, pid: undefined }]),
  ];
  const proxies = [{ pid: 20 }, { pid: 21, node: 'sidecar~1' }, { pid: 22, node: 'gone' }];
  const metrics = new WorkloadsMetrics(
    () => source(running, proxies),
    clock,
    (leaders) => new Map([...leaders].map((leader) => [leader, usage])),
  );
  const lines = metrics.text().split('\n');
  const app = 'namespace="shop",pod="web-0",container="app",workload="web"';
  expect(lines).toEqual(
    expect.arrayContaining([
      `container_cpu_usage_seconds_total{${app}} 2`,
      `container_memory_working_set_bytes{${app}} 1024`,
      `container_file_descriptors{${app}} 5`,
      'container_threads{namespace="shop",pod="web-0",container="istio-proxy",workload="web"} 3',
      'container_threads{namespace="istio-system",pod="data-plane",container="istio-proxy",workload="data-plane"} 3',
      `kube_pod_container_status_restarts_total{${app}} 4`,
      'kube_pod_status_ready{namespace="shop",pod="web-1",condition="true"} 1',
      'kube_pod_owner{namespace="shop",pod="web-1",owner_kind="Deployment",owner_name="web"} 1',
      'kube_deployment_spec_replicas{namespace="shop",deployment="web"} 3',
      'kube_deployment_status_replicas_ready{namespace="shop",deployment="web"} 1',
    ]),
  );
  expect(lines.filter((line) => line.startsWith('container_processes{'))).toHaveLength(3);
  const check = execFileSync(requireTool('promtool'), ['check', 'metrics'], { input: lines.join('\n'), stdio: 'pipe' });
  expect(check.toString()).toBe('');
});

test('a thousand pods are told apart', () => {
  const pods = Array.from({ length: 1001 }, (_, i) => pod(`web-${i}`, []));
  const metrics = new WorkloadsMetrics(
    () => source(pods),
    clock,
    () => new Map(),
  );
  expect(metrics.text().match(/^kube_pod_owner\{.*pod="web-\d+"/gm)).toHaveLength(1001);
});

test('certificates of Envoys, as proxies of the other kind tell theirs', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mizzen-expiry-'));
  const root = loadOrCreateRoot(folder, 'cluster.local', clock.wall());
  rmSync(folder, { recursive: true });
  const identity = { trustDomain: 'cluster.local', namespace: 'shop', serviceAccount: 'web' };
  const { chain } = issue(root, identity, clock.wall(), 3_600_000);
  const pods = [
    { ...pod('web-0', [], 'sidecar~0'), engine: 'envoy' },
    { ...pod('web-1', [], 'sidecar~1'), engine: 'mizzen' },
    { ...pod('web-2', [], 'sidecar~2'), engine: 'envoy' },
  ];
  const held = (node: string, of: string | undefined): HeldCertificate => ({ node, rotateAt: 0, chain: of });
  const certificates = [held('sidecar~0', chain), held('sidecar~1', chain), held('sidecar~2', undefined)];
  const metrics = new WorkloadsMetrics(
    () => ({ ...source(pods), certificates }),
    clock,
    () => new Map(),
  );
  const lines = metrics.text().split('\n');
  expect(lines.filter((line) => line.startsWith('istio_agent_cert_expiry_seconds'))).toEqual([
    'istio_agent_cert_expiry_seconds{namespace="shop",pod="web-0",workload="web",resource_name="default"} 3600',
  ]);
});

test('processor time never goes back while a program runs', () => {
  let cpuSeconds = 5;
  const metrics = new WorkloadsMetrics(
    () => source([pod('web-0', [{ name: 'app', ready: true, restarts: 0, pid: 10 }])]),
    clock,
    (leaders) => new Map([...leaders].map((leader) => [leader, { ...usage, cpuSeconds }])),
  );
  const value = (): string | undefined => /^container_cpu_usage_seconds_total\{.*\} (.*)$/m.exec(metrics.text())?.[1];
  expect(value()).toBe('5');
  cpuSeconds = 3;
  expect(value()).toBe('5');
  cpuSeconds = 6;
  expect(value()).toBe('6');
});
