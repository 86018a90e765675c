import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '..');

/** Where the built files of these sources are, or are to be: one folder for each state of the sources. */
export function builtFolder(): string {
  const hash = createHash('sha256');
  const sources = ['package.json', 'index.html', ...globSync('{src,public,build}/**/*', { cwd: root }).toSorted()];
  for (const file of sources) {
    if (/\.test\.tsx?$|(^|\/)testing(\/|$)/.test(file)) continue;
    try {
      hash.update(`${file}\0`).update(readFileSync(join(root, file)));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EISDIR') throw error;
    }
  }
  return join(root, '../../node_modules/.cache/mizzen/console', hash.digest('hex').slice(0, 16));
}
