import { readdirSync, readFileSync } from 'node:fs';

/** What the processes of one group use together. */
export interface GroupUsage {
  /** Of those that live, and of those that ended and were waited for. */
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  readonly processes: number;
  readonly threads: number;
  /** Open file descriptors; undefined where they may not be counted. */
  readonly fileDescriptors: number | undefined;
}

/** Clock ticks of `/proc` in a second: the kernel's interface has this many on all machines. */
const TICKS = 100;

/**
 * What process groups use, by the pid of each one's leader; without those of which nothing is left. A process that began
 * a group of its own counts for the session that it is in. Undefined: this system does not say (only Linux does here).
 */
export function readGroups(leaders: ReadonlySet<number>): ReadonlyMap<number, GroupUsage> | undefined {
  if (process.platform !== 'linux') return undefined;
  const found = new Map<number, GroupUsage>();
  if (leaders.size === 0) return found;
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    const stat = read(`/proc/${pid}/stat`);
    if (stat === undefined) continue;
    // The name of the program, which may hold anything, ends at the last parenthesis.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, , group, session] = fields;
    const leader = [Number(group), Number(session)].find((each) => leaders.has(each));
    if (leader === undefined || state === 'Z') continue;
    const ticks = fields.slice(11, 15).reduce((sum, each) => sum + Number(each), 0);
    const status = read(`/proc/${pid}/status`) ?? '';
    const before = found.get(leader) ?? NOTHING;
    const open = count(`/proc/${pid}/fd`);
    found.set(leader, {
      cpuSeconds: before.cpuSeconds + ticks / TICKS,
      residentBytes: before.residentBytes + 1024 * Number(/^VmRSS:\s*(\d+)/m.exec(status)?.[1] ?? 0),
      processes: before.processes + 1,
      threads: before.threads + Number(/^Threads:\s*(\d+)/m.exec(status)?.[1] ?? 1),
      fileDescriptors:
        before.fileDescriptors === undefined || open === undefined ? undefined : before.fileDescriptors + open,
    });
  }
  return found;
}

const NOTHING: GroupUsage = { cpuSeconds: 0, residentBytes: 0, processes: 0, threads: 0, fileDescriptors: 0 };

/** Undefined: the process is gone, or somebody else's. */
function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}

function count(path: string): number | undefined {
  try {
    return readdirSync(path).length;
  } catch {
    return undefined;
  }
}
