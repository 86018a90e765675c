/** Parameters of the admin endpoint, good ones and bad ones, beside real Envoy. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, startEnvoy, startEnvoyFile } from '@mizzen/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bootstrap, staticCluster } from '../process/testing/bootstraps.ts';
import { startProxy, startWithAdmin } from '../process/testing/standalone.ts';

/** Method, target, form values in the body. */
const ASKS: readonly (readonly [string, string, string?])[] = [
  ['GET', '/'.repeat(2)],
  ['GET', '/.//'],
  ['GET', '//ready'],
  ['GET', '/%72eady'],
  ['GET', '/./ready'],
  ['GET', '/a/../ready'],
  ['GET', '/%2E/ready'],
  ['GET', '/ready%3Fx'],
  ['GET', '/ready/'],
  ['GET', '/READY'],
  ['PUT', '/ready'],
  ['GET', '/stats//prometheus?filter=server.live'],
  ['GET', '/stats%2Fprometheus'],
  ['GET', '/clusters?filter=(('],
  ['GET', '/clusters?format=text&filter=%5Efar%24'],
  ['GET', '/listeners?format='],
  ['POST', '/logging?paths='],
  ['POST', '/logging?paths=,'],
  ['POST', '/logging?paths=main:debug,,http:info'],
  ['POST', '/logging?paths=main:debug:trace'],
  ['POST', '/logging?paths=main:warn'],
  ['POST', '/logging?paths=:debug'],
  ['POST', '/logging?main=warn'],
  ['POST', '/logging?level=warn'],
  ['POST', '/logging?level=off&level=info'],
  ['POST', '/logging?main=info&http=debug'],
  ['POST', '/logging', 'level=error'],
  ['POST', '/logging?group=main:debug'],
  ['POST', '/cpuprofiler'],
  ['POST', '/cpuprofiler?enable=x'],
  ['POST', '/cpuprofiler?enable=n'],
  ['POST', '/allocprofiler?enable='],
  ['POST', '/runtime_modify'],
  ['POST', '/runtime_modify', 'a=b&c=%64'],
  ['POST', '/runtime_modify?a=1&a=2'],
  ['POST', '/runtime_modify?a=%25&b=%25x%0A'],
  ['GET', '/stats?format=banana'],
  ['GET', '/stats?format=&filter=server.live'],
  ['GET', '/stats?type=&filter=server.live'],
  ['GET', '/stats?type=Banana'],
  ['GET', '/stats?type=Banana&format=banana'],
  ['GET', '/stats?type=Banana&histogram_buckets=banana'],
  ['GET', '/stats?type=Banana&hidden=banana'],
  ['GET', '/stats?format=banana&hidden=banana'],
  ['GET', '/stats?filter=((&histogram_buckets=banana'],
  ['GET', '/stats?filter=((&type=Banana'],
  ['GET', '/stats?hidden=banana'],
  ['GET', '/stats?hidden=only'],
  ['GET', '/stats?hidden=include&filter=server.live'],
  ['GET', '/stats?hidden=exclude&filter=server.live'],
  ['GET', '/stats?filter=server.live&filter=server.state'],
  ['GET', '/stats?histogram_buckets=banana'],
  ...['cumulative', 'disjoint', 'detailed', 'summary', 'none', 'prometheusnative', ''].flatMap(
    (mode): [string, string][] =>
      ['text', 'json', 'prometheus'].map((format) => [
        'GET',
        `/stats?filter=app.upstream_cx_connect_ms&histogram_buckets=${mode}&format=${format}`,
      ]),
  ),
  ['GET', '/stats/prometheus?histogram_buckets=detailed'],
  ['GET', '/stats/prometheus?format=banana'],
  ['GET', '/stats/prometheus?type=Banana'],
  ['GET', '/stats/prometheus?hidden=only'],
  ['POST', '/clusters', 'filter=%5Efar%24'],
  ['POST', '/listeners', 'format=json'],
  ['POST', '/config_dump', 'resource=nothing'],
  ['POST', '/cpuprofiler', 'enable=n'],
  ['GET', '/clusters', 'filter=%5Efar%24'],
  ['GET', '/config_dump?resource=version_info'],
  ['GET', '/config_dump?resource=last_updated'],
  ['GET', '/config_dump?resource=nothing'],
  ['GET', '/config_dump?mask=static_clusters,nothing'],
];

