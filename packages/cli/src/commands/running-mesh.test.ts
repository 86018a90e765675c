import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '@mizzen/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';

const program = fileURLToPath(new URL('../../bin/mizzen.mjs', import.meta.url));
const dir = mkdtempSync(join(tmpdir(), 'mizzen-cli-'));
let up: ChildProcess;
let output = '';
let apiPort = 0;

interface Result {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** Runs from a directory below the one the mesh was started in. */
function mizzen(...args: string[]): Promise<Result> {
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...args], { cwd: dir }, (error, out, err) => {
      resolve({ status: error === null ? 0 : Number(error.code), out, err });
    });
  });
}

async function until(done: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!(await done())) {
    if (performance.now() > deadline) throw new Error(`still not so:\n${output}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const deployment = (name: string, version: string, run = ''): string => `
apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name}-${version} }
spec:
  replicas: 1
  selector: { matchLabels: { app: ${name}, version: ${version} } }
  template:
    metadata:
      labels: { app: ${name}, version: ${version} }
      annotations: { ${run === '' ? '' : `mizzen.dev/run: "${run}"`} }
    spec: { containers: [{ name: app, image: x, ports: [{ name: http, containerPort: 8080 }] }] }
---`;

beforeAll(async () => {
  const loud = 'echo one; echo two >&2; exec sleep 600';
  writeFileSync(
    join(dir, 'mesh.yaml'),
    `${deployment('web', 'v1')}${deployment('web', 'v2')}${deployment('client', 'v1')}
apiVersion: apps/v1
kind: Deployment
metadata: { name: loud }
spec:
  selector: { matchLabels: { app: loud } }
  template:
    metadata: { labels: { app: loud }, annotations: { mizzen.dev/run: "${loud}" } }
    spec: { containers: [{ name: app, image: x }] }
---
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: { name: logs }
spec: { accessLogging: [{ providers: [{ name: envoy }] }] }
---
apiVersion: v1
kind: Service
metadata: { name: web }
spec: { selector: { app: web }, ports: [{ name: http, port: 80, targetPort: 8080 }] }
`,
  );
  apiPort = await freePort();
  up = spawn(process.execPath, [program, 'up', 'mesh.yaml', '--api-port', String(apiPort)], { cwd: dir });
  for (const stream of [up.stdout, up.stderr]) stream?.on('data', (chunk) => (output += String(chunk)));
  await until(() => /^ready in /m.test(output));
});

afterAll(() => {
  up.kill('SIGKILL');
  rmSync(dir, { recursive: true, force: true, maxRetries: 10 });
});

test('status prints the table, and JSON', async () => {
  const { status, out } = await mizzen('status');
  expect(status).toBe(0);
  expect(out).toMatch(/^web-v1 +v1 +1\/1 +default\/default +0 +0 +running \(stand-in\)$/m);
  const json = JSON.parse((await mizzen('status', '-o', 'json')).out) as { workloads: { name: string }[] };
  expect(json.workloads.map((w) => w.name).toSorted()).toEqual(['client-v1', 'loud', 'web-v1', 'web-v2']);
});

test('top: everything with what it uses, once where there is no terminal', async () => {
  const { status, out } = await mizzen('top', '--sort', 'name');
  expect(status).toBe(0);
  const memory = process.platform === 'linux' ? '[\\d.]+[KMG]i' : '-';
  expect(out).toMatch(/^NAME +READY +REQ\/S +ERR% +4XX% +P50 +P99 +CPU% +MEMORY +RESTARTS +STATE\n/);
  expect(out).toMatch(new RegExp(`^loud +1/1 +0\\.0 +- +- +- +- +\\S+ +${memory} +0 +running$`, 'm'));
  const json = JSON.parse((await mizzen('top', '-o', 'json')).out) as { workloads: { name: string }[] };
  expect(json.workloads.map(({ name }) => name)).toContain('web-v1');
  const elsewhere = JSON.parse((await mizzen('top', '-o', 'json', '-n', 'elsewhere')).out) as object;
  expect(elsewhere).toMatchObject({ workloads: [], services: [], dataPlane: null });
  expect(await mizzen('top', '-o', 'json', '--sort', 'p99')).toMatchObject({ status: 2 });
  expect(await mizzen('top', 'services', '--sort', 'cpu')).toMatchObject({
    status: 2,
    err: expect.stringContaining('--sort: `cpu` is none of name, rate, errors, 4xx, p50, p99'),
  });
});

test('traces: a value that a flag does not take is a mistake in the command, by its name', async () => {
  for (const args of [['--tags'], ['0123', '--limit', '3'], ['0123', '--error']])
    expect(await mizzen('traces', ...args)).toMatchObject({
      status: 2,
      err: expect.stringMatching(/^mizzen traces: --\w+ is of /),
    });
  expect((await mizzen('traces')).status).toBe(0);
  for (const [flag, value, says] of [
    ['min-duration', 'abc', '--min-duration is a duration such as `50ms`, not `abc`'],
    ['status', 'abc', '--status is one of HTTP'],
    ['limit', '0', '--limit is a number from 1 to 1000'],
  ] as const)
    expect(await mizzen('traces', `--${flag}`, value)).toMatchObject({ status: 2, err: expect.stringContaining(says) });
});

test('dashboard tells where the console is', async () => {
  const { status, out } = await mizzen('dashboard', '--no-browser');
  expect(status).toBe(0);
  expect(out).toMatch(/^http:\/\/127\.0\.0\.1:\d+\n$/);
  const page = await fetch(out.trim());
  expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('<title>Mizzen</title>')]);
  expect((await mizzen('dashboard', 'x')).status).toBe(2);
});

test('dashboard opens the console with a code that is good for the token, once', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mizzen-opener-'));
  const opened = join(folder, 'opened');
  for (const name of ['xdg-open', 'open'])
    writeFileSync(join(folder, name), `#!/bin/sh\necho "$1" > ${opened}.new && mv ${opened}.new ${opened}\n`, {
      mode: 0o755,
    });
  const path = process.env['PATH'];
  process.env['PATH'] = `${folder}:${path}`;
  try {
    expect((await mizzen('dashboard')).status).toBe(0);
  } finally {
    process.env['PATH'] = path;
  }
  await expect.poll(() => existsSync(opened)).toBe(true);
  const [, url, code] = /^(http:\/\/127\.0\.0\.1:\d+)\/#code=([\w-]{20,})\n$/.exec(readFileSync(opened, 'utf8')) ?? [];
  const redeem = (): Promise<Response> => fetch(`${url}/api/console/token?code=${code}`);
  expect(await (await redeem()).json()).toEqual({ token: expect.stringMatching(/^\S{20,}$/) });
  expect((await redeem()).status).toBe(403);
  rmSync(folder, { recursive: true });
});

