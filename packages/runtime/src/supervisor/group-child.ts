import type { ChildProcess } from 'node:child_process';
import { describeExit, type Groups, signalGroup } from '../kubelet/launch.ts';
import { LineSplitter } from '../kubelet/lines.ts';

export interface ChildEvents {
  readonly onLine: (line: string) => void;
  /** Once; whatever it had started is gone, too. */
  readonly onEnd: (how: string) => void;
}

/** Looks after a child that leads a process group of its own. Resolves when it is gone. */
export function watchGroup(child: ChildProcess, groups: Groups, events: ChildEvents): Promise<void> {
  const { pid } = child;
  if (pid !== undefined) groups.add(pid);
  for (const stream of [child.stdout, child.stderr]) {
    const lines = new LineSplitter(events.onLine);
    stream?.on('data', (chunk: Buffer) => lines.push(chunk));
    stream?.on('end', () => lines.end());
  }
  return new Promise((resolve) => {
    let over = false;
    const ended = (how: string): void => {
      if (over) return;
      over = true;
      if (pid !== undefined) {
        signalGroup(pid, 'SIGKILL');
        groups.remove(pid);
      }
      resolve();
      events.onEnd(how);
    };
    child.once('error', (error) => ended(error.message));
    child.once('exit', (code, signal) => ended(describeExit({ code, signal })));
  });
}
