import { closeSync, openSync, readSync, statSync } from 'node:fs';

/** No answer reads more than this of a file. */
const LONGEST = 512 * 1024;

export interface Line {
  readonly text: string;
  /** Where it begins in the file. */
  readonly start: number;
}

interface Read {
  readonly position: number;
  readonly lines: readonly Line[];
}

/**
 * Whole lines that were written since `from`, a position that was told before; without one, its end. A file that is
 * shorter than that was begun anew: what is left of the one before it (`PATH.1`) comes first, then all of it.
 * `position`: what `from` is to be next.
 */
export function readLines(path: string, from: number | undefined, longest = LONGEST): Read {
  const size = sizeOf(path);
  if (from === undefined || from <= size) return piece(path, size, from, longest);
  const before = `${path}.1`;
  const whole = sizeOf(before);
  const left = from <= whole ? piece(before, whole, from, longest).lines : [];
  const { position, lines } = piece(path, size, 0, longest);
  return { position, lines: [...left, ...lines] };
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function piece(path: string, size: number, from: number | undefined, longest: number): Read {
  if (size === (from ?? 0)) return { position: size, lines: [] };
  const start = Math.max(from ?? 0, size - longest);
  const buffer = Buffer.alloc(size - start);
  const file = openSync(path, 'r');
  const count = readSync(file, buffer, 0, buffer.length, start);
  closeSync(file);
  const read = buffer.subarray(0, count);
  // Half a line at the end is the next answer's; half a one at the start nobody's.
  const end = read.lastIndexOf(10) + 1;
  let at = start > 0 && start !== from ? read.indexOf(10) + 1 : 0;
  const lines: Line[] = [];
  while (at < end) {
    const next = read.indexOf(10, at);
    lines.push({ text: read.toString('utf8', at, next), start: start + at });
    at = next + 1;
  }
  return { position: start + end, lines };
}
