import { watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { statOf } from '@mizzen/sources';

const QUIET = 20;

/** Calls `onChange` when a `mizzen.yaml` changes, appears or goes beside those known or in a place it is looked for. */
export function watchSettings(
  paths: readonly string[],
  files: readonly string[],
  cwd: string,
  onChange: () => void,
): { close(): void } {
  const directories = new Set([cwd, ...files.map((file) => dirname(file))]);
  for (const path of paths) {
    if (path === '-') continue;
    const absolute = resolve(cwd, path);
    const stat = statOf(absolute);
    if (stat !== undefined) directories.add(stat.isDirectory() ? absolute : dirname(absolute));
  }
  let timer: NodeJS.Timeout | undefined;
  const watchers: FSWatcher[] = [];
  for (const directory of directories) {
    try {
      const watcher = watch(directory, { persistent: false }, (_event, name) => {
        if (name !== null && !/^mizzen\.ya?ml$/.test(name)) return;
        clearTimeout(timer);
        timer = setTimeout(onChange, QUIET);
      });
      watcher.on('error', () => watcher.close());
      watchers.push(watcher);
    } catch {
      // A directory that cannot be watched: the settings stay as they were read.
    }
  }
  return {
    close: () => {
      clearTimeout(timer);
      for (const watcher of watchers) watcher.close();
    },
  };
}
