import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const own = fileURLToPath(import.meta.url);

/**
 * The entry that tools/pack.mjs has made under `packages`, a node_modules directory. Undefined when there is none, when it
 * was made of sources elsewhere, or when one of them has changed since.
 */
export function packedEntry(packages) {
  const place = join(packages, '.cache/mizzen/packed');
  try {
    const { root, stamps } = JSON.parse(readFileSync(join(place, 'sources.json'), 'utf8'));
    if (join(root, 'packages/cli/bin/packed.mjs') !== own) return undefined;
    for (const path in stamps) if (statSync(`${root}/${path}`).mtimeMs !== stamps[path]) return undefined;
    return pathToFileURL(join(place, 'main.mjs')).href;
  } catch {
    return undefined;
  }
}
