import { readdirSync, readFileSync } from 'node:fs';

/** Whether a process group still has a process that does something. Zombies that nobody collects do not count. */
export function groupAlive(pgid: number): boolean {
  if (process.platform === 'win32') return false;
  try {
    process.kill(-pgid, 0);
  } catch {
    return false;
  }
  return process.platform !== 'linux' || readdirSync('/proc').some((name) => isMember(name, pgid));
}

function isMember(pid: string, pgid: number): boolean {
  if (!/^\d+$/.test(pid)) return false;
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const [state, , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return state !== 'Z' && Number(group) === pgid;
  } catch {
    return false;
  }
}
