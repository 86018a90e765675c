import { watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { statOf } from './discover.ts';

/** The operating system refused to watch a directory; what is watched already stays so. */
export class WatchError extends Error {
  readonly code: 'watch_failed' | 'watch_limit';
  constructor(directory: string, cause: unknown) {
    const limit =
      (cause as NodeJS.ErrnoException).code === 'ENOSPC' || (cause as NodeJS.ErrnoException).code === 'EMFILE';
    super(
      limit
        ? `too many files are watched on this machine to watch \`${directory}\``
        : `cannot watch \`${directory}\`: ${(cause as Error).message}`,
      { cause },
    );
    this.name = 'WatchError';
    this.code = limit ? 'watch_limit' : 'watch_failed';
  }
}

/** `renamed`: the entry appeared, vanished or took another's place; otherwise its content changed. */
type OnEvent = (directory: string, entry: string | undefined, renamed: boolean) => void;

/**
 * Watches a changing set of directories, each by itself: events name the directory and, where the system tells, the
 * entry. Watching a directory rather than its files is what survives editors that write by renaming.
 */
export class Directories {
  readonly #watched = new Map<string, { readonly inode: number; readonly watcher: FSWatcher }>();
  readonly #onEvent: OnEvent;

  constructor(onEvent: OnEvent) {
    this.#onEvent = onEvent;
  }

  /** Watches exactly these from now on. Returns those that were not watched before, or that are another directory now. */
  set(directories: Iterable<string>): string[] {
    const wanted = new Set(directories);
    for (const directory of this.#watched.keys()) if (!wanted.has(directory)) this.#unwatch(directory);
    const fresh: string[] = [];
    for (const directory of wanted) {
      const stats = statOf(directory);
      const before = this.#watched.get(directory);
      if (before && before.inode === stats?.ino) continue;
      if (before) this.#unwatch(directory);
      if (stats?.isDirectory() && this.#watch(directory, stats.ino)) fresh.push(directory);
    }
    return fresh;
  }

  close(): void {
    for (const directory of this.#watched.keys()) this.#unwatch(directory);
  }

  #watch(directory: string, inode: number): boolean {
    let watcher: FSWatcher;
    try {
      watcher = watch(directory, (type, entry) => this.#onEvent(directory, entry ?? undefined, type === 'rename'));
    } catch (error) {
      // What may not be read has been said to be so, and what is beside it goes on.
      if (['ENOENT', 'EACCES'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
      throw new WatchError(directory, error);
    }
    watcher.on('error', () => {
      this.#unwatch(directory);
      this.#onEvent(directory, undefined, true);
    });
    this.#watched.set(directory, { inode, watcher });
    return true;
  }

  #unwatch(directory: string): void {
    this.#watched.get(directory)?.watcher.close();
    this.#watched.delete(directory);
  }
}
