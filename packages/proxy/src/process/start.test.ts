import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { freePort } from '@mizzen/testkit';
import { accessLog, bootstrap, hcm, listener, routeTo, staticCluster } from './testing/bootstraps.ts';

const TELL = `data:text/javascript,process.on('exit',()=>console.log(process.moduleLoadList.join('\\n')))`;

/** What Node has loaded of its own once a proxy was ready. */
async function loaded(config: object): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'mizzen-start-'));
  const file = join(folder, 'bootstrap.json');
  writeFileSync(file, JSON.stringify(config));
  const main = join(import.meta.dirname, 'standalone.ts');
  const child = spawn(process.execPath, ['--import', TELL, main, '-c', file], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (data: Buffer) => {
    text += data.toString();
    if (text.startsWith('ready')) child.kill('SIGTERM');
  });
  await new Promise((done) => child.once('close', done));
  rmSync(folder, { recursive: true, force: true });
  return text.split('\n').map((line) => line.replace('NativeModule ', ''));
}

test('a proxy that needs neither TLS nor HTTP/2 loads neither, so that it is ready sooner', async () => {
  const manager = hcm([routeTo('app')], { accessLog: [accessLog('/dev/null', '%PROTOCOL%')] });
  const names = await loaded(
    bootstrap([listener(await freePort(), [{ filters: [manager] }])], [staticCluster('app', [9])]),
  );
  expect(names).toContain('net');
  for (const heavy of ['tls', 'crypto', 'http2', 'https']) expect(names).not.toContain(heavy);
}, 30_000);
