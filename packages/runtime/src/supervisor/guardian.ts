import { type ChildProcess, spawn } from 'node:child_process';
import type { Groups } from '../kubelet/launch.ts';

/**
 * Ends every process group when `mizzen up` is no more, however it went. A shell reads `add PGID` and `del PGID` from a
 * pipe whose other end only `mizzen up` has; when that closes without `done` before it, the groups get SIGTERM and,
 * within about a second, SIGKILL.
 */
const SCRIPT = `
trap '' HUP INT TERM
groups=" "
while read -r op id; do
  case $op in
    add) groups="$groups$id ";;
    del) case "$groups" in *" $id "*) groups="\${groups%%" $id "*} \${groups#*" $id "}";; esac;;
    done) exit 0;;
  esac
done
for id in $groups; do kill -s TERM -- "-$id"; done
tries=0
while [ $tries -lt 10 ]; do
  left=
  for id in $groups; do kill -s 0 -- "-$id" && left=1; done
  [ -z "$left" ] && exit 0
  sleep 0.1
  tries=$((tries + 1))
done
for id in $groups; do kill -s KILL -- "-$id"; done
`;

/** The same for Windows, where trees of processes are ended by their root. */
const WINDOWS_SCRIPT = `
const { spawnSync } = require('node:child_process');
const roots = new Set();
let done = false;
require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
  const [op, id] = line.split(' ');
  if (op === 'add') roots.add(id); else if (op === 'del') roots.delete(id); else done = true;
}).on('close', () => {
  if (!done) for (const id of roots) spawnSync('taskkill', ['/PID', id, '/T', '/F'], { stdio: 'ignore' });
});
`;

export class Guardian implements Groups {
  readonly #groups = new Set<number>();
  #shell: ChildProcess;
  #closed = false;

  constructor() {
    this.#shell = this.#start();
  }

  add(pid: number): void {
    this.#groups.add(pid);
    this.#write(`add ${pid}\n`);
  }

  remove(pid: number): void {
    this.#groups.delete(pid);
    this.#write(`del ${pid}\n`);
  }

  get groups(): ReadonlySet<number> {
    return this.#groups;
  }

  /** Nothing is left to guard. */
  close(): void {
    this.#closed = true;
    this.#write('done\n');
    this.#shell.stdin?.end();
  }

  #start(): ChildProcess {
    const stdio: ['pipe', 'ignore', 'ignore'] = ['pipe', 'ignore', 'ignore'];
    const windows = process.platform === 'win32';
    // In a session of its own, out of reach of the terminal; in /, so that it keeps no directory busy.
    const shell = windows
      ? spawn(process.execPath, ['-e', WINDOWS_SCRIPT], { stdio, detached: true })
      : spawn('/bin/sh', ['-c', SCRIPT, 'mizzen-guardian'], { stdio, detached: true, cwd: '/' });
    shell.unref();
    shell.stdin?.on('error', () => undefined);
    shell.on('error', () => undefined);
    shell.once('exit', () => {
      if (this.#closed) return;
      this.#shell = this.#start();
      for (const pid of this.#groups) this.#write(`add ${pid}\n`);
    });
    return shell;
  }

  #write(line: string): void {
    this.#shell.stdin?.write(line);
  }
}

/** One that tells several. */
export function allGroups(...parts: readonly Groups[]): Groups {
  return {
    add: (pid) => {
      for (const part of parts) part.add(pid);
    },
    remove: (pid) => {
      for (const part of parts) part.remove(pid);
    },
  };
}