test('curl goes through the sidecar of the workload', async () => {
  const args = ['curl', '--from', 'client-v1', '-i', '-X', 'PUT', '-H', 'x-one: 1', '-d', 'hello'];
  const { status, out } = await mizzen(...args, 'http://web/a?b=c');
  expect(status).toBe(0);
  const [head = '', body = ''] = out.split('\r\n\r\n');
  expect(head).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  expect(JSON.parse(body)).toMatchObject({
    workload: expect.stringMatching(/^web-v[12]$/),
    method: 'PUT',
    path: '/a?b=c',
    bodySize: 5,
    headers: { host: 'web', 'x-one': '1', 'x-forwarded-client-cert': expect.stringContaining('sa/default') },
  });
  expect((await mizzen('curl', '--from', 'client-v1', '-f', 'http://web/status/503')).status).toBe(1);
  const unmet = ['curl', '--from', 'client-v1', '-X', 'HEAD', 'http://web/status/404'];
  expect(await mizzen(...unmet)).toMatchObject({
    status: 0,
    out: '',
    err: 'mizzen: HEAD http://web/status/404 was answered 404, without a body; `-i` shows its head, `mizzen explain` says why\n',
  });
  expect((await mizzen(...unmet, '-s')).err).toBe('');
});

test('explain names the places that there are', async () => {
  const { pods } = (
    JSON.parse((await mizzen('status', '-o', 'json')).out) as {
      workloads: { name: string; pods: { address: string; httpProxy: string; applicationPorts: object }[] }[];
    }
  ).workloads.find(({ name }) => name === 'web-v1')!;
  const { out } = await mizzen('explain', 'GET http://web/', '--from', 'web-v1', '--chance', '0');
  expect(out).toContain(`listener "http_proxy" at ${pods[0]!.httpProxy}\n`);
  expect(out).toContain(`${pods[0]!.address}:8080`);
  expect(out).toMatch(/1 endpoint: 127\.0\.0\.1:\d+ /);
  expect(out).not.toContain('127.9');
});

