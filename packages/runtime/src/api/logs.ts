import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';
import { parseLogLine } from '../supervisor/log-file.ts';
import type { LogsAnswer } from './types.ts';

/** No answer reads more than this of a file. */
const LONGEST = 512 * 1024;

/**
 * What was written to a log since `from`, a position that an earlier answer told; without one, its end. A file that is
 * shorter than that was begun anew and is read from its start.
 */
export function logsAnswer(path: string, from: number | undefined, format: 'output' | 'access'): LogsAnswer {
  if (!existsSync(path)) return { position: 0, lines: [] };
  const { size } = statSync(path);
  const known = from !== undefined && from <= size ? from : undefined;
  const start = Math.max(known ?? (from === undefined ? size - LONGEST : 0), size - LONGEST, 0);
  const buffer = Buffer.alloc(size - start);
  const file = openSync(path, 'r');
  const count = readSync(file, buffer, 0, buffer.length, start);
  closeSync(file);
  const read = buffer.subarray(0, count);
  // Half a line at the end is the next answer's; half a one at the start nobody's.
  const end = read.lastIndexOf(10) + 1;
  const begin = start > 0 && start !== known ? read.indexOf(10) + 1 : 0;
  const texts = read.subarray(begin, Math.max(begin, end)).toString('utf8').split('\n').slice(0, -1);
  return { position: start + end, lines: texts.map((text) => lineOf(text, format)) };
}

function lineOf(text: string, format: 'output' | 'access'): LogsAnswer['lines'][number] {
  const entry = format === 'output' ? parseLogLine(text) : undefined;
  if (entry === undefined) return { time: '', pod: '', container: '', stream: 'stdout', text };
  return { ...entry, container: entry.container ?? '' };
}
