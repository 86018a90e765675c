import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A database, cache or broker that a test runs as a process of its own, with its data in a temporary folder. */
export interface Backend {
  readonly port: number;
  /** Everything it wrote so far. */
  output(): string;
  /** SIGKILL: it has no time to put anything in order. The data stay. */
  kill(): Promise<void>;
  /** Starts it again, on the same port and the same data. */
  start(): Promise<void>;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}

/** Who the server runs as: none of them should be root, and PostgreSQL refuses to. */
export interface User {
  readonly uid?: number;
  readonly gid?: number;
}

/** The unprivileged account of a Debian package when tests run as root, nobody else otherwise. */
export function unprivileged(name: string): User {
  if (process.getuid?.() !== 0) return {};
  const id = (flag: string): number => Number(execFileSync('id', [flag, name], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

export function dataFolder(name: string, user: User): string {
  const folder = mkdtempSync(join(tmpdir(), `mizzen-${name}-`));
  if (user.uid !== undefined && user.gid !== undefined) chownSync(folder, user.uid, user.gid);
  return folder;
}

export interface Launch {
  readonly program: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** What it prints once it takes connections. */
  readonly ready: RegExp;
}

/** Runs a server in a process group of its own, so that what it starts ends with it. */
export async function runBackend(
  port: number,
  folder: string,
  user: User,
  launch: Launch,
  after: () => Promise<void> | void = () => {},
): Promise<Backend> {
  let child: ChildProcess | undefined;
  let output = '';
  const running = (): boolean => child !== undefined && child.exitCode === null && child.signalCode === null;

  async function start(): Promise<void> {
    const from = output.length;
    child = spawn(launch.program, launch.args, {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
      env: { PATH: process.env.PATH, LANG: 'C.UTF-8', HOME: folder, ...launch.env },
      ...user,
    });
    child.stdout!.on('data', (data: Buffer) => (output += data.toString()));
    child.stderr!.on('data', (data: Buffer) => (output += data.toString()));
    const deadline = Date.now() + 60_000;
    while (!launch.ready.test(output.slice(from))) {
      if (!running()) throw new Error(`${launch.program} did not start:\n${output}`);
      if (Date.now() > deadline) throw new Error(`${launch.program} was not ready in 60 s:\n${output}`);
      await new Promise((done) => setTimeout(done, 30));
    }
  }
  async function end(signal: NodeJS.Signals): Promise<void> {
    if (!running()) return;
    const exited = new Promise((done) => child!.once('exit', done));
    const group = -child!.pid!;
    process.kill(group, signal);
    const timer = setTimeout(() => process.kill(group, 'SIGKILL'), 20_000);
    await exited;
    clearTimeout(timer);
  }
  await start();
  return {
    port,
    output: () => output,
    kill: () => end('SIGKILL'),
    start,
    async stop() {
      await end('SIGKILL');
      await after();
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
