/** What the admin interface makes of clients that mean no good. */
import { request } from 'node:http';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { envoyBinary } from '@mizzen/testkit';
import { bootstrap, socketAddress } from '../process/testing/bootstraps.ts';
import { startProxy, startWithAdmin } from '../process/testing/standalone.ts';

let proxy: Awaited<ReturnType<typeof startWithAdmin>>;
beforeAll(async () => {
  proxy = await startWithAdmin(bootstrap([], []));
  // It is not waited for before the proxy is said to be ready.
  while ((await status('GET', '/ready').catch(() => 0)) !== 200) await wait(25);
});
afterAll(() => proxy.stop());

function status(method: string, path: string, headers: Record<string, string> = {}): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    request({ port: proxy.admin, host: '127.0.0.1', method, path, headers, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode);
    })
      .on('error', reject)
      .end();
  });
}

test('form values that never come change nothing', async () => {
  const socket = connect(proxy.admin, '127.0.0.1');
  const head = 'content-type: application/x-www-form-urlencoded\r\ncontent-length: 100';
  socket.write(`POST /runtime_modify HTTP/1.1\r\nhost: 127.0.0.1\r\n${head}\r\n\r\nkey=`);
  expect(await status('GET', '/ready')).toBe(200);
  socket.destroy();
  await new Promise((done) => socket.once('close', done));
  for (let i = 0; i < 3; i++) expect(await status('GET', '/ready')).toBe(200);
});

test('pages of others, which browsers let ask, are refused', async () => {
  const own = `http://127.0.0.1:${proxy.admin}`;
  for (const origin of ['http://evil.test', 'null', 'http://127.0.0.1:1'])
    expect(await status('POST', '/healthcheck/fail', { origin })).toBe(403);
  expect(await status('POST', '/healthcheck/ok', { origin: own })).toBe(200);
  expect(await status('GET', '/ready', { host: 'evil.test' })).toBe(403);
});

test('a proxy that nobody could ask anything does not start, as Envoy does not', { timeout: 30_000 }, async () => {
  const taken = createServer();
  await new Promise<void>((done) => taken.listen(0, '127.0.0.1', done));
  const { port } = taken.address() as AddressInfo;
  const config = { admin: { address: socketAddress(port) }, ...bootstrap([], []) };
  await expect(startProxy(config)).rejects.toThrow(/address already in use/i);
  const file = join(mkdtempSync(join(tmpdir(), 'mizzen-admin-')), 'envoy.json');
  writeFileSync(file, JSON.stringify(config));
  const { status: ended, stderr } = spawnSync(envoyBinary(), ['-c', file, '--base-id', String(port)], {
    timeout: 20_000,
  });
  expect([ended, stderr.toString()]).toEqual([1, expect.stringContaining('Address already in use')]);
  taken.close();
});
