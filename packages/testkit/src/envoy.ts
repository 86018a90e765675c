import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { envoyBinary, freePort } from './tools.ts';

export interface RunningEnvoy {
  readonly adminPort: number;
  /** Everything it wrote so far. */
  output(): string;
  stop(): Promise<void>;
}

let nextBaseId = 1000 + (process.pid % 20000) * 10;

/**
 * Starts the real Envoy with `bootstrap` (an admin section is added) and waits until it is ready.
 * Rejects with its output when it refuses the configuration.
 */
export async function startEnvoy(
  bootstrap: object,
  options: { readonly args?: readonly string[] } = {},
): Promise<RunningEnvoy> {
  const binary = envoyBinary();
  const adminPort = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'mizzen-envoy-'));
  const file = join(folder, 'envoy.json');
  const admin = { address: { socketAddress: { address: '127.0.0.1', portValue: adminPort } } };
  writeFileSync(file, JSON.stringify({ ...bootstrap, admin }));
  const args = [
    '-c',
    file,
    '--concurrency',
    '1',
    '--base-id',
    String(nextBaseId++),
    '-l',
    'warning',
    ...(options.args ?? []),
  ];
  const child = spawn(binary, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (data: Buffer) => (output += data.toString()));
  child.stderr.on('data', (data: Buffer) => (output += data.toString()));
  const stop = async (): Promise<void> => {
    await ended(child, 'SIGTERM');
    rmSync(folder, { recursive: true, force: true });
  };
  const deadline = Date.now() + 20_000;
  while (Date.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`Envoy did not start:\n${output}`);
    if (await ready(adminPort)) return { adminPort, output: () => output, stop };
    await new Promise((done) => setTimeout(done, 30));
  }
  await stop();
  throw new Error(`Envoy was not ready in 20 s:\n${output}`);
}

function ready(port: number): Promise<boolean> {
  return new Promise((done) => {
    const request = get({ host: '127.0.0.1', port, path: '/ready' }, (response) => {
      response.resume();
      done(response.statusCode === 200);
    });
    request.on('error', () => done(false));
  });
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise<void>((done) => child.once('exit', () => done()));
  child.kill(signal);
  const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
  await exit;
  clearTimeout(timer);
}
