import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { freePort, packedProgram } from '@mizzen/testkit';

export interface RunningProxy {
  readonly pid: number;
  /** Everything it wrote so far, access logs on stdout included. */
  output(): string;
  stop(): Promise<void>;
}

/** Packed, when it is made of these sources: hundreds of starts would spend most of their time on finding modules. */
export const MAIN: string = packedProgram('standalone') ?? fileURLToPath(new URL('../standalone.ts', import.meta.url));

/** Starts the proxy with a bootstrap and waits until it is ready. Rejects with its output when it ends before. */
export async function startProxy(
  bootstrap: object,
  args: readonly string[] = [],
  env: NodeJS.ProcessEnv = process.env,
): Promise<RunningProxy> {
  const folder = mkdtempSync(join(tmpdir(), 'mizzen-proxy-'));
  const file = join(folder, 'bootstrap.json');
  writeFileSync(file, JSON.stringify(bootstrap));
  const child = spawn(process.execPath, [MAIN, '-c', file, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env });
  let output = '';
  // `close` comes when the last of its output has been read.
  const ended = new Promise<void>((done) => child.once('close', () => done()));
  await new Promise<void>((ready, reject) => {
    child.stdout.on('data', (data: Buffer) => {
      output += data.toString();
      if (/^ready$/m.test(output)) ready();
    });
    child.stderr.on('data', (data: Buffer) => (output += data.toString()));
    void ended.then(() => reject(new Error(`the proxy ended:\n${output}`)));
  });
  return {
    pid: child.pid!,
    output: () => output,
    stop: async () => {
      child.kill('SIGTERM');
      const slow = new AbortController();
      wait(5000, undefined, { signal: slow.signal }).then(
        () => child.kill('SIGKILL'),
        () => undefined,
      );
      await ended;
      slow.abort();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The same with an admin interface of its own. */
export async function startWithAdmin(bootstrap: object): Promise<RunningProxy & { readonly admin: number }> {
  const admin = await freePort();
  const address = { socketAddress: { address: '127.0.0.1', portValue: admin } };
  return { ...(await startProxy({ ...bootstrap, admin: { address } })), admin };
}
