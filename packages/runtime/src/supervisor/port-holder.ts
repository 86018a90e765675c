import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { isIPv4 } from 'node:net';
import { endianness } from 'node:os';

export interface Holder {
  readonly pid: number;
  readonly command: string;
}

/**
 * Who keeps others from listening on a TCP port of an address of this machine; undefined when that cannot be found out
 * (another user's process).
 */
export function portHolder(port: number, address = '127.0.0.1'): Holder | undefined {
  return process.platform === 'linux' ? linuxHolder(port, address) : lsofHolder(port);
}

/** `pid 4242 (\`nginx -g daemon off;\`)`, or as much of it as is known. */
export function describeHolder(holder: Holder | undefined): string {
  return holder === undefined ? 'another program' : `pid ${holder.pid} (\`${holder.command}\`)`;
}

function linuxHolder(port: number, address: string): Holder | undefined {
  const tables = ['/proc/net/tcp', '/proc/net/tcp6'];
  const sockets = new Set(tables.flatMap((table) => listening(table, port, address)));
  if (sockets.size === 0) return undefined;
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    if (holds(pid, sockets)) return { pid: Number(pid), command: commandOf(pid) };
  }
  return undefined;
}

const LISTEN = '0A';

/** Links (`socket:[INODE]`) of the sockets that listen on a port of an address, or of every address. */
function listening(table: string, port: number, address: string): string[] {
  let text: string;
  try {
    text = readFileSync(table, 'latin1');
  } catch {
    return [];
  }
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const wanted = isIPv4(address) && address !== '0.0.0.0' ? inTable(address) : undefined;
  const concerns = (local: string): boolean => wanted === undefined || local.endsWith(wanted) || /^0+$/.test(local);
  return text
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local, , state]) => state === LISTEN && local?.endsWith(suffix) && concerns(local.slice(0, -5)))
    .map((fields) => `socket:[${fields[9]}]`);
}

/** An IPv4 address as the kernel's tables have it, there also at the end of one mapped to IPv6. */
function inTable(address: string): string {
  const bytes = address.split('.').map((part) => Number(part).toString(16).toUpperCase().padStart(2, '0'));
  return (endianness() === 'LE' ? bytes.toReversed() : bytes).join('');
}

function holds(pid: string, sockets: ReadonlySet<string>): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => {
      try {
        return sockets.has(readlinkSync(`/proc/${pid}/fd/${fd}`));
      } catch {
        return false;
      }
    });
  } catch {
    return false;
  }
}

function commandOf(pid: string): string {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').filter(Boolean);
    return shorten(words.join(' ') || readFileSync(`/proc/${pid}/comm`, 'utf8').trim());
  } catch {
    return 'gone by now';
  }
}

function lsofHolder(port: number): Holder | undefined {
  try {
    const text = execFileSync('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fpc'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const pid = /^p(\d+)$/m.exec(text)?.[1];
    if (pid === undefined) return undefined;
    return { pid: Number(pid), command: shorten(/^c(.*)$/m.exec(text)?.[1] ?? '') };
  } catch {
    return undefined;
  }
}

function shorten(command: string): string {
  return command.length > 80 ? `${command.slice(0, 79)}…` : command;
}
