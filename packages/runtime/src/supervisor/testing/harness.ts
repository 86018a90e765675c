import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '@mizzen/testkit';
import type { DesiredWorkload } from '../../protocol.ts';
import type { UpOptions } from '../options.ts';

export interface Mesh {
  readonly dir: string;
  readonly process: ChildProcess;
  /** All that it printed so far. */
  output(): string;
  waitFor(pattern: RegExp, ms?: number): Promise<void>;
  exited: Promise<number | null>;
  apply(workloads: readonly DesiredWorkload[], gateways?: readonly DesiredWorkload[]): void;
  /** Command lines of all live processes that this mesh started, itself included. */
  processes(): { pid: number; command: string }[];
  /** Resolves when none of them is left: what was killed, and who watched over it, needs a moment to be gone. */
  gone(): Promise<void>;
  cleanUp(): void;
}

export interface MeshOptions extends Partial<UpOptions> {
  readonly workloads: readonly DesiredWorkload[];
  readonly gateways?: readonly DesiredWorkload[];
}

/** Starts `mizzen up` with the tests' control process; every process it starts carries a mark by which it is found. */
export async function startMesh({ workloads, gateways = [], ...options }: MeshOptions): Promise<Mesh> {
  const dir = options.cwd ?? mkdtempSync(join(tmpdir(), 'mizzen-up-'));
  const mark = randomUUID();
  const file = join(dir, `desired-${mark}.json`);
  const apply = (list: readonly DesiredWorkload[], gates: readonly DesiredWorkload[] = gateways): void => {
    writeFileSync(`${file}.new`, JSON.stringify({ workloads: list, gateways: gates }));
    renameSync(`${file}.new`, file);
  };
  apply(workloads);
  const full = { stateDir: join(dir, '.mizzen'), apiPort: await freePort(), files: [file], cwd: dir, ...options };
  const child = spawn(process.execPath, [fileURLToPath(new URL('run-up.ts', import.meta.url)), JSON.stringify(full)], {
    cwd: dir,
    env: { ...process.env, TEST_MARK: mark },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  child.stdout.on('data', (chunk) => (text += String(chunk)));
  child.stderr.on('data', (chunk) => (text += String(chunk)));
  const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  return {
    dir,
    process: child,
    exited,
    apply,
    output: () => text,
    processes: () => marked(mark),
    waitFor: async (pattern, ms = 60_000) => {
      await until(
        () => pattern.test(text),
        ms,
        () => `waiting for ${pattern}, got:\n${text}`,
      );
    },
    gone: () =>
      until(
        () => marked(mark).length === 0,
        30_000,
        () => JSON.stringify(marked(mark), undefined, 2),
      ),
    cleanUp: () => {
      for (const { pid } of marked(mark)) {
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // Gone meanwhile.
        }
      }
      rmSync(dir, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

export async function until(done: () => boolean, ms: number, problem: () => string): Promise<void> {
  const deadline = performance.now() + ms;
  while (!done()) {
    if (performance.now() > deadline) throw new Error(problem());
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function marked(mark: string): { pid: number; command: string }[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        if (!readFileSync(`/proc/${name}/environ`, 'utf8').includes(`TEST_MARK=${mark}`)) return [];
        const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
        return command === '' ? [] : [{ pid: Number(name), command }];
      } catch {
        return [];
      }
    });
}