/** With paths that are allowed: parameters are part of them. */
const ALLOWED: readonly (readonly [string, string])[] = [
  ['GET', '/ready'],
  ['GET', '/ready?x=2'],
  ['GET', '/%72eady'],
  ['GET', '//ready'],
  ['GET', '/ready%3Fx'],
  ['GET', '/stats?filter=server.live'],
  ['GET', '/stats/prometheus?filter=nothing'],
  ['GET', '//stats?filter=%73erver.live'],
  ['GET', '/stats/../ready'],
  ['GET', '/stats/..//certs'],
  ['GET', '/clusters?filter=nothing'],
  ['GET', '/clusters?filter=nothing&format=text'],
  ['GET', '/runtime?X=1'],
  ['GET', '/nothing?x=1'],
  ['GET', '/nothing'],
  ['POST', '/quitquitquit'],
  ['POST', '/logging?level=off'],
];
const allowPaths = [
  { exact: '/ready' },
  { prefix: '/stats' },
  { safeRegex: { regex: '/(clusters|listeners)\\?filter=\\w+' } },
  { suffix: 'x=1', ignoreCase: true },
];

const stops: (() => Promise<void>)[] = [];
const admins = { ours: 0, theirs: 0, ourFew: 0, theirFew: 0 };
beforeAll(async () => {
  const up = await freePort();
  const config = {
    ...bootstrap([], [staticCluster('app', [up]), staticCluster('far', [up])]),
    layeredRuntime: { layers: [{ name: 'admin', adminLayer: {} }] },
  };
  const envoy = await startEnvoy(config);
  stops.push(() => envoy.stop());
  const proxy = await startWithAdmin(config);
  stops.push(() => proxy.stop());
  const [ourFew, theirFew] = [await freePort(), await freePort()];
  const few = (portValue: number): object => ({
    admin: { address: { socketAddress: { address: '127.0.0.1', portValue } }, allowPaths },
  });
  const allowing = await startProxy(few(ourFew));
  stops.push(() => allowing.stop());
  const file = join(mkdtempSync(join(tmpdir(), 'mizzen-admin-paths-')), 'envoy.json');
  writeFileSync(file, JSON.stringify(few(theirFew)));
  const other = await startEnvoyFile(file, theirFew);
  stops.push(() => other.stop());
  Object.assign(admins, { ours: proxy.admin, theirs: envoy.adminPort, ourFew, theirFew });
});
afterAll(async () => {
  for (const stop of stops) await stop();
});

/** Status, type and body. */
async function ask(port: number, method: string, target: string, form: string | undefined): Promise<string[]> {
  const fields =
    form === undefined ? [] : [`content-type: application/x-www-form-urlencoded`, `content-length: ${form.length}`];
  const head = [`${method} ${target} HTTP/1.1`, 'host: 127.0.0.1', 'connection: close', ...fields].join('\r\n');
  const answer = await new Promise<string>((done, fail) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(`${head}\r\n\r\n${form ?? ''}`));
    let all = '';
    socket.on('data', (data) => (all += data.toString()));
    socket.on('close', () => done(all));
    socket.on('error', fail);
  });
  const [start = '', ...rest] = answer.split('\r\n\r\n');
  const [, status = ''] = start.split(' ');
  const type = /^content-type: (.*)$/im.exec(start)?.[1] ?? '';
  const body = /^transfer-encoding: chunked$/im.test(start) ? joined(rest.join('\r\n\r\n')) : rest.join('\r\n\r\n');
  return [status, type, body.replace(/admin commands are:[^]*/, 'admin commands')];
}