test('tap: requests as they end, with who sent them', async () => {
  await mizzen('curl', '--from', 'client-v1', 'http://web/tapped');
  await mizzen('curl', '--from', 'client-v1', 'http://web/status/503');
  const line = await mizzen('tap', 'client-v1', '--tail', '50', '--count', '1', '--status', '5xx');
  expect(line.out).toMatch(
    /^\d\d:\d\d:\d\d\.\d{3} {2}out {2}web-v[12] +GET web\/status\/503 {2}503 - {2}\d+ms {2}\S{30,}\n$/,
  );
  const [, version] = /web-(v[12])/.exec(line.out) ?? [];
  const args = ['--direction', 'in', '--tail', '50', '--count', '1', '--path', '/status/*', '-o', 'json'];
  const { out, err, status } = await mizzen('tap', `web-${version}`, ...args);
  expect([status, err]).toEqual([0, '']);
  expect(JSON.parse(out)).toMatchObject({
    direction: 'inbound',
    peer: 'default/client-v1',
    pod: `web-${version}-0`,
    method: 'GET',
    path: '/status/503',
    status: 503,
  });
  expect((await mizzen('tap', 'client-v1', '--status', 'bad')).status).toBe(2);
});

test('a name that fits several workloads lists them, with status 2; an unknown one is told, with status 1', async () => {
  expect(await mizzen('restart', 'web')).toMatchObject({
    status: 2,
    err: 'mizzen: `web` could be web-v1.default, web-v2.default\n',
  });
  const unknown = await mizzen('scale', 'nobody=2');
  expect(unknown.status).toBe(1);
  expect(unknown.err).toMatch(/^mizzen: no workload `nobody`; there are .*web-v1/);
  expect((await mizzen('scale', 'web-v1=many')).status).toBe(2);
});

test('scale and restart', async () => {
  const pods = async (): Promise<string[]> => {
    const { out } = await mizzen('status', '-o', 'json');
    const { workloads } = JSON.parse(out) as {
      workloads: { name: string; pods: { name: string; ready: boolean }[] }[];
    };
    return workloads.find((w) => w.name === 'web-v1')!.pods.map((p) => `${p.name}${p.ready ? '' : ' no'}`);
  };
  expect(await mizzen('scale', 'web-v1.default=2')).toMatchObject({ status: 0 });
  await until(async () => (await pods()).toString() === 'web-v1-0,web-v1-1');
  expect(await mizzen('restart', 'web-v1-0')).toMatchObject({ status: 0, out: 'web-v1-0.default restarting\n' });
  await until(async () => (await pods()).toString() === 'web-v1-1,web-v1-2');
});

test('logs, of a workload and of a pod', async () => {
  const { out } = await mizzen('logs', 'loud');
  expect(out.split('\n').toSorted()).toEqual([
    '',
    expect.stringMatching(/^loud-0 +\| one$/),
    expect.stringMatching(/^loud-0 +\| two$/),
  ]);
  expect(await mizzen('logs', 'loud', '-c', 'nope')).toEqual({
    status: 1,
    out: '',
    err: 'mizzen: `loud` has no container `nope`; there are `app`, `istio-proxy`\n',
  });
  expect((await mizzen('logs', 'loud', '-c', 'app')).out).toMatch(/one/);
  expect((await mizzen('logs', 'loud-0', '--tail', '1')).out).toMatch(/^(one|two)\n$/);
});

test('logs of one of several pods, of its program and of its proxy', async () => {
  await mizzen('scale', 'loud=3');
  await until(async () => (await mizzen('logs', 'loud')).out.split('\n').length === 7);
  for (const pod of ['loud-0', 'loud-1', 'loud-2']) {
    expect((await mizzen('logs', pod)).out.split('\n').toSorted()).toEqual(['', 'one', 'two']);
    expect((await mizzen('logs', pod, '--tail', '1')).out).toMatch(/^(one|two)\n$/);
  }
  await mizzen('scale', 'client-v1=2');
  const pods = ['client-v1-0', 'client-v1-1'];
  for (const pod of pods) {
    await until(async () => (await mizzen('curl', '--from', pod, `http://web/from-${pod}`)).status === 0);
  }
  const pathsOf = async (name: string): Promise<string[]> => {
    const { out } = await mizzen('logs', name, '-c', 'istio-proxy');
    return [...new Set([...out.matchAll(/\/from-(\S+)/g)].map(([, from]) => from!))].toSorted();
  };
  await until(async () => (await pathsOf('client-v1')).join(' ') === pods.join(' '));
  for (const pod of pods) expect(await pathsOf(pod)).toEqual([pod]);
});

