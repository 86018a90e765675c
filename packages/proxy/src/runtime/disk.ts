import { readdirSync, readFileSync, statSync, watch } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { entryOfText, LayerError, type Entries, type Entry } from './entry.ts';

/** Folders within folders further down than this are a mistake, such as a link to a folder above. */
const MAX_DEPTH = 16;

/**
 * A folder of files as a layer: `a/b` holds the value of `a.b`. Lines that begin with `#` are remarks. Undefined: there is
 * no such folder, and the layer is empty.
 * @throws LayerError
 */
export function readDisk(root: string, folder: string): Entries | undefined {
  const path = join(root, folder);
  try {
    if (!statSync(path).isDirectory()) return undefined;
  } catch {
    return undefined;
  }
  const entries = new Map<string, Entry>();
  walk(path, '', 1, entries);
  return entries;
}

function walk(path: string, prefix: string, depth: number, into: Map<string, Entry>): void {
  if (depth > MAX_DEPTH) throw new LayerError(`\`${path}\` is deeper than ${MAX_DEPTH} folders`);
  for (const name of readdirSync(path)) {
    const at = join(path, name);
    const key = prefix === '' ? name : `${prefix}.${name}`;
    try {
      if (statSync(at).isDirectory()) walk(at, key, depth + 1, into);
      else into.set(key, entryOfText(valueOf(readFileSync(at, 'utf8'))));
    } catch (error) {
      if (error instanceof LayerError) throw error;
      throw new LayerError(`\`${at}\` cannot be read: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    }
  }
}

function valueOf(content: string): string {
  return content
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n')
    .trimEnd();
}

/** Calls when something else is moved to `root`, as when a link is swapped. Returns what ends the watch. */
export function watchRoot(root: string, onChange: () => void): () => void {
  const name = basename(root);
  const watcher = watch(dirname(root), { persistent: false }, (event, file) => {
    if (event === 'rename' && file === name) onChange();
  });
  return () => watcher.close();
}
