import type { Diagnostic, Path } from '@mizzen/diagnostics';

/** A diagnostic without its resource; `path` is from the root of what was checked. */
export type Problem = Omit<Diagnostic, 'ref' | 'span'> & { readonly path: Path };

/** Collects what checks find. Checks that ask `isClean` can leave out what would only repeat an earlier error. */
export class Report {
  readonly problems: Problem[] = [];

  error(code: string, path: Path, message: string, help?: string, at?: 'key' | 'value'): void {
    this.problems.push({ code, severity: 'error', message, path, help, at });
  }

  warn(code: string, path: Path, message: string, help?: string, at?: 'key' | 'value'): void {
    this.problems.push({ code, severity: 'warning', message, path, help, at });
  }

  get isClean(): boolean {
    return !this.problems.some(({ severity }) => severity === 'error');
  }
}

// One code for each sort of mistake; codes.yaml says what they mean.
export const UNKNOWN_FIELD = 'MZ1001';
export const WRONG_TYPE = 'MZ1002';
export const REQUIRED = 'MZ1006';
export const CONFLICT = 'MZ1005';
export const NOT_ALLOWED = 'MZ1007';
export const OUT_OF_RANGE = 'MZ1012';
export const BAD_HOST = 'MZ1013';
export const BAD_ADDRESS = 'MZ1014';
export const DUPLICATE = 'MZ1015';
export const BAD_NAME = 'MZ1016';
export const BAD_VALUE = 'MZ1017';
export const DEPRECATED = 'MZ1201';
export const NO_EFFECT = 'MZ1202';
export const SUSPICIOUS = 'MZ1203';
export const UNREACHABLE = 'MZ1204';
export const NOT_YET = 'MZ1205';
