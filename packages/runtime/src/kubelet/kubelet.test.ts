import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { DesiredContainer } from '../protocol.ts';
import { container, desired } from './testing/desired.ts';
import { FakeNode } from './testing/fakes.ts';

/** A program without ports is ready as soon as it runs. */
function worker(changes: Partial<DesiredContainer> = {}): DesiredContainer {
  return container({ ports: [], run: { kind: 'command', command: ['app'], dir: '/', watch: [] }, ...changes });
}

async function running(workload: ReturnType<typeof desired>): Promise<FakeNode> {
  const node = new FakeNode();
  node.kubelet.apply([workload], []);
  await node.sidecarsReady();
  return node;
}

describe('order', () => {
  test('the sidecar is ready before the application starts', async () => {
    const node = new FakeNode();
    node.kubelet.apply([desired({ containers: [worker()] })], []);
    await node.settle();
    expect(node.log).toEqual(['sidecar start web-0']);
    expect(node.phases()).toEqual(['web-0 Starting']);
    await node.sidecarsReady();
    expect(node.log).toEqual(['sidecar start web-0', 'run app']);
    expect(node.phases()).toEqual(['web-0 Running ready']);
  });

  test('endpoints go first, then preStop, the application, and its sidecar last', async () => {
    const node = await running(desired({ containers: [worker({ preStop: ['hook'] })] }));
    node.log.length = 0;
    node.proxiesFollow = false;
    node.kubelet.apply([], []);
    await node.settle();
    expect(node.phases()).toEqual(['web-0 Terminating']);
    expect(node.log).toEqual(['run hook']);
    node.kubelet.converged(node.sequence);
    await node.clock.advance(100);
    expect(node.log).toEqual(['run hook']);
    node.programs[1]!.exit({ code: 0 });
    await node.settle();
    expect(node.log).toEqual(['run hook', 'SIGTERM app', 'sidecar stop web-0']);
    expect(node.pods).toEqual([]);
  });

  test('what is on its way when the proxies know still gets an answer', async () => {
    const node = await running(desired({ containers: [worker()] }));
    node.kubelet.apply([], []);
    await node.clock.advance(99);
    expect(node.programs[0]!.signals).toEqual([]);
    await node.clock.advance(1);
    expect(node.programs[0]!.signals).toEqual(['SIGTERM']);
  });

  test('without word from the proxies a pod waits 200 ms longer for its endpoints to be gone', async () => {
    const node = await running(desired({ containers: [worker()] }));
    node.proxiesFollow = false;
    node.kubelet.apply([], []);
    await node.clock.advance(299);
    expect(node.programs[0]!.signals).toEqual([]);
    await node.clock.advance(1);
    expect(node.programs[0]!.signals).toEqual(['SIGTERM']);
  });

  test('SIGKILL comes when the grace period is over, preStop included', async () => {
    const node = await running(desired({ containers: [worker()], terminationGracePeriodSeconds: 5 }));
    node.obedient = false;
    node.kubelet.apply([], []);
    await node.clock.advance(4_999);
    expect(node.programs[0]!.signals).toEqual(['SIGTERM']);
    await node.clock.advance(1);
    expect(node.programs[0]!.signals).toEqual(['SIGTERM', 'SIGKILL']);
    expect(node.pods).toEqual([]);
  });
});

