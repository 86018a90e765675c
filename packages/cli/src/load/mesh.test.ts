import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, repositoryRoot } from '@mizzen/testkit';
import { afterEach, expect, test } from 'vitest';
import { hostsOf } from './mesh.ts';

const program = join(repositoryRoot, 'packages/cli/bin/mizzen.mjs');
const greeter = join(repositoryRoot, 'packages/load/src/testing/grpc-server.ts');
let up: ChildProcess | undefined;
let dir = '';

const deployment = (name: string, port: string, run = ''): string => `
apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name} }
spec:
  selector: { matchLabels: { app: ${name} } }
  template:
    metadata: { labels: { app: ${name} }${run === '' ? '' : `, annotations: { mizzen.dev/run: "${run}" }`} }
    spec: { containers: [{ name: app, image: x, ports: [{ name: ${port}, containerPort: 8080 }] }] }
---
apiVersion: v1
kind: Service
metadata: { name: ${name} }
spec: { selector: { app: ${name} }, ports: [{ name: ${port}, port: 80, targetPort: 8080 }] }
---`;

const MESH = `${deployment('client', 'http')}${deployment('web', 'http')}${deployment('greeter', 'grpc', `${process.execPath} ${greeter}`)}
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: edge }
spec:
  selector: { istio: ingressgateway }
  servers: [{ port: { number: 80, name: http, protocol: HTTP }, hosts: ['*'] }]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: web }
spec: { hosts: [shop.example], gateways: [edge], http: [{ route: [{ destination: { host: web } }] }] }
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: far }
spec:
  hosts: [far.example]
  ports: [{ number: 80, name: http, protocol: HTTP }]
  resolution: STATIC
  endpoints: [{ address: 192.0.2.1 }]
`;

async function start(engine: string): Promise<void> {
  dir = mkdtempSync(join(tmpdir(), 'mizzen-load-mesh-'));
  writeFileSync(join(dir, 'mesh.yaml'), MESH);
  const [api, gateway] = [await freePort(), await freePort()];
  const args = ['up', 'mesh.yaml', '--engine', engine, '--api-port', String(api), '--gateway-port', `80=${gateway}`];
  up = spawn(process.execPath, [program, ...args], { cwd: dir });
  let output = '';
  await new Promise<void>((resolve, reject) => {
    for (const stream of [up!.stdout, up!.stderr]) {
      stream?.on('data', (chunk) => {
        output += String(chunk);
        if (/^ready in /m.test(output)) resolve();
      });
    }
    up!.once('exit', () => reject(new Error(output)));
  });
}

afterEach(() => {
  up?.kill('SIGKILL');
  rmSync(dir, { recursive: true, force: true, maxRetries: 10 });
});

interface Ran {
  readonly status: number | null;
  readonly err: string;
  readonly result: unknown;
}

function load(...args: string[]): Promise<Ran> {
  return new Promise((resolve) => {
    const words = [program, 'load', '-q', '-o', 'json', '-d', '2', '-r', '20', ...args];
    const child = execFile(process.execPath, words, { cwd: dir }, (_error, out, err) => {
      resolve({ status: child.exitCode, err, result: out === '' ? undefined : (JSON.parse(out) as unknown) });
    });
  });
}

/** Requests that a workload's sidecar has let in. */
function inbound(name: string): Promise<number> {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [program, 'status', '-o', 'json'], { cwd: dir }, (error, out) => {
      if (error !== null) return reject(error);
      const { workloads } = JSON.parse(out) as { workloads: { name: string; inboundRequests: number }[] };
      resolve(workloads.find((each) => each.name === name)!.inboundRequests);
    });
  });
}

async function settled(name: string, count: number): Promise<void> {
  await expect.poll(() => inbound(name), { interval: 300 }).toBe(count);
}

const FINE = { sent: 40, answered: 40, errors: 0 };

