import { request } from 'node:http';
import { once } from 'node:events';
import { connect, constants, type ClientHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, repositoryRoot } from '@mizzen/testkit';
import { describe, expect, it } from 'vitest';
import type { RequestAnswer } from '@mizzen/runtime/api/types.ts';
import { fromWorkload } from './lib/from-workload.ts';
import { mizzen, up, type Mesh } from './lib/mesh.ts';
import { samples } from './lib/metrics.ts';
import { alive, descendants } from './lib/processes.ts';
import { folder, gateway, service } from './lib/system.ts';

/** What there is to say about a mesh on real Envoys alone. */

interface WorkloadDetail {
  readonly pods: readonly { readonly httpProxy: string }[];
}

const MESH = `${service('web')}---\n${gateway('web')}`;

async function withMesh(
  files: Record<string, string>,
  test: (mesh: Mesh, system: ReturnType<typeof folder>) => Promise<void>,
) {
  const system = folder(files);
  try {
    const mesh = await up([system.path], { engine: 'envoy' });
    try {
      await test(mesh, system);
    } finally {
      await mesh.stop();
    }
  } finally {
    system.remove();
  }
}

describe('an Envoy that cannot be had', () => {
  it.each([
    ['is not there', 'nowhere', /--envoy: there is no file `.*nowhere`/],
    [
      'does not run',
      'broken',
      /broken` does not run: .*; `npm run tools` puts one into \.tools, `--envoy PATH` names another/,
    ],
    ['is too old', 'old', /old` is Envoy 1\.20\.0, and Mizzen needs [\d.]+ or newer/],
  ])('%s: one line says so, and nothing is started', async (_, name, says) => {
    const system = folder({ 'all.yaml': MESH });
    const state = mkdtempSync(join(tmpdir(), 'mizzen-e2e-'));
    try {
      writeFileSync(join(state, 'broken'), '#!/bin/sh\necho no such library >&2\nexit 127\n', { mode: 0o755 });
      const version = 'envoy  version: 0123456789abcdef/1.20.0/Clean/RELEASE/BoringSSL';
      writeFileSync(join(state, 'old'), `#!/bin/sh\necho '${version}'\n`, { mode: 0o755 });
      const stateDir = join(state, 'mesh');
      const flags = ['--engine', 'envoy', '--envoy', join(state, name), '--api-port', String(await freePort())];
      const { status, stdout, stderr } = await mizzen(['up', system.path, '--state-dir', stateDir, ...flags]);
      expect([status, stdout]).toEqual([1, '']);
      expect(stderr.trim().split('\n')).toEqual([expect.stringMatching(says)]);
      expect(existsSync(stateDir)).toBe(false);
    } finally {
      system.remove();
      rmSync(state, { recursive: true });
    }
  });
});

it('shows what an Envoy refuses with its line, and goes on with what it had', async () => {
  await withMesh({ 'all.yaml': MESH }, async (mesh, system) => {
    const from = mesh.output().length;
    const jwks = '{"keys":[{"kty":"RSA","n":"AA","e":"!"}]}';
    system.write(
      'token.yaml',
      `apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: token }
spec:
  selector: { matchLabels: { app: web } }
  jwtRules:
    - issuer: somebody
      jwks: '${jwks}'
`,
    );
    await mesh.saw(/web-v1-\S+ refused \S+_8080: .*jwks.* \(from \S*token\.yaml:7\)/, from);
    expect((await mesh.get('/')).status).toBe(200);
    const { body } = await mesh.api('/api/config/status');
    const { proxies } = JSON.parse(body) as {
      proxies: { pod: string; refusals: { source: string; message: string }[] }[];
    };
    const refused = proxies.flatMap(({ pod, refusals }) => refusals.map((each) => [pod, each.message, each.source]));
    expect(refused).toEqual([
      [expect.stringContaining('web-v1'), expect.stringContaining('jwks'), expect.stringMatching(/token\.yaml:7$/)],
    ]);
    const fixed = mesh.output().length;
    system.write('token.yaml', '');
    await mesh.saw('removed RequestAuthentication default/token', fixed);
    expect((await mesh.get('/')).status).toBe(200);
  });
});

