import { closeSync, mkdirSync, openSync, readdirSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock, Timer } from '../kubelet/clock.ts';

const LOOK_MS = 5_000;
const MAX_BYTES = 64 * 1024 * 1024;

export interface AccessLogsOptions {
  readonly clock: Clock;
  /** The folder that they are in. */
  readonly folder: string;
  /** Has all proxies open their files again by their paths. */
  readonly reopen: () => Promise<void>;
  /** The folder had been taken away, with all that was in it. */
  readonly onGone: () => void;
  readonly maxBytes?: number;
}

/**
 * Proxies write their access logs themselves, and without end. One that is full becomes `PATH.1`, as other logs do, and
 * no line is lost: a proxy writes to the old one until it has opened the new one. Where the folder goes, it is made again.
 */
export class AccessLogs {
  readonly #options: AccessLogsOptions;
  #timer: Timer | undefined;

  constructor(options: AccessLogsOptions) {
    this.#options = options;
    this.#again();
  }

  close(): void {
    this.#timer?.cancel();
  }

  #again(): void {
    this.#timer = this.#options.clock.after(LOOK_MS, () => {
      this.#again();
      const { folder, onGone, reopen } = this.#options;
      const gone = mkdirAgain(folder);
      if (gone) onGone();
      if (gone || this.#full().map(beginAnew).includes(true)) void reopen();
    });
  }

  #full(): string[] {
    const { folder, maxBytes = MAX_BYTES } = this.#options;
    return namesIn(folder)
      .filter((name) => name.endsWith('.access.log'))
      .map((name) => join(folder, name))
      .filter((path) => (statSync(path, { throwIfNoEntry: false })?.size ?? 0) > maxBytes);
  }
}

/** True: somebody had taken it away (`git clean` does), with what proxies wrote to. */
function mkdirAgain(folder: string): boolean {
  try {
    return mkdirSync(folder, { recursive: true, mode: 0o700 }) !== undefined;
  } catch {
    return false;
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // It cannot be there, then.
    return [];
  }
}

function beginAnew(path: string): boolean {
  try {
    renameSync(path, `${path}.1`);
    // An Envoy would create it for everybody to read.
    closeSync(openSync(path, 'a', 0o600));
    return true;
  } catch {
    // A full or read-only disk must not stop the mesh.
    return false;
  }
}
