/** Runs `mizzen proxy` until it is ready and asks what a start script asks, so that the code on that way is compiled. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startBootstrap } from '../bench/lib/start-config.ts';

const folder = mkdtempSync(join(tmpdir(), 'mizzen-warm-'));
const [bootstrap, admin] = [join(folder, 'bootstrap.json'), join(folder, 'admin')];
writeFileSync(bootstrap, JSON.stringify(startBootstrap({ admin: 0, web: 0, api: 0, tcp: 0 })));
const args = ['packages/cli/bin/mizzen.mjs', 'proxy', '-c', bootstrap, '--admin-address-path', admin];
const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
try {
  let log = '';
  for await (const text of child.stderr) {
    log += String(text);
    if (log.includes('all listeners are ready') && log.includes('admin address')) break;
  }
  const address = readFileSync(admin, 'utf8');
  for (const page of ['ready', 'stats', 'config_dump', 'clusters', 'listeners'])
    await fetch(`http://${address}/${page}`);
} finally {
  child.kill('SIGTERM');
  rmSync(folder, { recursive: true, force: true });
}
