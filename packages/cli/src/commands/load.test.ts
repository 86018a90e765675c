import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repositoryRoot } from '@mizzen/testkit';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { afterAll, beforeAll, expect, test } from 'vitest';

const program = join(repositoryRoot, 'packages/cli/bin/mizzen.mjs');
const dir = mkdtempSync(join(tmpdir(), 'mizzen-load-'));
let server: Server;
let seen: string[] = [];
let url = '';

interface Ran {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

/** `interrupt`: SIGINT once the server has seen a request. */
function load(args: readonly string[], interrupt = false): Promise<Ran> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [program, 'load', ...args], { cwd: dir }, (_error, out, err) => {
      resolve({ status: child.exitCode, out, err });
    });
    if (interrupt) server.once('request', () => setTimeout(() => child.kill('SIGINT'), 300));
  });
}

function valid(json: string): object {
  const schema = readFileSync(join(repositoryRoot, 'docs/reference/schemas/load.schema.json'), 'utf8');
  const validate = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(JSON.parse(schema) as object);
  const result = JSON.parse(json) as object;
  expect(validate(result), JSON.stringify(validate.errors)).toBe(true);
  return result;
}

beforeAll(async () => {
  server = createServer((request, response) => {
    seen.push(`${request.method} ${request.url}`);
    if (request.url === '/away') response.writeHead(302, { location: 'http://192.0.2.1/' }).end();
    else response.end('ok');
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(() => {
  server.close();
  rmSync(dir, { recursive: true });
});

test('JSON is what the published schema says, and counts what was served', async () => {
  seen = [];
  const { status, out } = await load(['-d', '1', '-r', '40', '-o', 'json', '-q', '-X', 'PUT', `${url}/a`]);
  expect(valid(out)).toMatchObject({
    mode: 'balanced',
    arrivals: { due: 40, started: 40, dropped: 0 },
    requests: { sent: 40, answered: 40, errors: 0, statuses: { 200: 40 } },
    ok: true,
  });
  expect(seen).toEqual(Array.from({ length: 40 }, () => 'PUT /a'));
  expect(status).toBe(0);
});

test.each(['spike', 'stress', 'soak', 'chaos'])('%s, as JSON', async (mode) => {
  const peaks = mode === 'spike' || mode === 'stress';
  const args = ['-m', mode, '-d', '2', '-r', '20', ...(peaks ? ['--peak', '40'] : []), '-o', 'json', '-q', url];
  expect(valid((await load(args)).out)).toMatchObject({ mode, rate: 20, peak: peaks ? 40 : 20 });
});

test('a broken threshold is status 1, a held one 0', async () => {
  const one = ['-d', '0.2', '-q', url, '--threshold'];
  expect(await load([...one, 'p99<0.001ms'])).toMatchObject({ status: 1, out: expect.stringMatching(/broken p99/) });
  expect(await load([...one, 'p99<10s'])).toMatchObject({ status: 0, out: expect.stringMatching(/ok {5}p99/) });
  expect(await load([...one, 'p99<200'])).toMatchObject({
    status: 2,
    err: expect.stringContaining('`200` is not a duration'),
  });
});

test('nothing leaves this machine unless that is allowed', async () => {
  const refused = await load(['-d', '1', 'http://192.0.2.1/']);
  expect(refused).toMatchObject({
    status: 2,
    out: '',
    err: expect.stringContaining('192.0.2.1 is not on this machine'),
  });
  expect(refused.err).toContain('--allow-remote');
  writeFileSync(join(dir, 'away.yaml'), `scenarios: { a: { steps: [{ url: "${url}/away", redirects: 3 }] } }`);
  const redirected = await load(['-d', '0.2', '-o', 'json', '-q', 'away.yaml']);
  expect(valid(redirected.out)).toMatchObject({ requests: { causes: { 'remote address refused': 2 } } });
});

test.each([
  [['no.yaml'], '`no.yaml` cannot be read: there is no such file'],
  [['--cacert', '.', 'http://127.0.0.1:1'], '`.` cannot be read: it is a directory'],
  [['--data', '@no.txt', 'http://127.0.0.1:1'], '`no.txt` cannot be read'],
  [['--report', 'no/a.html', 'http://127.0.0.1:1'], '`no/a.html` cannot be written'],
])('a file that is not to be had is said before anything is sent: %s', async (args, reason) => {
  const { status, out, err } = await load(['-d', '0.2', ...args]);
  expect({ status, out }).toEqual({ status: 2, out: '' });
  expect(err).toContain(reason);
  expect(err).not.toContain('    at ');
});

test.each([
  [['visitors.yaml', '-H', 'a: b'], '--header is of a URL'],
  [['visitors.yaml', '-X', 'POST'], '--request is of a URL'],
  [['visitors.yaml', '--timeout', '1s'], '--timeout is of a URL'],
  [['--peak', '90', 'http://127.0.0.1:1'], '--peak: mode balanced has none'],
  [['-p', 'grpc', '-X', 'PUT', 'http://127.0.0.1:1/a.B/C'], '-X: calls of gRPC are all POST'],
  [['--proto', 'a.proto', 'http://127.0.0.1:1'], '--proto is of gRPC'],
  [
    ['-r', '-1', 'http://127.0.0.1:1'],
    'mizzen load: -r needs a value\n  help: one that begins with a dash is written `--rate=-…`\n',
  ],
])('what would change nothing is refused: %s', async (args, reason) => {
  writeFileSync(join(dir, 'visitors.yaml'), `target: ${url}\nscenarios: { a: { steps: [{ get: / }] } }\n`);
  const { status, out, err } = await load(args);
  expect({ status, out }).toEqual({ status: 2, out: '' });
  expect(err).toContain(reason);
});

test('Ctrl-C ends it with the report', async () => {
  const { status, out } = await load(['-d', '60', '-q', '-o', 'json', url], true);
  expect(valid(out)).toMatchObject({ ending: 'interrupted' });
  expect(status).toBe(0);
});

test('mistakes in a file are shown in place', async () => {
  writeFileSync(join(dir, 'bad.yaml'), 'scenarios:\n  a:\n    wieght: 2\n    steps: [{ url: / }]\n');
  const { status, err } = await load(['bad.yaml']);
  expect(status).toBe(1);
  expect(err).toContain('error[MZ0301] bad.yaml:3:5  scenarios.a.wieght: there is no such field');
  expect(err).toContain('did you mean `weight`?');
});
