import { closeSync, openSync, readFileSync } from 'node:fs';
import { UsageError } from '../command.ts';

/** The text of a file that somebody named; 0: what stands on stdin. @throws UsageError with the reason */
export function readGiven(file: string | 0): string {
  return orUsageError('read', file, () => readFileSync(file, 'utf8'));
}

/** Makes the file, where there is none, so that it is known to be writable. @throws UsageError with the reason */
export function makeGiven(file: string): void {
  orUsageError('written', file, () => closeSync(openSync(file, 'a')));
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or directory',
  EISDIR: 'it is a directory',
  EACCES: 'that is not permitted',
};

function orUsageError<T>(done: string, file: string | 0, run: () => T): T {
  try {
    return run();
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    throw new UsageError(`\`${file === 0 ? '<stdin>' : file}\` cannot be ${done}: ${REASONS[code] ?? message}`);
  }
}