describe('restarts', () => {
  test('a program that ends is started at once, then after 10 s and 20 s, with its pod in CrashLoopBackOff', async () => {
    const node = await running(desired({ containers: [worker()] }));
    const die = async (): Promise<void> => {
      node.programs.at(-1)!.exit({ code: 1 });
      await node.settle();
    };
    await die();
    expect(node.programs).toHaveLength(2);
    await die();
    expect(node.phases()).toEqual(['web-0 CrashLoopBackOff']);
    await node.clock.advance(9_999);
    expect(node.programs).toHaveLength(2);
    await node.clock.advance(1);
    expect(node.programs).toHaveLength(3);
    expect(node.phases()).toEqual(['web-0 Running ready']);
    await die();
    await node.clock.advance(20_000);
    expect(node.programs).toHaveLength(4);
    expect(node.pods[0]!.restarts).toBe(3);
  });

  test.each([
    ['Never', 0, 'Succeeded'],
    ['Never', 1, 'Failed'],
    ['OnFailure', 0, 'Succeeded'],
    ['OnFailure', 1, 'Running ready'],
  ] as const)('restartPolicy %s after status %i: %s', async (restartPolicy, code, phase) => {
    const node = await running(desired({ containers: [worker()], restartPolicy }));
    node.programs[0]!.exit({ code });
    await node.settle();
    expect(node.phases()).toEqual([`web-0 ${phase}`]);
  });

  test('a pod that ends while it waits is not started again', async () => {
    const node = await running(desired({ containers: [worker()] }));
    node.programs[0]!.exit({ code: 1 });
    await node.settle();
    node.programs[1]!.exit({ code: 1 });
    await node.settle();
    node.kubelet.apply([], []);
    await node.clock.advance(60_000);
    expect(node.programs).toHaveLength(2);
    expect(node.pods).toEqual([]);
  });
});

describe('commands', () => {
  test('restart of one pod starts another before it ends', async () => {
    const node = await running(desired({ containers: [worker()], replicas: 2 }));
    node.kubelet.restart('web-1', undefined);
    await node.settle();
    expect(node.phases()).toEqual(['web-0 Running ready', 'web-1 Running ready', 'web-2 Starting']);
    await node.sidecarsReady();
    expect(node.phases()).toEqual(['web-0 Running ready', 'web-1 Terminating', 'web-2 Running ready']);
    await node.clock.advance(100);
    expect(node.phases()).toEqual(['web-0 Running ready', 'web-2 Running ready']);
  });

  test('an old pod is not ended before proxies know the new one', async () => {
    const node = await running(desired({ containers: [worker()] }));
    node.proxiesFollow = false;
    node.kubelet.restart('web', undefined);
    await node.sidecarsReady();
    expect(node.phases()).toEqual(['web-0 Running ready', 'web-1 Running ready']);
    expect(node.kubelet.workloads()).toMatchObject([{ ready: 1, state: 'updating' }]);
    node.kubelet.converged(node.sequence);
    await node.settle();
    expect(node.phases()).toEqual(['web-0 Terminating', 'web-1 Running ready']);
  });

  test('scale holds until the files name another number', async () => {
    const workload = desired({ containers: [worker()] });
    const node = await running(workload);
    node.kubelet.scale('web', 'default', 3);
    await node.sidecarsReady();
    expect(node.pods).toHaveLength(3);
    node.kubelet.apply([{ ...workload, labels: { changed: 'no' } }], []);
    await node.settle();
    expect(node.pods).toHaveLength(3);
    node.kubelet.apply([{ ...workload, replicas: 2 }], []);
    await node.clock.advance(300);
    expect(node.pods).toHaveLength(2);
  });

  test('what cannot be found, or could be several, is said', async () => {
    const node = await running(desired());
    const other = { kind: 'StatefulSet', namespace: 'default', name: 'web' };
    expect(() => node.kubelet.scale('wep', undefined, 1)).toThrow('no workload `wep`');
    node.kubelet.apply([desired(), desired({ owner: other })], []);
    expect(() => node.kubelet.restart('web', 'default')).toThrow(
      '`web` could be Deployment default/web, StatefulSet default/web',
    );
    expect(() => node.kubelet.scale('web', undefined, 1.5)).toThrow('`1.5` is not a number of replicas');
  });
});

