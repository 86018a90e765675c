import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const own = fileURLToPath(import.meta.url);

/**
 * An entry that tools/pack.ts has made under `packages`, a node_modules directory. Undefined when there is none, when it
 * was made of sources elsewhere, or when one of them has changed since.
 */
export function packedEntry(packages, name = 'main') {
  const place = join(packages, '.cache/mizzen/packed');
  try {
    const { root, stamps } = JSON.parse(readFileSync(join(place, 'sources.json'), 'utf8'));
    if (join(root, 'packages/cli/bin/packed.mjs') !== own) return undefined;
    for (const path in stamps) if (statSync(`${root}/${path}`).mtimeMs !== stamps[path]) return undefined;
    return pathToFileURL(join(place, `${name}.mjs`)).href;
  } catch {
    return undefined;
  }
}
