import { spawn } from 'node:child_process';
import { get } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

/** A proxy that runs as a process of its own. */
export interface ServerProcess {
  readonly pid: number;
  /** Everything it wrote so far, stdout and stderr. */
  output(): string;
  /** Status it ended with, null when a signal ended it. */
  readonly exited: Promise<number | null>;
  /** SIGTERM, and SIGKILL when that has no effect for 5 s. */
  stop(): Promise<void>;
}

/**
 * Starts a program and waits until `/ready` of its admin endpoint (127.0.0.1) answers 200. Rejects with its output when it ends
 * before that, or is not ready in 30 s.
 */
export async function startServerProcess(
  program: string,
  args: readonly string[],
  adminPort: number,
): Promise<ServerProcess> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let over = false;
  child.stdout.on('data', (data: Buffer) => (output += data.toString()));
  child.stderr.on('data', (data: Buffer) => (output += data.toString()));
  const exited = new Promise<number | null>((done) =>
    // `close` comes when the last of its output has been read.
    child.once('close', (status) => {
      over = true;
      done(status);
    }),
  );
  const stop = async (): Promise<void> => {
    if (over) return;
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), 5000);
    await exited;
    clearTimeout(timer);
  };
  const deadline = Date.now() + 30_000;
  while (Date.now() < deadline) {
    if (over) throw new Error(`${program} did not start:\n${output}`);
    if (await ready(adminPort)) return { pid: child.pid!, output: () => output, exited, stop };
    await pause(30);
  }
  await stop();
  throw new Error(`${program} was not ready in 30 s:\n${output}`);
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
