import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { after } from '../long-timer.ts';
import { LineSplitter } from './lines.ts';
import { groupAlive } from './process-group.ts';
import { plainWords } from './words.ts';

export interface LaunchSpec {
  /** A list runs as it is; a text too where it is plain words, otherwise in a shell. */
  readonly command: readonly string[] | string;
  /** More words for the command, whatever they hold. */
  readonly args?: readonly string[];
  readonly dir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly onLine: (stream: 'stdout' | 'stderr', line: string) => void;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Set when it could not be started at all. */
  readonly error?: string;
}

/** A running program and all processes it started. */
export interface Running {
  readonly pid: number | undefined;
  /**
   * When the program has ended. After a SIGTERM that is when nothing of its process group is left: a shell ends at once,
   * what it started may still be finishing its work.
   */
  readonly exited: Promise<Exit>;
  /** To the whole process group; false when nothing is left of it. */
  signal(signal: NodeJS.Signals): boolean;
}

/** Told of every process group, so that none outlives `mizzen up`. */
export interface Groups {
  add(pid: number): void;
  remove(pid: number): void;
}

export type Launch = (spec: LaunchSpec) => Running;

/** Starts programs, each in a process group of its own: a terminal's Ctrl-C reaches only `mizzen up`. */
export function launcher(groups: Groups): Launch {
  return ({ command, args = [], dir, env, onLine }) => {
    let child: ChildProcess;
    try {
      child = start(command, args, dir, env);
    } catch (error) {
      // Node throws for some of what cannot be started, and has an event for the rest.
      return neverStarted(startFailure(error as NodeJS.ErrnoException, undefined, dir));
    }
    const { pid } = child;
    if (pid !== undefined) groups.add(pid);
    pipe(child.stdout, (line) => onLine('stdout', line));
    pipe(child.stderr, (line) => onLine('stderr', line));
    let stopping = false;
    const read = new Promise<void>((done) => child.once('close', () => done()));
    const exited = exit(child, dir).then(async (result) => {
      if (pid !== undefined) {
        while (stopping && groupAlive(pid)) await sleep(GONE_MS);
        // What the program leaves behind goes with it, as the processes of a container do.
        signalGroup(pid, 'SIGKILL');
        groups.remove(pid);
        // What it said last may still be on its way; a process that has left the group may keep the way open.
        await Promise.race([read, sleep(READ_MS, undefined, { ref: false })]);
      }
      return result;
    });
    const signal = (name: NodeJS.Signals): boolean => {
      if (name === 'SIGTERM') stopping = true;
      return pid !== undefined && signalGroup(pid, name);
    };
    return { pid, exited, signal };
  };
}

function neverStarted(error: string): Running {
  return { pid: undefined, exited: Promise.resolve({ code: null, signal: null, error }), signal: () => false };
}

/** Between two looks at whether a process group is gone. */
const GONE_MS = 20;

/** How long the end of what a program said is waited for. */
const READ_MS = 2000;

function start(
  text: readonly string[] | string,
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>>,
): ChildProcess {
  const words = typeof text === 'string' ? plainWords(text) : text;
  const options: SpawnOptions = { cwd, env, detached: process.platform !== 'win32', stdio: ['ignore', 'pipe', 'pipe'] };
  if (words !== undefined) return spawn(words[0] ?? '', [...words.slice(1), ...args], options);
  if (args.length === 0 || process.platform === 'win32')
    return spawn([text, ...args].join(' '), { ...options, shell: true });
  // The shell puts the arguments behind the text's last command, each as one word.
  return spawn('/bin/sh', ['-c', `${text as string} "$@"`, 'sh', ...args], options);
}

function pipe(stream: NodeJS.ReadableStream | null, onLine: (line: string) => void): void {
  if (stream === null) return;
  const lines = new LineSplitter(onLine);
  stream.on('data', (chunk: Buffer) => lines.push(chunk));
  stream.on('end', () => lines.end());
  stream.on('error', () => lines.end());
}

async function exit(child: ChildProcess, dir: string): Promise<Exit> {
  return new Promise((resolve) => {
    child.once('error', (error: NodeJS.ErrnoException) => {
      resolve({ code: null, signal: null, error: startFailure(error, child.spawnfile, dir) });
    });
    child.once('exit', (code, signal) => resolve({ code, signal }));
  });
}

function startFailure({ code, message }: NodeJS.ErrnoException, program: string | undefined, dir: string): string {
  if (code === 'ENOENT' && !existsSync(dir)) return `the directory \`${dir}\` does not exist`;
  if (code === 'ENOENT' && program !== undefined) return `\`${program}\` was not found`;
  if (code === 'EACCES' && program !== undefined) return `\`${program}\` may not be executed`;
  if (code === 'ENOTDIR') return `\`${dir}\` is not a directory`;
  if (code === 'E2BIG') return 'its arguments or its environment are too long';
  return message;
}

/** Windows has no groups to signal: there a program's tree is ended by `taskkill`. */
export function signalGroup(pid: number, signal: NodeJS.Signals): boolean {
  try {
    if (process.platform === 'win32') {
      spawn('taskkill', ['/PID', String(pid), '/T', '/F'], { stdio: 'ignore' }).on('error', () => undefined);
      return true;
    }
    process.kill(-pid, signal);
    return true;
  } catch {
    return false;
  }
}

/** In words, for states and logs. */
export function describeExit({ code, signal, error }: Exit): string {
  if (error !== undefined) return error;
  return signal === null ? `exited with status ${code}` : `was ended by ${signal}`;
}

/** Runs a command to its end; true for status 0 within the time. Its output goes nowhere. */
export async function runToEnd(
  launch: Launch,
  spec: Omit<LaunchSpec, 'onLine'>,
  timeoutMs: number,
): Promise<{ ok: boolean; reason: string }> {
  const running = launch({ ...spec, onLine: () => undefined });
  const cancel = after(timeoutMs, () => void running.signal('SIGKILL'));
  const result = await running.exited;
  cancel();
  if (result.code === 0) return { ok: true, reason: '' };
  const timedOut = result.signal === 'SIGKILL';
  return { ok: false, reason: timedOut ? `took longer than ${timeoutMs / 1000} s` : describeExit(result) };
}