test('proxy-status: what each proxy follows, and whether one has all that it was sent', async () => {
  const { status, out } = await mizzen('proxy-status');
  expect(status).toBe(0);
  expect(out).toMatch(/^NAME +CLUSTER +ISTIOD +VERSION +SUBSCRIBED TYPES$/m);
  expect(out).toMatch(/^client-v1-0\.default +Kubernetes +mizzen +\S+ +5 \(CDS,LDS,EDS,RDS,SDS\)$/m);
  const byType = async (): Promise<string> => (await mizzen('ps', '-v', '1', '-n', 'default')).out;
  expect(await byType()).toMatch(/^NAME +CLUSTER +CDS +LDS +EDS +RDS +SDS +ECDS +ISTIOD +VERSION$/m);
  await expect.poll(byType).toMatch(/^client-v1-0\.default +Kubernetes( +SYNCED){5} +IGNORED +mizzen /m);
  expect((await mizzen('ps', 'client-v1')).out).toBe(
    'Clusters Match\nListeners Match\nRoutes Match\nEndpoints Match\n',
  );
  const [json] = JSON.parse((await mizzen('ps', 'client-v1', '-o', 'json')).out) as { proxy: string }[];
  expect(json?.proxy).toBe('client-v1-0.default');
  expect(await mizzen('ps', 'web')).toEqual({
    status: 2,
    out: '',
    err: 'Error: `web` could be web-v1.default, web-v2.default\n',
  });
});

test('proxy-config: the same dump from the mesh and from a file of it', async () => {
  const dump = join(dir, 'dump.json');
  writeFileSync(dump, (await mizzen('pc', 'all', 'client-v1', '-o', 'json')).out);
  for (const kind of ['cluster', 'all']) {
    const live = await mizzen('proxy-config', kind, 'deploy/client-v1.default');
    expect([kind, live.status, live.err]).toEqual([kind, 0, '']);
    const read = await mizzen('proxy-config', kind, '-f', dump);
    // Only an Envoy's own dump says which Envoy it is.
    expect(read.out.replace('Envoy Version: 0.0.0\n', '')).toBe(live.out);
  }
  const clusters = await mizzen('pc', 'c', 'client-v1-0', '--fqdn', 'web.default', '--port', '80');
  expect(clusters.out).toMatch(/^web\.default\.svc\.cluster\.local +80 +- +outbound +EDS +$/m);
  const secrets = await mizzen('pc', 's', 'client-v1');
  expect(secrets.out).toMatch(/^default +Cert Chain +ACTIVE +true +[0-9a-f]+ +/m);
  expect(secrets.out).toMatch(/^ROOTCA +CA +ACTIVE +true +/m);
  expect((await mizzen('pc', 'ep', 'client-v1', '--port', '8080')).out).toMatch(
    /^127\.\S+:8080 +HEALTHY +- +outbound/m,
  );
  const roots = await mizzen('pc', 'rootca-compare', 'client-v1', 'web-v2');
  expect(roots).toMatchObject({ status: 0, out: expect.stringContaining('have the identical ROOTCA') });
  expect((await mizzen('pc', 'b', 'client-v1')).out).toContain('"id": "sidecar~');
  expect(await mizzen('pc', 'c', 'nobody')).toMatchObject({
    status: 1,
    err: expect.stringMatching(/^Error: no workload/),
  });
});

test('a server is also found by its address', async () => {
  expect((await mizzen('ps', '--api', `127.0.0.1:${apiPort}`)).out).toContain('client-v1-0.default');
  expect(await mizzen('ps', '--api', '127.0.0.1:1')).toMatchObject({
    status: 1,
    err: expect.stringMatching(/^Error: nothing answers at http:\/\/127\.0\.0\.1:1: /),
  });
});

test('stop ends it; afterwards there is nothing to ask', async () => {
  const ended = new Promise<number | null>((resolve) => up.once('exit', (code) => resolve(code)));
  expect(await mizzen('stop')).toMatchObject({ status: 0, out: 'stopped\n' });
  expect(await ended).toBe(0);
  const { status, err } = await mizzen('status');
  expect(status).toBe(1);
  expect(err).toMatch(/^mizzen: no mesh runs in `.*\.mizzen`; `mizzen up` starts one\n$/);
  expect((await mizzen('logs', 'loud')).out).toMatch(/one/);
});
