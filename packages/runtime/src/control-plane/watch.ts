import { Readable } from 'node:stream';
import type { Clock, Convergence } from '@mizzen/control-plane';
import { watchFiles } from '@mizzen/sources';
import type { ReadResult } from '@mizzen/sources';
import type { LastGood } from '../control/last-good.ts';
import { Changes } from './changes.ts';
import { Debounce } from './debounce.ts';
import { MeshFiles } from './mesh-files.ts';
import type { MeshChange } from './mesh-files.ts';
import type { ControlPlaneOptions } from './options.ts';

export interface WatchDeps {
  readonly clock: Clock;
  readonly lastGood: LastGood;
  readonly onError: (error: Error) => void;
}

export interface WatchedMesh {
  readonly files: MeshFiles;
  /** From now on changes are reported; `startedAt` is when the first of them was noticed, by the clock. */
  follow(onChange: (change: MeshChange, startedAt: number) => void): void;
  close(): void;
}

/** A burst of edits is over after this long without one; it holds up nothing for longer than `longest`. Milliseconds. */
const BURST = { quiet: 100, longest: 2000 };

/** Reads the files and then what changes in them: a lone edit at once, a burst of them together. */
export async function watchMesh(
  { files: paths, meshConfig, stdin }: Pick<ControlPlaneOptions, 'files' | 'meshConfig' | 'stdin'>,
  { clock, lastGood, onError }: WatchDeps,
): Promise<WatchedMesh> {
  let onChange: ((change: MeshChange, startedAt: number) => void) | undefined;
  let pending = new Changes();
  let latest: ReadResult | undefined;
  let noticedAt: number | undefined;
  const after = (milliseconds: number, run: () => void): (() => void) => {
    const timer = setTimeout(run, milliseconds);
    return () => clearTimeout(timer);
  };
  const debounce = new Debounce({ clock, ...BURST }, () => {
    if (onChange === undefined || latest === undefined) return;
    const [result, changes, startedAt] = [latest, pending, noticedAt ?? clock.now()];
    [latest, pending, noticedAt] = [undefined, new Changes(), undefined];
    let change: MeshChange;
    try {
      change = files.update(result, changes);
    } catch (error) {
      // A fault of Mizzen's own: proxies keep what they have, and the next change may be one that can be read.
      return onError(new Error(`a change cannot be taken over: ${reasonOf(error)}`, { cause: error }));
    }
    onChange(change, startedAt);
  });
  const onRead = (result: ReadResult): void => {
    latest = result;
    pending.add(result);
    noticedAt ??= clock.now();
    debounce.trigger();
  };
  const options = { meshConfig, stdin: Readable.from([stdin ?? '']), after, onError, engine: 'envoy' as const };
  const watching = await watchFiles(paths, options, onRead);
  const files = new MeshFiles(watching.first, lastGood, clock);
  return {
    files,
    follow(report) {
      onChange = report;
      if (latest !== undefined) debounce.trigger();
    },
    close() {
      watching.close();
      debounce.close();
      files.close();
    },
  };
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** What became of a change, for a person; undefined when nobody is connected. */
export function describeConvergence(
  { proxies, refused, milliseconds }: Convergence,
  connected: number,
): string | undefined {
  if (connected === 0) return undefined;
  if (proxies === 0) return 'no proxy is concerned';
  const count = (some: number): string => (some === 1 ? '1 proxy' : `${some} proxies`);
  const after = `after ${Math.round(milliseconds)} ms`;
  if (refused === 0) return `in force in ${count(proxies)} ${after}`;
  if (refused >= proxies) return `refused by ${count(proxies)} ${after}`;
  return `in force in ${count(proxies - refused)} ${after}, refused by ${count(refused)}`;
}
