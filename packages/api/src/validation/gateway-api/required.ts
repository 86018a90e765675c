import type { Path } from '@mizzen/diagnostics';
import { REQUIRED } from '../report.ts';
import type { Report } from '../report.ts';

/** Says which of the fields are missing or empty. `what` has its article. */
export function requireAll<T extends object>(
  report: Report,
  path: Path,
  value: T | undefined,
  what: string,
  ...names: readonly (keyof T & string)[]
): boolean {
  const missing = names.filter((name) => {
    const given: unknown = value?.[name];
    return given === undefined || given === '' || (Array.isArray(given) && given.length === 0);
  });
  for (const name of missing) report.error(REQUIRED, path, `${what} needs \`${name}\``);
  return missing.length === 0;
}