it('counts requests, and scales and restarts without losing one', async () => {
  await withMesh({ 'all.yaml': MESH }, async (mesh) => {
    const failed: string[] = [];
    let running = true;
    let sent = 0;
    const load = (async () => {
      while (running) {
        sent++;
        const answer = await mesh.get('/').catch((error: unknown) => ({ status: String(error) }));
        if (answer.status !== 200) failed.push(String(answer.status));
      }
    })();
    try {
      expect((await mesh.mizzen('scale', 'web-v1=3')).status).toBe(0);
      await mesh.saw('web-v1 running (stand-in) 3/3');
      let from = mesh.output().length;
      expect((await mesh.mizzen('restart', 'web-v1')).status).toBe(0);
      await mesh.saw('web-v1 running (stand-in) 3/3', from);
      from = mesh.output().length;
      expect((await mesh.mizzen('scale', 'web-v1=1')).status).toBe(0);
      await mesh.saw('web-v1 running (stand-in) 1/1', from);
    } finally {
      running = false;
      await load;
    }
    expect(failed).toEqual([]);
    const counted = async (): Promise<number> => {
      const { body } = await mesh.api('/api/workloads/istio-system/istio-ingressgateway');
      return (JSON.parse(body) as { outboundRequests: number }).outboundRequests;
    };
    const envoys = (): number => descendants(mesh.pid).filter(({ command }) => command.includes('envoy -c ')).length;
    await expect.poll(async () => [await counted(), envoys()]).toEqual([sent, 2]);
  });
});

it('carries gRPC, from HTTP/2 without TLS through mutual TLS to HTTP/2 without TLS', async () => {
  // gRPC's own server in Go.
  const run = `annotations: { mizzen.dev/run: ${join(repositoryRoot, '.tools/peers/grpc-health')} }`;
  const greeter = service('greeter')
    .replace('{ name: http, port: 8080 }', '{ name: grpc, port: 8080 }')
    .replace(
      'metadata: { labels: { app: greeter, version: v1 } }',
      `metadata: { labels: { app: greeter, version: v1 }, ${run} }`,
    );
  const files = { 'all.yaml': `${service('client')}---\n${greeter}` };
  await withMesh(files, async (mesh) => {
    const detail = JSON.parse((await mesh.api('/api/workloads/default/client-v1')).body) as WorkloadDetail;
    const [host, port] = detail.pods[0]!.httpProxy.split(':') as [string, string];
    const tunnel = await new Promise<Socket>((resolve, reject) => {
      const asking = request({ host, port: Number(port), method: 'CONNECT', path: 'greeter:8080', agent: false });
      asking.on('connect', (_, socket) => resolve(socket));
      asking.on('error', reject);
      asking.end();
    });
    const session: ClientHttp2Session = connect('http://greeter:8080', { createConnection: () => tunnel });
    try {
      const answer = await new Promise<Record<string, unknown>>((resolve, reject) => {
        const call = session.request({
          ':method': 'POST',
          ':path': '/grpc.health.v1.Health/Check',
          'content-type': 'application/grpc',
          te: 'trailers',
        });
        const got: Record<string, unknown> = {};
        call.on('response', (headers) => (got['status'] = headers[':status']));
        call.on('data', (data: Buffer) => (got['message'] = data.toString('hex')));
        call.on('trailers', (trailers) => (got['grpc'] = trailers['grpc-status']));
        call.on('end', () => resolve(got));
        call.on('error', reject);
        call.end(Buffer.from([0, 0, 0, 0, 0]));
      });
      // One message of two bytes: `status: SERVING`.
      expect(answer).toEqual({ status: 200, message: '00000000020801', grpc: '0' });
      const metrics = async (): Promise<string> => {
        const targets = JSON.parse((await mesh.api('/api/prometheus/targets')).body) as { targets: string[] }[];
        const places = targets.flatMap(({ targets: each }) => each).filter((each) => each.startsWith('127.'));
        const texts = places.map(async (each) => (await fetch(`http://${each}/stats/prometheus`)).text());
        return (await Promise.all(texts)).join('');
      };
      const messages = async (): Promise<string[]> => {
        const text = await metrics();
        return ['request', 'response'].flatMap((what) =>
          samples(text, `istio_${what}_messages_total`).map(
            (each) => `${what} ${each['reporter']} ${each['source_app']} ${each['destination_app']} ${each['value']}`,
          ),
        );
      };
      const counted = async (count: number): Promise<void> =>
        expect
          .poll(async () => (await messages()).toSorted())
          .toEqual(
            ['request destination', 'request source', 'response destination', 'response source'].map(
              (each) => `${each} client greeter ${count}`,
            ),
          );
      await counted(1);
      const calls = async (): Promise<number[]> =>
        samples(await metrics(), 'istio_requests_total').map(({ value }) => Number(value));
      await expect.poll(calls).toEqual([1, 1]);

      // A call that goes on is told of, too: its messages, and that there was one only when it is over.
      const watch = session.request({
        ':method': 'POST',
        ':path': '/grpc.health.v1.Health/Watch',
        'content-type': 'application/grpc',
        te: 'trailers',
      });
      watch.on('error', () => undefined);
      watch.end(Buffer.from([0, 0, 0, 0, 0]));
      await once(watch, 'data');
      await counted(2);
      expect(await calls()).toEqual([1, 1]);
      watch.close(constants.NGHTTP2_CANCEL);
      await expect.poll(async () => (await calls()).reduce((sum, each) => sum + each, 0)).toBe(4);
      await counted(2);
    } finally {
      session.destroy();
    }
  });
});

