import { existsSync, type FSWatcher, watch } from 'node:fs';
import { resolve, sep } from 'node:path';
import type { DesiredWorkload } from '../protocol.ts';
import { workloadKey } from '../kubelet/workload.ts';

const DEBOUNCE_MS = 100;
const IGNORED = new Set(['node_modules', '.git', '.mizzen', '__pycache__']);

interface Watched {
  readonly paths: string;
  readonly stop: () => void;
}

/** Follows the `mizzen.dev/watch` paths of workloads and tells when something under one changed. */
export class Watches {
  readonly #onChange: (workload: DesiredWorkload, path: string) => void;
  readonly #onProblem: (text: string) => void;
  readonly #watched = new Map<string, Watched>();

  constructor(onChange: (workload: DesiredWorkload, path: string) => void, onProblem: (text: string) => void) {
    this.#onChange = onChange;
    this.#onProblem = onProblem;
  }

  apply(workloads: readonly DesiredWorkload[]): void {
    const seen = new Set<string>();
    for (const workload of workloads) {
      const paths = watchedPaths(workload);
      if (paths.length === 0) continue;
      const key = workloadKey(workload.owner);
      const known = this.#watched.get(key);
      seen.add(key);
      if (known?.paths === paths.join('\n')) continue;
      known?.stop();
      this.#watched.set(key, { paths: paths.join('\n'), stop: this.#watch(workload, paths) });
    }
    for (const [key, { stop }] of this.#watched) {
      if (seen.has(key)) continue;
      stop();
      this.#watched.delete(key);
    }
  }

  close(): void {
    for (const { stop } of this.#watched.values()) stop();
    this.#watched.clear();
  }

  #watch(workload: DesiredWorkload, paths: readonly string[]): () => void {
    let timer: NodeJS.Timeout | undefined;
    const watchers: FSWatcher[] = [];
    for (const path of paths) {
      if (!existsSync(path)) {
        this.#onProblem(`\`${path}\`, which \`${workload.owner.name}\` watches, does not exist`);
        continue;
      }
      try {
        const watcher = watch(path, { recursive: true }, (_event, file) => {
          if (file?.split(sep).some((part) => IGNORED.has(part))) return;
          clearTimeout(timer);
          timer = setTimeout(() => this.#onChange(workload, file ?? path), DEBOUNCE_MS);
        });
        watcher.on('error', (error) => this.#onProblem(`watching \`${path}\`: ${error.message}`));
        watchers.push(watcher);
      } catch (error) {
        this.#onProblem(`watching \`${path}\`: ${(error as Error).message}`);
      }
    }
    return () => {
      clearTimeout(timer);
      for (const watcher of watchers) watcher.close();
    };
  }
}

function watchedPaths(workload: DesiredWorkload): string[] {
  return workload.containers.flatMap(({ run }) =>
    run.kind === 'command' ? run.watch.map((path) => resolve(run.dir, path)) : [],
  );
}
