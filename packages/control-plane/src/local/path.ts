import { createHash } from 'node:crypto';
import { mkdirSync, chmodSync, lstatSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { basename, join, resolve } from 'node:path';

/** The kernel's limit is 104 bytes on macOS and 108 on Linux, with the final zero. */
const LONGEST = 100;

/**
 * Where a socket of a mesh is: in its state directory, or, where that path is too long for one, in a short directory named
 * by a hash of it. The same for every process of the mesh. Windows has named pipes instead.
 */
export function localSocketPath(stateDirectory: string, name: string): string {
  const directory = resolve(stateDirectory);
  const id = createHash('sha256').update(directory).digest('hex').slice(0, 16);
  if (process.platform === 'win32') return `\\\\.\\pipe\\mizzen-${id}-${name}`;
  const path = join(directory, `${name}.sock`);
  if (Buffer.byteLength(path) <= LONGEST) return path;
  return join(tmpdir(), `mizzen-${userInfo().uid}-${id}`, `${basename(name)}.sock`);
}

/** Of the socket from which this machine's own proxies get their xDS. */
export function localXdsPath(stateDirectory: string): string {
  return localSocketPath(stateDirectory, 'xds');
}

/**
 * Makes the directory of a socket, which only this user may enter.
 * @throws Error when somebody else made it first.
 */
export function makePrivateDirectory(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const stat = lstatSync(directory);
  const uid = process.getuid?.();
  if (!stat.isDirectory() || (uid !== undefined && stat.uid !== uid)) {
    throw new Error(`${directory} is not a directory of this user`);
  }
  chmodSync(directory, 0o700);
}
