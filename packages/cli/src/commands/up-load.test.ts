import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '@mizzen/testkit';
import { afterAll, expect, test } from 'vitest';

const program = fileURLToPath(new URL('../../bin/mizzen.mjs', import.meta.url));
const dir = mkdtempSync(join(tmpdir(), 'mizzen-up-load-'));
const MESH = `
apiVersion: apps/v1
kind: Deployment
metadata: { name: web }
spec:
  selector: { matchLabels: { app: web } }
  template:
    metadata: { labels: { app: web } }
    spec: { containers: [{ name: app, image: x, ports: [{ containerPort: 8080 }] }] }
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec: { selector: { app: web }, ports: [{ name: http, port: 80, targetPort: 8080 }] }
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: front }
spec:
  selector: { istio: ingressgateway }
  servers: [{ port: { number: 80, name: http, protocol: HTTP }, hosts: ['*'] }]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: front }
spec:
  hosts: ['*']
  gateways: [front]
  http: [{ route: [{ destination: { host: web } }] }]
`;
let up: ChildProcess | undefined;

afterAll(() => {
  up?.kill('SIGKILL');
  rmSync(dir, { recursive: true, force: true, maxRetries: 10 });
});

function mizzen(...args: string[]): Promise<{ readonly status: number; readonly out: string; readonly err: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...args], { cwd: dir }, (error, out, err) =>
      resolve({ status: error === null ? 0 : Number(error.code), out, err }),
    );
  });
}

test('a load goes through the gateway while the mesh runs, and ends with it', async () => {
  writeFileSync(join(dir, 'mesh.yaml'), MESH);
  writeFileSync(join(dir, 'visitors.yaml'), 'rate: 10\nscenarios: { look: { steps: [{ url: /looked }] } }\n');
  const [api, gateway] = [await freePort(), await freePort()];
  const flags = ['--api-port', String(api), '--console-port', '0', '--gateway-port', `80=${gateway}`];
  up = spawn(process.execPath, [program, 'up', 'mesh.yaml', '--load', 'visitors.yaml', ...flags], { cwd: dir });
  let output = '';
  for (const stream of [up.stdout, up.stderr]) stream?.on('data', (chunk) => (output += String(chunk)));
  const ended = new Promise<number | null>((resolve) => up!.once('exit', resolve));
  await expect.poll(() => output, { timeout: 30_000 }).toMatch(/^ready in /m);
  expect(output).toMatch(/^load 10 a second \(visitors\.yaml\)$/m);
  const inbound = async (): Promise<number> => {
    const { workloads } = JSON.parse((await mizzen('status', '-o', 'json')).out) as {
      workloads: { name: string; inboundRequests: number }[];
    };
    return workloads.find(({ name }) => name === 'web')!.inboundRequests;
  };
  await expect.poll(inbound, { timeout: 30_000, interval: 500 }).toBeGreaterThan(2);
  up.kill('SIGINT');
  expect(await ended).toBe(0);
  expect(output).not.toMatch(/load.*(not sent|ended|exit)/);
}, 90_000);

test('a load that is not gentle, or that cannot be read, is refused', async () => {
  writeFileSync(join(dir, 'crowd.yaml'), 'rate: 11\nscenarios: { look: { steps: [{ url: / }] } }\n');
  writeFileSync(join(dir, 'wrong.yaml'), 'rat: 1\n');
  expect(await mizzen('up', '--load', 'crowd.yaml')).toMatchObject({
    status: 2,
    err: expect.stringContaining('11 a second are more than 10'),
  });
  expect(await mizzen('up', '--load', 'wrong.yaml')).toMatchObject({
    status: 1,
    err: expect.stringContaining('MZ0301'),
  });
  expect(await mizzen('up', '--load', 'absent.yaml')).toMatchObject({
    status: 1,
    err: 'mizzen up: --load: there is no file `absent.yaml`\n',
  });
});

test('what is no file of scenarios is said', async () => {
  writeFileSync(join(dir, 'mesh.yaml'), MESH);
  const { status, err } = await mizzen('up', 'mesh.yaml', '--load', '.');
  expect(status).toBe(2);
  expect(err).toContain('`.` cannot be read: it is a directory');
  expect(err).not.toContain('    at ');
});