const FAULT = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: books }
spec:
  hosts: [books]
  http:
    - match: [{ uri: { prefix: /broken } }]
      fault: { abort: { httpStatus: 503, percentage: { value: 100 } } }
      route: [{ destination: { host: books } }]
    - route: [{ destination: { host: books } }]
`;
const LOGGING = `apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: { name: mesh, namespace: istio-system }
spec: { accessLogging: [{ providers: [{ name: envoy }] }] }
`;

it('shows requests as they end: `mizzen tap` of who asks and of who is asked', async () => {
  const db = service('db').replaceAll('name: http', 'name: tcp');
  const files = { 'all.yaml': [service('client'), service('books'), db, FAULT, LOGGING].join('---\n') };
  await withMesh(files, async (mesh) => {
    const client = await fromWorkload(mesh, 'default', 'client-v1');
    const taps = [
      mesh.mizzen('tap', 'books', '--count', '3', '--path', '/shelf*', '-o', 'json'),
      mesh.mizzen('tap', 'client-v1', '--count', '2', '--status', '5xx', '--direction', 'out'),
    ];
    let running = true;
    const traffic = (async () => {
      for (let i = 0; running; i++) {
        await client.get(`http://books:8080/shelf/${i}?all=1`, { 'x-request-id': `shelf-${i}` });
        await client.get('http://books:8080/broken');
        await new Promise((done) => setTimeout(done, 100));
      }
    })();
    const [server, caller] = await Promise.all(taps).finally(() => (running = false));
    await traffic;
    expect([server!.status, server!.stderr, caller!.status, caller!.stderr]).toEqual([0, '', 0, '']);
    const requests = server!.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as RequestAnswer);
    expect(requests).toHaveLength(3);
    for (const each of requests) {
      expect(each).toMatchObject({ direction: 'inbound', peer: 'default/client-v1', pod: 'books-v1-0', method: 'GET' });
      expect(each).toMatchObject({ authority: 'books:8080', status: 200, flags: '' });
      expect(each.path).toMatch(/^\/shelf\/\d+\?all=1$/);
      expect(each.requestId).toBe(`shelf-${/\d+/.exec(each.path)![0]}`);
      expect(each.duration).toBeGreaterThanOrEqual(0);
    }
    const lines = caller!.stdout.trimEnd().split('\n');
    expect(lines).toHaveLength(2);
    for (const line of lines) {
      expect(line).toMatch(/^\d\d:\d\d:\d\d\.\d{3} {2}out {2}.* GET books:8080\/broken {2}503 FI {2}\d+ms {2}\S+$/);
    }

    // Connections that are only bytes.
    const { pods } = JSON.parse((await mesh.api('/api/workloads/default/client-v1')).body) as WorkloadDetail;
    const [host, port] = pods[0]!.httpProxy.split(':') as [string, string];
    const tunnel = await new Promise<Socket>((resolve, reject) => {
      const asking = request({ host, port: Number(port), method: 'CONNECT', path: 'db:8080', agent: false });
      asking.on('connect', (_, socket) => resolve(socket));
      asking.on('error', reject);
      asking.end();
    });
    const tapped = mesh.mizzen('tap', 'db', '--count', '1', '--tail', '1');
    tunnel.end('hello\n');
    expect((await tapped).stdout).toMatch(/^\S+ {2}in {3}\S+ +TCP {2}\S+ {2}\d+ms/);
  });
});

it('ends every Envoy when it is stopped', async () => {
  const system = folder({ 'all.yaml': MESH });
  const mesh = await up([system.path], { engine: 'envoy' });
  const pids = descendants(mesh.pid).map(({ pid }) => pid);
  const { status, milliseconds } = await mesh.stop();
  system.remove();
  expect(status).toBe(0);
  // Far from the thirty seconds that each pod may take.
  expect(milliseconds).toBeLessThan(25_000);
  await expect.poll(() => alive(pids)).toEqual([]);
});
