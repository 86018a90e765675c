import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { signalGroup, type Groups } from '../kubelet/launch.ts';
import { isRunning, type ProcessIdentity, processStart } from './process-identity.ts';
import type { StateDir } from './state-dir.ts';

interface PidFile extends ProcessIdentity {
  readonly since: string;
}

/** Another `mizzen up` has the state directory. */
export class AlreadyRunning extends Error {
  readonly pid: number;
  readonly since: string;
  constructor({ pid, since }: PidFile) {
    super(`already running as pid ${pid}`);
    this.pid = pid;
    this.since = since;
  }
}

/** The running `mizzen up` of a state directory, if any. */
export function runningMesh(state: StateDir): PidFile | undefined {
  const file = readPidFile(state);
  return file !== undefined && isRunning(file) ? file : undefined;
}

/**
 * Makes this process the one that runs the mesh of a state directory. What a crashed run left behind is ended first.
 * Throws AlreadyRunning.
 */
export async function takeLock(state: StateDir): Promise<{ release(): void }> {
  const mine = { pid: process.pid, start: processStart(process.pid) ?? '', since: new Date().toISOString() };
  for (let attempt = 0; ; attempt++) {
    try {
      writeFileSync(state.pidFile, JSON.stringify(mine), { flag: 'wx', mode: 0o600 });
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || attempt > 5) throw error;
      const running = runningMesh(state);
      if (running !== undefined) throw new AlreadyRunning(running);
      rmSync(state.pidFile, { force: true });
    }
  }
  await endLeftovers(state);
  return {
    release: () => {
      rmSync(state.leftovers, { force: true });
      rmSync(state.apiFile, { force: true });
      if (readPidFile(state)?.pid === process.pid) rmSync(state.pidFile, { force: true });
    },
  };
}

function readPidFile(state: StateDir): PidFile | undefined {
  try {
    const value = JSON.parse(readFileSync(state.pidFile, 'utf8')) as Partial<PidFile> | null;
    if (typeof value?.pid !== 'number' || typeof value.start !== 'string') return undefined;
    return { pid: value.pid, start: value.start, since: value.since ?? '' };
  } catch {
    return undefined;
  }
}

/** Ends process groups that a crashed run started and that are still the same processes; waits until they are gone. */
async function endLeftovers(state: StateDir): Promise<void> {
  const left = readLeftovers(state).filter(isRunning);
  for (const { pid } of left) signalGroup(pid, 'SIGTERM');
  const deadline = performance.now() + 1_500;
  while (left.some(isRunning) && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 25));
  for (const identity of left) if (isRunning(identity)) signalGroup(identity.pid, 'SIGKILL');
  for (let i = 0; i < 40 && left.some(isRunning); i++) await new Promise((resolve) => setTimeout(resolve, 25));
  writeFileSync(state.leftovers, '', { mode: 0o600 });
}

function readLeftovers(state: StateDir): ProcessIdentity[] {
  let text: string;
  try {
    text = readFileSync(state.leftovers, 'utf8');
  } catch {
    return [];
  }
  const found = new Map<number, ProcessIdentity>();
  for (const line of text.split('\n')) {
    const [, sign, pid, start] = /^([+-])(\d+)(?: (.+))?$/.exec(line) ?? [];
    if (sign === '+' && start !== undefined) found.set(Number(pid), { pid: Number(pid), start });
    else if (sign === '-') found.delete(Number(pid));
  }
  return [...found.values()];
}

/** Remembers process groups on disk, for the run after a crash. */
export class Journal implements Groups {
  readonly #state: StateDir;
  readonly #live = new Map<number, string>();
  #lines = 0;

  constructor(state: StateDir) {
    this.#state = state;
  }

  add(pid: number): void {
    const start = processStart(pid) ?? '';
    this.#live.set(pid, start);
    this.#append(`+${pid} ${start}\n`);
  }

  remove(pid: number): void {
    this.#live.delete(pid);
    this.#append(`-${pid}\n`);
  }

  #append(line: string): void {
    try {
      if (++this.#lines <= 2_000) return appendFileSync(this.#state.leftovers, line, { mode: 0o600 });
      this.#lines = this.#live.size;
      const lines = [...this.#live].map(([pid, start]) => `+${pid} ${start}\n`);
      writeFileSync(this.#state.leftovers, lines.join(''), { mode: 0o600 });
    } catch {
      // A full disk, or a directory that is taken away, must not stop the mesh; the guardian knows the groups, too.
    }
  }
}
