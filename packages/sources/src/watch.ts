import { existsSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import { Directories } from './directories.ts';
import { STDIN, discover, isMeshDirectory, isMeshFile, statOf, tidy } from './discover.ts';
import type { Discovered } from './discover.ts';
import { Ledger } from './ledger.ts';
import type { FileText, ReadResult } from './ledger.ts';
import { missingMesh, readText, update } from './read.ts';
import type { ReadOptions } from './read.ts';

export interface WatchOptions extends ReadOptions {
  /** Calls `run` after so many milliseconds; what it returns calls that off. */
  readonly after: (milliseconds: number, run: () => void) => () => void;
  /** The system stopped watching something; what was read stays in force. */
  readonly onError?: (error: Error) => void;
}

export interface Watching {
  readonly first: ReadResult;
  /** What would be read if a file, be it a new one, had this text: nothing changes, `onChange` is not called. */
  preview(file: string, text: string): ReadResult;
  /** Ends watching; `onChange` is not called again. */
  close(): void;
}

/** Changes of one save arrive as several events this close together; waiting for the last costs this long. */
const QUIET = 10;
/** While events keep coming, they are acted upon this often all the same. */
const LONGEST = 40;
/** A file that is suddenly gone or empty may be halfway through being written: so long it keeps what it had. */
const GRACE = 60;

/**
 * Reads files and directories as `readFiles` does, and again whatever changes. `onChange` gets the whole result each time
 * a file's text changed, appeared or went; files whose text stays the same are not read again, and their resources are
 * the identical objects. Standard input is read once.
 */
export async function watchFiles(
  paths: readonly string[],
  options: WatchOptions,
  onChange: (result: ReadResult) => void,
): Promise<Watching> {
  const stdin = paths.includes(STDIN) ? await readAll(options.stdin ?? process.stdin) : undefined;
  return new Watch(paths, options, stdin, onChange);
}

class Watch implements Watching {
  readonly first: ReadResult;
  readonly #paths: readonly string[];
  readonly #options: WatchOptions;
  readonly #stdin: string | undefined;
  readonly #onChange: (result: ReadResult) => void;
  readonly #ledger: Ledger;
  readonly #directories: Directories;
  readonly #texts = new Map<string, FileText>();
  /** Files to read again; names as `discover` gives them. */
  readonly #dirty = new Set<string>();
  /** Some of them are gone or empty and keep what they had for now. */
  #doubtful = false;
  #found: Discovered = { files: [], directories: [], passedOver: [], diagnostics: [], closed: [] };
  /** Files in reading order, those that have just gone among them. */
  #order: readonly string[] = [];
  /** What the person named: files, directories, the mesh configuration. */
  readonly #roots: ReadonlySet<string>;
  #cancel: (() => void) | undefined;
  #waited = 0;
  #closed = false;

  constructor(
    paths: readonly string[],
    options: WatchOptions,
    stdin: string | undefined,
    onChange: (result: ReadResult) => void,
  ) {
    this.#paths = paths;
    this.#options = { ...options, meshConfig: options.meshConfig === undefined ? undefined : tidy(options.meshConfig) };
    this.#stdin = stdin;
    this.#onChange = onChange;
    this.#ledger = new Ledger(options);
    this.#roots = new Set([...paths, ...(options.meshConfig === undefined ? [] : [options.meshConfig])].map(tidy));
    this.#directories = new Directories((...event) => this.#onEvent(...event));
    this.#discover();
    this.first = this.#read(true).result;
  }

  close(): void {
    this.#closed = true;
    this.#cancel?.();
    this.#directories.close();
  }

  #onEvent(directory: string, entry: string | undefined, renamed: boolean): void {
    if (this.#closed || !this.#concerns(directory, entry, renamed)) return;
    if (entry === undefined || entry.startsWith('..')) {
      // Everything in it may have changed: the event was lost, or its files are links that lead elsewhere now.
      for (const file of this.#texts.keys()) if (dirname(file) === directory) this.#dirty.add(file);
    } else this.#dirty.add(join(directory, entry));
    const wait = Math.min(QUIET, LONGEST - this.#waited);
    this.#waited += wait;
    this.#cancel?.();
    if (wait <= 0) this.#flush(false);
    else this.#cancel = this.#options.after(wait, () => this.#flush(false));
  }

  preview(file: string, text: string): ReadResult {
    const { meshConfig } = this.#options;
    const edited: FileText = { file, text };
    const names = file === meshConfig || this.#texts.has(file) ? this.#order : [...this.#order, file];
    const files = names.map((name) => (name === file ? edited : (this.#texts.get(name) as FileText)));
    const mesh = meshConfig === undefined ? undefined : (this.#texts.get(meshConfig) ?? missingMesh(meshConfig));
    return update(this.#ledger.fork(), this.#found, files, file === meshConfig ? edited : mesh);
  }

  #concerns(directory: string, entry: string | undefined, renamed: boolean): boolean {
    if (entry === undefined) return true;
    const path = join(directory, entry);
    for (const root of this.#roots) if (root === path || root.startsWith(`${path}${sep}`)) return true;
    // It may have been opened again.
    if (this.#found.closed.includes(path)) return true;
    if (!this.#found.directories.includes(directory)) return false;
    if (isMeshFile(entry)) return true;
    return renamed && (entry.startsWith('..') || (isMeshDirectory(entry) && this.#isDirectory(path)));
  }

  /** Now, or when last looked at. */
  #isDirectory(path: string): boolean {
    if (this.#found.directories.includes(path)) return true;
    return statOf(path)?.isDirectory() ?? false;
  }

  #flush(graceOver: boolean): void {
    if (this.#closed) return;
    this.#cancel = undefined;
    this.#waited = 0;
    try {
      this.#discover();
    } catch (error) {
      this.#options.onError?.(error as Error);
      return;
    }
    const { result, changed } = this.#read(graceOver);
    if (this.#doubtful) this.#cancel ??= this.#options.after(GRACE, () => this.#flush(true));
    if (changed) this.#onChange(result);
  }

  /** Finds the files, and sees to it that a change of any of them from now on gives an event. */
  #discover(): void {
    for (;;) {
      this.#found = discover(this.#paths);
      const fresh = new Set(this.#directories.set(this.#toWatch()));
      if (fresh.size === 0) return;
      for (const file of this.#found.files) if (fresh.has(dirname(file))) this.#dirty.add(file);
    }
  }

  #toWatch(): Set<string> {
    const directories = new Set(this.#found.directories);
    for (const path of this.#roots) {
      if (path === STDIN || path === '.') continue;
      // The parent tells when a file, or a whole directory, is replaced or comes back.
      let parent = dirname(path);
      while (!existsSync(parent) && dirname(parent) !== parent) parent = dirname(parent);
      directories.add(parent);
    }
    return directories;
  }

  #read(graceOver: boolean): { readonly result: ReadResult; readonly changed: boolean } {
    const { meshConfig } = this.#options;
    const wanted = new Set(meshConfig === undefined ? this.#found.files : [...this.#found.files, meshConfig]);
    for (const file of wanted) if (!this.#texts.has(file)) this.#dirty.add(file);
    for (const file of this.#texts.keys()) if (!wanted.has(file)) this.#dirty.add(file);
    let changed = false;
    this.#doubtful = false;
    const read = new Map(
      [...this.#dirty].map((file) => [file, wanted.has(file) ? readText(file, this.#stdin) : undefined]),
    );
    const appeared = new Set(
      [...read].flatMap(([file, now]) => (this.#texts.has(file) || !now?.text ? [] : [now.text])),
    );
    for (const [file, now] of read) {
      const before = this.#texts.get(file);
      // A file whose text is now in another was moved there, and is not coming back.
      const moved = now === undefined && before?.text !== undefined && appeared.has(before.text);
      if (before?.text && !now?.text && !now?.problem && !graceOver && !moved) {
        this.#doubtful = true;
        continue;
      }
      this.#dirty.delete(file);
      if (now?.text === before?.text && now?.problem?.message === before?.problem?.message) continue;
      changed = true;
      if (now) this.#texts.set(file, now);
      else this.#texts.delete(file);
    }
    this.#order = mergeOrder(this.#order, this.#found.files).filter((file) => this.#texts.has(file));
    const files = this.#order.map((file) => this.#texts.get(file) as FileText);
    const mesh = meshConfig === undefined ? undefined : (this.#texts.get(meshConfig) ?? missingMesh(meshConfig));
    return { result: update(this.#ledger, this.#found, files, mesh), changed };
  }
}

/** `now`, with what is only in `before` put back after what it followed. */
function mergeOrder(before: readonly string[], now: readonly string[]): string[] {
  const merged = [...now];
  const known = new Set(now);
  before.forEach((file, index) => {
    if (known.has(file)) return;
    const previous = before[index - 1];
    merged.splice(previous === undefined ? 0 : merged.indexOf(previous) + 1, 0, file);
  });
  return merged;
}
