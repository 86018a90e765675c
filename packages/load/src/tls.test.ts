import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, repositoryRoot, requireTool } from '@mizzen/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Dialer, type Tls } from './net/dialer.ts';
import { Guard } from './net/guard.ts';
import { loadOf } from './testing/load.ts';
import { startNginx } from './testing/nginx.ts';

/** TLS as nginx speaks it, in front of itself and of gRPC's server in Go, with a certificate of openssl's. */

let folder: string;
let ca: string;
let server: ChildProcess;
let grpc: number;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mizzen-load-tls-'));
  const subject = ['-subj', '/CN=shop', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  const files = ['-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem')];
  execFileSync(
    requireTool('openssl'),
    ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', ...subject, ...files],
    {
      stdio: 'ignore',
    },
  );
  // Another of the same key, which has no address.
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-key',
      join(folder, 'key.pem'),
      '-days',
      '1',
      '-subj',
      '/CN=named',
      '-addext',
      'subjectAltName=DNS:localhost',
      '-out',
      join(folder, 'named.pem'),
    ],
    { stdio: 'ignore' },
  );
  ca = ['cert', 'named'].map((name) => readFileSync(join(folder, `${name}.pem`), 'utf8')).join('');
  const program = join(repositoryRoot, '.tools/peers/grpc-health');
  if (!existsSync(program)) throw new Error('the gRPC server is not there: npm run tools');
  grpc = await freePort();
  server = spawn(program, { env: { ...process.env, PORT: String(grpc) }, stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise<void>((done) => server.stdout!.once('data', () => done()));
});
afterAll(() => {
  server?.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

const dialer = (tls: Tls): Dialer =>
  new Dialer({ guard: new Guard({ allowRemote: false }), via: { kind: 'direct' }, tls });
const config = (
  port: number,
  http2: boolean,
  more = '',
): string => `listen 127.0.0.1:${port} ssl ${http2 ? 'http2' : ''};
  ssl_certificate ${folder}/cert.pem; ssl_certificate_key ${folder}/key.pem;
  location / { return 200 "hello"; } ${more}`;

test.each([
  ['http1', 'localhost', 'HTTP/1.1'],
  ['http1', '127.0.0.1', 'HTTP/1.1'],
  ['http2', 'localhost', 'HTTP/2.0'],
  ['http2', '127.0.0.1', 'HTTP/2.0'],
])('%s at %s: whoever trusts the certificate is answered', async (protocol, host, version) => {
  const port = await freePort();
  const nginx = await startNginx(port, config(port, protocol === 'http2'));
  const yaml = `{ target: "https://${host}:${port}", protocol: ${protocol}, scenarios: { a: { steps: [{ url: /a, expect: { contains: hello } }] } } }`;
  const trusting = loadOf(yaml, { rate: 40, dialer: dialer({ insecure: false, ca }) });
  await trusting.prepare();
  expect((await trusting.start()).requests).toMatchObject({ sent: 40, answered: 40, errors: 0 });
  const wary = loadOf(yaml, { rate: 10, dialer: dialer({ insecure: false, ca: undefined }) });
  await wary.prepare();
  const { requests } = await wary.start();
  expect(requests).toMatchObject({ sent: 0, answered: 0, errors: 10 });
  expect(Object.keys(requests.causes)).toEqual([expect.stringMatching(/SELF_SIGNED|CERT/)]);
  expect(await nginx.stop()).toEqual(Array<string>(40).fill(`GET /a 200 ${version}`));
});

test('a server that takes no HTTP/2 is said to', async () => {
  const port = await freePort();
  const nginx = await startNginx(port, config(port, false));
  const load = loadOf(
    `{ target: "https://localhost:${port}", protocol: http2, scenarios: { a: { steps: [{ url: / }] } } }`,
    { rate: 10, dialer: dialer({ insecure: false, ca }) },
  );
  await load.prepare();
  expect((await load.start()).requests).toMatchObject({
    sent: 0,
    errors: 10,
    causes: { 'the server does not take HTTP/2': 10 },
  });
  await nginx.stop();
});

test.each([
  ['localhost', true, 'cert'],
  ['127.0.0.1', true, 'cert'],
  ['localhost', true, 'named'],
  ['127.0.0.1', true, 'named'],
  ['localhost', false, 'cert'],
])('gRPC at %s, trusted: %s, certificate: %s', async (host, trusted, certificate) => {
  const port = await freePort();
  const more = `location /grpc. { grpc_pass grpc://127.0.0.1:${grpc}; }`;
  const nginx = await startNginx(port, config(port, true, more).replaceAll('/cert.pem', `/${certificate}.pem`));
  const load = loadOf(
    `
target: https://${host}:${port}
protocol: grpc
scenarios:
  a:
    steps: [{ call: grpc.health.v1.Health/Check, message: { service: shop }, expect: { json: { $.status: SERVING } } }]
`,
    { rate: 40, dialer: dialer({ insecure: false, ca: trusted ? ca : undefined }) },
  );
  if (trusted && !(host === '127.0.0.1' && certificate === 'named')) {
    await load.prepare();
    expect((await load.start()).requests).toMatchObject({ sent: 40, answered: 40, errors: 0, statuses: { OK: 40 } });
    const calls = (await nginx.stop()).filter((line) => line.includes('/grpc.health.v1.Health/Check'));
    expect(calls).toEqual(Array<string>(40).fill('POST /grpc.health.v1.Health/Check 200 HTTP/2.0'));
  } else {
    // It is asked what it has before anything is sent.
    await expect(load.prepare()).rejects.toThrow(/certificate/i);
    await nginx.stop();
  }
});
