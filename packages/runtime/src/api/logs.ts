import { readLines } from '../access-log/read-lines.ts';
import { parseLogLine } from '../supervisor/log-file.ts';
import type { LogsAnswer } from './types.ts';

/** What a workload wrote since `from`, a position that an earlier answer told; without one, the end of it. */
export function logsAnswer(path: string, from: number | undefined): LogsAnswer {
  const { position, lines } = readLines(path, from);
  return { position, lines: lines.map(({ text }) => lineOf(text)) };
}

function lineOf(text: string): LogsAnswer['lines'][number] {
  const entry = parseLogLine(text);
  if (entry === undefined) return { time: '', pod: '', container: '', stream: 'stdout', text };
  return { ...entry, container: entry.container ?? '' };
}