/** What the chunks say together. */
function joined(chunks: string): string {
  const size = Number.parseInt(chunks, 16);
  if (!(size > 0)) return '';
  const from = chunks.indexOf('\r\n') + 2;
  return chunks.slice(from, from + size) + joined(chunks.slice(from + size + 2));
}

test.each([
  'GET /ready',
  'GET /stats?format=html',
  'GET /stats?format=active-html',
  'GET /',
  'HEAD /ready',
  'PUT /logging',
])('the head of the answer to %s', async (start) => {
  const head = async (port: number, fields: string): Promise<string> =>
    new Promise((done, fail) => {
      let text = '';
      const socket = connect(port, '127.0.0.1', () =>
        socket.write(`${start} HTTP/1.1\r\nhost: localhost\r\n${fields}\r\n`),
      );
      socket.on('data', (data) => {
        text += data.toString();
        if (text.includes('\r\n\r\n')) socket.destroy();
      });
      socket.on('close', () => done(text.split('\r\n\r\n')[0]!.replace(/^date: .*$/m, 'date: NOW')));
      socket.on('error', fail);
    });
  for (const fields of ['', 'connection: close\r\n'])
    expect(await head(admins.ours, fields)).toBe(await head(admins.theirs, fields));
});

test.each([
  'GET /ready HTTP/1.1',
  'GET /ready HTTP/1.0|host: localhost',
  'GET /ready HTTP/1.0|host: localhost|connection: keep-alive',
  'GET http://localhost/ready HTTP/1.1|host: localhost|connection: close',
  'GET * HTTP/1.1|host: localhost|connection: close',
  'GET ready HTTP/1.1|host: localhost',
  'GET /ready?a#b HTTP/1.1|host: localhost',
  'GET /re%00ady HTTP/1.1|host: localhost',
  'nonsense',
  'FOO /ready HTTP/1.1|host: localhost',
  'GET /ready HTTP/1.1|host: localhost|bad name: x',
  'GET /ready HTTP/1.1|host: localhost|content-length: x',
  'GET /ready HTTP/1.1|host: localhost|expect: something|connection: close',
  `GET /ready?${'a'.repeat(20_000)} HTTP/1.1|host: localhost|connection: close`,
  `GET /ready HTTP/1.1|host: localhost|x: ${'a'.repeat(70_000)}`,
  'GET /config_dump?resource=nothing HTTP/1.1|host: localhost|connection: close',
])('all of the answer to %.60s', async (lines) => {
  const answer = (port: number): Promise<string> =>
    new Promise((done, fail) => {
      let text = '';
      const socket = connect(port, '127.0.0.1', () => socket.write(lines.replaceAll('|', '\r\n') + '\r\n\r\n'));
      socket.on('data', (data) => (text += data.toString()));
      socket.on('close', () => done(text.replace(/^date: .*$/m, 'date: NOW')));
      // Of what is too long, not all is read.
      socket.on('error', (error: NodeJS.ErrnoException) =>
        error.code === 'EPIPE' || error.code === 'ECONNRESET' ? undefined : fail(error),
      );
    });
  expect(await answer(admins.ours)).toBe(await answer(admins.theirs));
});

test.each(ASKS.map(([method, target, form]) => ({ method, target, form })))(
  '$method $target $form',
  async ({ method, target, form }) => {
    const ours = await ask(admins.ours, method, target, form);
    expect(ours).toEqual(await ask(admins.theirs, method, target, form));
  },
);

test.each(ALLOWED)('where few paths are allowed: %s %s', async (method, target) => {
  const answer = async (port: number): Promise<unknown[]> => {
    const [status, type = '', body = ''] = await ask(port, method, target, undefined);
    // Envoy puts the keys of an object in another order each time it starts.
    return [status, type, type === 'application/json' ? (JSON.parse(body) as unknown) : body];
  };
  expect(await answer(admins.ourFew)).toEqual(await answer(admins.theirFew));
});
