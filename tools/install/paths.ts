import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '../..');

/** Where programs go that no package manager of this machine keeps; git ignores it. */
export function toolFolder(name: string): string {
  return join(root, '.tools', name);
}

/** Whether there is such a program: by its name on the path, or by a pattern of its absolute path. */
export function has(program: string): boolean {
  const test = program.startsWith('/') ? `ls ${program}` : `command -v ${program}`;
  return spawnSync('/bin/sh', ['-c', test]).status === 0;
}
