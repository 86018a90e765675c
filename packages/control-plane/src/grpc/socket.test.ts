import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ManualClock } from '../manual-clock.ts';
import { XdsServer } from '../xds/server.ts';
import { GrpcXdsListener } from './listener.ts';

let directory: string;
const listeners: GrpcXdsListener[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mizzen-socket-'));
});
afterEach(async () => {
  for (const listener of listeners.splice(0)) await listener.close();
  rmSync(directory, { recursive: true });
});

async function listen(path: string): Promise<void> {
  const clock = new ManualClock();
  const listener = new GrpcXdsListener({ bind: { path }, server: new XdsServer({ clock }), clock });
  await listener.listen();
  listeners.push(listener);
}
const mode = (path: string): number => statSync(path).mode & 0o7777;

test('the socket is for this user only, and the directory it is put into stays as it is', async () => {
  chmodSync(directory, 0o1777);
  await listen(join(directory, 'x.sock'));
  expect(mode(join(directory, 'x.sock'))).toBe(0o600);
  expect(mode(directory)).toBe(0o1777);
});

test('a directory made for it is private', async () => {
  await listen(join(directory, 'new/x.sock'));
  expect(mode(join(directory, 'new'))).toBe(0o700);
});

test('a file at the path is not taken for an old socket', async () => {
  const path = join(directory, 'notes.txt');
  writeFileSync(path, 'mine\n');
  await expect(listen(path)).rejects.toThrow(`${path} is there already and is not a socket`);
  expect(readFileSync(path, 'utf8')).toBe('mine\n');
});

test('the socket of a process that died is replaced; one that is served is not', async () => {
  const path = join(directory, 'x.sock');
  const program = `require('node:net').createServer().listen('${path}', () => process.kill(process.pid, 'SIGKILL'))`;
  await once(spawn(process.execPath, ['-e', program]), 'close');
  expect(existsSync(path)).toBe(true);
  await listen(path);
  await expect(listen(path)).rejects.toThrow(`another process serves xDS on ${path}`);
});
