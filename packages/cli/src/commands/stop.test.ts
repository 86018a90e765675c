import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { StateDir } from '@mizzen/runtime/supervisor/state-dir.ts';
import { ApiFile } from '@mizzen/runtime/supervisor/api-file.ts';
import { processStart } from '@mizzen/runtime/supervisor/process-identity.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';

const program = fileURLToPath(new URL('../../bin/mizzen.mjs', import.meta.url));
let directory: string;
const closing: (() => unknown)[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mizzen-stop-'));
});
afterEach(() => {
  for (const close of closing.splice(0)) close();
  rmSync(directory, { recursive: true });
});

/** A process that has the state directory and an API, and does this with a request. */
async function mesh(onRequest: string): Promise<void> {
  const server = `const server = require('node:http').createServer((request, response) => { ${onRequest} });
    server.listen(0, '127.0.0.1', () => console.log(server.address().port));`;
  const child = spawn(process.execPath, ['-e', server], { stdio: ['ignore', 'pipe', 'inherit'] });
  closing.push(() => child.kill('SIGKILL'));
  const [port] = (await once(child.stdout!, 'data')) as [Buffer];
  const state = new StateDir(join(directory, '.mizzen'));
  mkdirSync(state.path);
  new ApiFile(state).write(`127.0.0.1:${port.toString().trim()}`);
  writeFileSync(state.tokenFile, 'x'.repeat(32));
  const identity = { pid: child.pid!, start: processStart(child.pid!) ?? '', since: '' };
  writeFileSync(state.pidFile, JSON.stringify(identity));
}

function stop(): Promise<{ readonly status: number; readonly out: string; readonly err: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [program, 'stop'], { cwd: directory }, (error, out, err) => {
      resolve({ status: error === null ? 0 : Number(error.code), out, err });
    });
  });
}

test('a mesh that ends before it has answered is stopped', async () => {
  await mesh('request.socket.destroy(); setTimeout(() => process.exit(0), 200);');
  expect(await stop()).toEqual({ status: 0, out: 'stopped\n', err: '' });
});

test('one that refuses is not', async () => {
  await mesh(`response.writeHead(401).end('{"error":{"code":"token-wrong","message":"not you"}}');`);
  expect(await stop()).toEqual({ status: 1, out: '', err: 'mizzen: not you\n' });
});
