import { existsSync } from 'node:fs';
import { UsageError } from './command.ts';

/**
 * An answer worked out without a file that was named is not the one that was asked for.
 * @throws UsageError when one is not there; `-` is standard input
 */
export function checkNamed(files: readonly string[], meshConfig: string | undefined): void {
  const missing = [...files, ...(meshConfig === undefined ? [] : [meshConfig])].find(
    (file) => file !== '-' && !existsSync(file),
  );
  if (missing !== undefined) throw new UsageError(`there is no file or directory \`${missing}\``);
}
