import type { AccessLogSink } from '../http/runtime.ts';
import type { AccessLogProgram, LogSource } from '../program/types.ts';

/** Writes or sends an entry about a request or a connection, if its log wants one. */
export type AccessLogger = (source: LogSource) => void;

/** One logger per program, in that order. */
export function openLogs(
  programs: readonly AccessLogProgram[],
  openFile: (path: string) => AccessLogSink,
): readonly AccessLogger[] {
  return programs.map((program) => {
    const log = logger(program, openFile);
    const { shouldLog } = program;
    if (shouldLog === undefined) return log;
    return (source) => {
      if (shouldLog(source)) log(source);
    };
  });
}

function logger({ target }: AccessLogProgram, openFile: (path: string) => AccessLogSink): AccessLogger {
  if ('log' in target) return (source) => target.log(source);
  const sink = openFile(target.path);
  return (source) => sink.write(target.format(source));
}
