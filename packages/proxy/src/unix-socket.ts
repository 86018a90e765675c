import { chmodSync, lstatSync, rmSync } from 'node:fs';

/** Where a socket is bound that is in no folder: names of the kernel's own (unix(7), "abstract"). */
export function isAbstract(path: string): boolean {
  return path.startsWith('@');
}

/** A path as Node takes it. */
export function socketPath(path: string): string {
  return isAbstract(path) ? `\0${path.slice(1)}` : path;
}

/** A socket of that name is taken over, as by Envoy: whoever made it is gone, or has no say. */
export function makeWay(path: string): void {
  if (isAbstract(path)) return;
  try {
    if (lstatSync(path).isSocket()) rmSync(path, { force: true });
  } catch {
    // There is none.
  }
}

/** Who may connect; 0: whoever may by default. */
export function setMode(path: string, mode: number): void {
  if (mode !== 0 && !isAbstract(path)) chmodSync(path, mode);
}