describe('gateways', () => {
  const gate = desired({ name: 'gate', containers: [], sidecar: false, gatewayPorts: { 80: 8080, 8443: 8443 } });

  test('are nodes without an application, listening on 127.0.0.1', async () => {
    const node = new FakeNode();
    node.kubelet.apply([], [gate]);
    await node.sidecarsReady();
    expect(node.pods[0]).toMatchObject({
      node: 'router~127.0.0.1~gate-0.default~default.svc.cluster.local',
      address: '127.0.0.1',
      boundPorts: { 80: 8080 },
      ready: true,
      nodeMetadata: { MIZZEN: { gateway: { address: '127.0.0.1', ports: { 80: 8080, 8443: 8443 } } } },
    });
  });

  test('carry answers for as long as workloads may take to end', async () => {
    const node = new FakeNode();
    node.kubelet.apply([desired({ containers: [worker()] })], [gate]);
    await node.sidecarsReady();
    const stopped = node.kubelet.stop(4_000);
    await node.clock.advance(5_000);
    await stopped;
    expect(Object.fromEntries(node.drains)).toEqual({ 'gate-0': 4_000, 'web-0': 1_000 });
  });

  test('take other ports without being replaced', async () => {
    const node = new FakeNode();
    node.kubelet.apply([], [gate]);
    await node.sidecarsReady();
    node.kubelet.apply([], [{ ...gate, gatewayPorts: { 80: 9000 }, templateHash: 'b' }]);
    await node.settle();
    expect(node.log).toEqual(['sidecar start gate-0', 'sidecar start gate-0']);
    expect(node.pods).toMatchObject([{ name: 'gate-0', boundPorts: { 80: 9000 }, ready: true }]);
  });
});

test('the layout of a pod, as its sidecar and its application are told', async () => {
  const node = new FakeNode();
  const ports = [
    { name: 'http', port: 80 },
    { name: 'admin', port: 8080 },
  ];
  const tcpDestinations = [
    { host: 'a', port: 6379, service: 'a.default.svc.cluster.local' },
    { host: 'b', port: 6379, service: 'b.default.svc.cluster.local' },
    { host: 'ldap', port: 389, service: 'ldap.default.svc.cluster.local' },
  ];
  const run = { kind: 'command', command: ['app', '$(PORT)', '--name=$(NAME)'], dir: '/', watch: [] } as const;
  const env = [{ name: 'NAME', value: { field: 'metadata.name' } }];
  node.kubelet.apply([desired({ containers: [container({ ports, run, env })], tcpDestinations })], []);
  await node.sidecarsReady();
  expect(node.pods[0]).toMatchObject({
    node: 'sidecar~127.64.0.1~web-0.default~default.svc.cluster.local',
    boundPorts: { 80: 8081 },
    nodeMetadata: {
      INTERCEPTION_MODE: 'NONE',
      MIZZEN: {
        httpProxy: { address: '127.192.0.1', port: 15080 },
        inbound: [
          { containerPort: 80, address: '127.64.0.1', port: 8081, applicationAddress: '127.0.0.1' },
          { containerPort: 8080, address: '127.64.0.1', port: 8080, applicationAddress: '127.0.0.1' },
        ],
        outbound: [
          { address: '127.192.0.1', port: 6379, host: 'a.default.svc.cluster.local', servicePort: 6379 },
          { address: '127.192.0.1', port: 6380, host: 'b.default.svc.cluster.local', servicePort: 6379 },
          { address: '127.192.0.1', port: 8389, host: 'ldap.default.svc.cluster.local', servicePort: 389 },
        ],
      },
    },
  });
  const { applicationPorts } = node.pods[0]!;
  expect(node.programs[0]!.spec.command).toEqual(['app', String(applicationPorts[80]), '--name=web-0']);
});

test('an external workload shows what to start, on a port no gateway wants', async () => {
  const node = new FakeNode();
  const gate = desired({ name: 'gate', containers: [], sidecar: false, gatewayPorts: { 80: 8080 } });
  node.kubelet.apply([desired({ containers: [container({ run: { kind: 'external' } })] })], [gate]);
  await node.sidecarsReady();
  expect(node.pods.find((p) => p.name === 'web-0')).toMatchObject({
    phase: 'External',
    ready: false,
    message: 'start it with PORT=18080 http_proxy=http://127.192.0.2:15080',
  });
});

