import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MIZZEN = fileURLToPath(new URL('../../../bin/mizzen.mjs', import.meta.url));

export interface RunningProxy {
  readonly pid: number;
  /** What it wrote on stdout and stderr so far. */
  output(): string;
  /** Its exit status, once it has ended. */
  readonly ended: Promise<number | null>;
  stop(): Promise<void>;
}

/** `mizzen proxy` with a bootstrap; does not wait for anything. */
export function runProxy(bootstrap: object, args: readonly string[] = []): RunningProxy {
  const folder = mkdtempSync(join(tmpdir(), 'mizzen-proxy-'));
  const file = join(folder, 'bootstrap.json');
  writeFileSync(file, JSON.stringify(bootstrap));
  const child = spawn(process.execPath, [MIZZEN, 'proxy', '-c', file, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (data: Buffer) => (output += data.toString()));
  child.stderr.on('data', (data: Buffer) => (output += data.toString()));
  const ended = new Promise<number | null>((done) => child.once('exit', done));
  return {
    pid: child.pid!,
    output: () => output.replaceAll(file, 'FILE'),
    ended,
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
