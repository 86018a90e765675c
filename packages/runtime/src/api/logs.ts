import { type Line, readLines } from '../access-log/read-lines.ts';
import { parseLogLine } from '../supervisor/log-file.ts';
import type { LogsAnswer } from './types.ts';

/** What was written to a log since `from`, a position that an earlier answer told; without one, its end. */
export function logsAnswer(path: string, from: number | undefined, format: 'output' | 'access'): LogsAnswer {
  const { position, lines } = readLines(path, from);
  return { position, lines: lines.map((line) => lineOf(line, format)) };
}

function lineOf({ text }: Line, format: 'output' | 'access'): LogsAnswer['lines'][number] {
  const entry = format === 'output' ? parseLogLine(text) : undefined;
  if (entry === undefined) return { time: '', pod: '', container: '', stream: 'stdout', text };
  return { ...entry, container: entry.container ?? '' };
}
