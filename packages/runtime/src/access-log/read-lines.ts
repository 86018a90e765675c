import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';

/** No answer reads more than this of a file. */
const LONGEST = 512 * 1024;

export interface Line {
  readonly text: string;
  /** Where it begins in the file. */
  readonly start: number;
}

/**
 * Whole lines that were written since `from`, a position that was told before; without one, its end. A file that is
 * shorter than that was begun anew and is read from its start. `position`: what `from` is to be next.
 */
export function readLines(
  path: string,
  from: number | undefined,
  longest = LONGEST,
): { readonly position: number; readonly lines: readonly Line[] } {
  if (!existsSync(path)) return { position: 0, lines: [] };
  const { size } = statSync(path);
  if (size === from) return { position: size, lines: [] };
  const known = from !== undefined && from <= size ? from : undefined;
  const start = Math.max(known ?? (from === undefined ? size - longest : 0), size - longest, 0);
  const buffer = Buffer.alloc(size - start);
  const file = openSync(path, 'r');
  const count = readSync(file, buffer, 0, buffer.length, start);
  closeSync(file);
  const read = buffer.subarray(0, count);
  // Half a line at the end is the next answer's; half a one at the start nobody's.
  const end = read.lastIndexOf(10) + 1;
  let at = start > 0 && start !== known ? read.indexOf(10) + 1 : 0;
  const lines: Line[] = [];
  while (at < end) {
    const next = read.indexOf(10, at);
    lines.push({ text: read.toString('utf8', at, next), start: start + at });
    at = next + 1;
  }
  return { position: start + end, lines };
}
