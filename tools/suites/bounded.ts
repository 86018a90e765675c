import { spawn } from 'node:child_process';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '../..');

export interface Ended {
  readonly status: number | null;
  /** It was ended, for its time was over. */
  readonly late: boolean;
  /** What it wrote, where that was piped. */
  readonly output: string;
}

/** Runs a script of this tree with what it starts, says how long it took, and ends all of it after so many seconds. */
export async function bounded(
  name: string,
  args: readonly string[],
  budgetSeconds: number,
  stdout: 'inherit' | 'pipe' | 'ignore',
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const started = Date.now();
  const child = spawn(process.execPath, args, {
    cwd: root,
    stdio: ['ignore', stdout, stdout === 'ignore' ? 'ignore' : 'inherit'],
    env: { ...process.env, ...env },
    detached: true,
  });
  let output = '';
  child.stdout?.on('data', (data: Buffer) => {
    output += data.toString();
    process.stdout.write(data);
  });
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    process.kill(-child.pid!, 'SIGKILL');
  }, budgetSeconds * 1000);
  const status = await new Promise<number | null>((done) => child.once('close', done));
  clearTimeout(timer);
  if (late) process.stdout.write(`${name}: not finished after its budget of ${budgetSeconds} s\n`);
  const seconds = ((Date.now() - started) / 1000).toFixed(1);
  process.stdout.write(`${name}: ${seconds} s of ${budgetSeconds} s\n`);
  return { status, late, output };
}
