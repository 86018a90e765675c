import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '@mizzen/testkit';
import { expect, test } from 'vitest';

const program = fileURLToPath(new URL('../bin/mizzen.mjs', import.meta.url));
/** What a Node says that is too old to run the program itself. */
const OLD = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.0.0' } })`;
const T = 'type.googleapis.com/envoy.extensions';

test('started by an old Node, the program opens logs again and ends as the signals to that say', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mizzen-launcher-'));
  const log = join(folder, 'access.log');
  const port = await freePort();
  const manager = {
    '@type': `${T}.filters.network.http_connection_manager.v3.HttpConnectionManager`,
    statPrefix: 'a',
    accessLog: [{ name: 'file', typedConfig: { '@type': `${T}.access_loggers.file.v3.FileAccessLog`, path: log } }],
    routeConfig: {
      virtualHosts: [
        { name: 'a', domains: ['*'], routes: [{ match: { prefix: '/' }, directResponse: { status: 200 } }] },
      ],
    },
    httpFilters: [{ name: 'router', typedConfig: { '@type': `${T}.filters.http.router.v3.Router` } }],
  };
  const listener = {
    name: 'a',
    address: { socketAddress: { address: '127.0.0.1', portValue: port } },
    filterChains: [{ filters: [{ name: 'http', typedConfig: manager }] }],
  };
  const file = join(folder, 'bootstrap.json');
  writeFileSync(file, JSON.stringify({ staticResources: { listeners: [listener] } }));
  const old = `data:text/javascript,${encodeURIComponent(OLD)}`;
  const child = spawn(process.execPath, ['--import', old, program, 'proxy', '-c', file], { stdio: 'ignore' });
  try {
    const ended = once(child, 'exit');
    const get = (): Promise<number> =>
      fetch(`http://127.0.0.1:${port}/`).then(
        ({ status }) => status,
        () => 0,
      );
    await expect.poll(get).toBe(200);
    await expect.poll(() => existsSync(log) && readFileSync(log, 'utf8')).toContain('GET / ');
    renameSync(log, `${log}.1`);
    child.kill('SIGUSR1');
    await expect.poll(async () => (await get()) === 200 && existsSync(log)).toBe(true);
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
  } finally {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  }
});