describe('a port that somebody else has', () => {
  test('at every address: the pod is reached at the next one that is free', async () => {
    const base = new FakeNode().layout;
    const node = new FakeNode({
      layout: { ...base, tryBind: async (_, port) => ([9080, 9081, 15080].includes(port) ? 'taken' : 'free') },
    });
    const ports = [9080, 9082].map((port) => ({ name: undefined, port }));
    node.kubelet.apply([desired({ containers: [container({ ports })] })], []);
    await node.sidecarsReady();
    expect(node.pods[0]).toMatchObject({
      boundPorts: { 9080: 9082, 9082: 9083 },
      nodeMetadata: {
        MIZZEN: {
          httpProxy: { port: 15081 },
          inbound: [
            { containerPort: 9080, port: 9082 },
            { containerPort: 9082, port: 9083 },
          ],
        },
      },
    });
  });

  test('taken only after it was chosen: another pod, with other ports, takes the place', async () => {
    const node = new FakeNode();
    node.kubelet.apply([desired({ containers: [worker()] })], []);
    await node.settle();
    expect(node.kubelet.replace(node.pods[0]!.node!)).toBe(true);
    await node.sidecarsReady();
    await node.clock.advance(1_000);
    expect(node.phases()).toEqual(['web-1 Running ready']);
    expect(node.kubelet.replace('gone')).toBe(false);
  });
});

describe('builds', () => {
  afterAll(() => rmSync(join(tmpdir(), `mizzen-builds-${process.pid}`), { recursive: true, force: true }));
  const built = (changes: object = {}): DesiredContainer =>
    worker({ run: { kind: 'command', command: ['app'], dir: '/', watch: [], build: ['make'], ...changes } });

  test('a build runs before the command, once, also when the program starts again', async () => {
    const node = await running(desired({ containers: [built()] }));
    expect(node.log).toEqual(['sidecar start web-0', 'run make']);
    expect(node.kubelet.workloads()[0]?.state).toBe('starting: building');
    expect(node.programs[0]!.spec.env['MIZZEN_BUILD_DIR']).toContain('/web/app');
    expect(node.programs[0]!.spec.env['http_proxy']).toBeUndefined();
    node.programs[0]!.exit({ code: 0 });
    await node.settle();
    expect(node.log.slice(2)).toEqual(['run app']);
    expect(node.programs[1]!.spec.env['MIZZEN_BUILD_DIR']).toBe(node.programs[0]!.spec.env['MIZZEN_BUILD_DIR']);
    expect(node.programs[1]!.spec.env['http_proxy']).toBeDefined();
    node.programs[1]!.exit({ code: 1 });
    await node.clock.advance(20_000);
    expect(node.log.filter((line) => line.startsWith('run '))).toEqual(['run make', 'run app', 'run app']);
  });

  test('what cannot be built says why, and nobody waits for it', async () => {
    const node = await running(desired({ containers: [built()] }));
    expect(node.kubelet.ready).toBe(false);
    node.programs[0]!.exit({ code: 2 });
    await node.settle();
    expect(node.phases()).toEqual(['web-0 Failed']);
    expect(node.kubelet.workloads()[0]?.state).toBe('Failed: the build exited with status 2');
    expect(node.kubelet.ready).toBe(true);
    await node.clock.advance(600_000);
    expect(node.programs).toHaveLength(1);
  });

  test('a restart tries again', async () => {
    const node = await running(desired({ containers: [built()] }));
    node.programs[0]!.exit({ code: 2 });
    await node.settle();
    node.kubelet.restart('web', undefined);
    await node.sidecarsReady();
    node.programs[1]!.exit({ code: 0 });
    await node.clock.advance(1_000);
    expect(node.programs.map(({ spec }) => spec.command)).toEqual([['make'], ['make'], ['app']]);
    expect(node.phases().filter((phase) => phase.endsWith('Running ready'))).toHaveLength(1);
  });

  test('a program that is not installed fails the workload before anything runs', async () => {
    const node = await running(desired({ containers: [built({ requires: ['no-such-tool'] })] }));
    expect(node.programs).toEqual([]);
    expect(node.kubelet.workloads()[0]?.state).toBe('Failed: `no-such-tool` is not installed');
  });

  test('a pod that ends while it is built does not start its program', async () => {
    const node = await running(desired({ containers: [built()] }));
    node.kubelet.apply([], []);
    await node.settle();
    node.programs[0]!.exit({ code: 0 });
    await node.settle();
    expect(node.programs).toHaveLength(1);
    expect(node.pods).toEqual([]);
  });
});