test('with Envoys: as a workload over each protocol, and through the gateway', async () => {
  await start('envoy');
  for (const protocol of ['http1', 'http2']) {
    const { result } = await load('--from', 'client', '-p', protocol, 'http://web/');
    expect(result).toMatchObject({ from: 'client.default', requests: { ...FINE, statuses: { 200: 40 } } });
  }
  const data = ['--data', '{"userName":"ana"}'];
  const call = await load('--from', 'client', '-p', 'grpc', ...data, 'http://greeter:80/greet.Greeter/Hello');
  expect(call).toMatchObject({ status: 0, result: { requests: { ...FINE, statuses: { OK: 40 } } } });
  const gateway = await load('--gateway', 'istio-ingressgateway', 'http://shop.example/');
  expect(gateway.result).toMatchObject({ requests: { ...FINE, statuses: { 200: 40 } } });
}, 120_000);

test('with Mizzen’s own engine: sidecars count what was sent, and nothing goes out of the mesh', async () => {
  await start('mizzen');
  expect((await load('--from', 'client', 'http://web.default.svc/')).result).toMatchObject({ requests: FINE });
  await settled('web', 40);
  const gateway = await load('--gateway', 'istio-ingressgateway:80', 'http://shop.example/');
  expect(gateway.result).toMatchObject({ requests: FINE });
  await settled('web', 80);
  for (const host of ['far.example', '192.0.2.1', 'web:81']) {
    const { status, result, err } = await load('--from', 'client', `http://${host}/`);
    expect(result, host).toBeUndefined();
    expect(status, err).toBeGreaterThan(0);
  }
  for (const [protocol, name, url] of [
    ['http2', 'HTTP/2 to web', 'http://web/'],
    ['grpc', 'gRPC to greeter', 'http://greeter/greet.Greeter/Hello'],
  ] as const) {
    expect(await load('--from', 'client', '-p', protocol, url)).toMatchObject({
      status: 2,
      err: expect.stringContaining(`${name} cannot go through the sidecar of \`client\`: it is Mizzen’s own`),
    });
  }
  expect(await load('--from', 'nobody', 'http://web/')).toMatchObject({ status: 1 });
  const { result } = await load('--from', 'client', '-m', 'chaos', 'http://web/');
  const { arrivals, requests } = result as {
    readonly arrivals: { readonly started: number };
    readonly requests: { readonly sent: number; readonly aborted: number };
  };
  expect(arrivals.started).toBe(40);
  // What is given up may be so before it is sent, or before its sidecar has led it on.
  expect(requests.sent).toBeGreaterThanOrEqual(40 - requests.aborted);
  await expect
    .poll(() => inbound('web'), { interval: 300 })
    .toBeGreaterThanOrEqual(80 + requests.sent - requests.aborted);
  expect(await inbound('web')).toBeLessThanOrEqual(80 + requests.sent);
}, 120_000);

test('hosts of the mesh, by the names that a namespace has for them', () => {
  const port = [{ name: 'http', port: 80, protocol: 'HTTP' }];
  const endpoint = (address: string) => ({
    address,
    port: 1,
    servicePort: 80,
    workload: 'w',
    healthy: true,
    mtls: false,
  });
  const services = [
    { hostname: 'a.one.svc.cluster.local', namespace: 'one', registry: 'Kubernetes', ports: port, endpoints: [] },
    {
      hostname: 'here.example',
      namespace: 'one',
      registry: 'External',
      ports: port,
      endpoints: [endpoint('127.0.0.1')],
    },
    {
      hostname: 'far.example',
      namespace: 'one',
      registry: 'External',
      ports: port,
      endpoints: [endpoint('192.0.2.1')],
    },
    { hostname: 'dns.example', namespace: 'one', registry: 'External', ports: port, endpoints: [] },
  ];
  const long = ['a.one.svc.cluster.local:80', 'a.one:80', 'a.one.svc:80'];
  expect([...hostsOf(services, 'two').keys()]).toEqual([...long, 'here.example:80']);
  expect([...hostsOf(services, 'one').keys()]).toEqual([...long, 'a:80', 'here.example:80']);
});
