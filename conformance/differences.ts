import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '@mizzen/testkit';

const PAGE = join(repositoryRoot, 'docs/reference/differences.md');
export const SECTION = '## Mizzen’s own proxy and Envoy, given the same file';

/** Names of the differences that are kept: the first column of the table in that section of differences.md. */
export function namedDifferences(): Set<string> {
  const text = readFileSync(PAGE, 'utf8');
  const from = text.indexOf(`${SECTION}\n`);
  if (from < 0) throw new Error(`docs/reference/differences.md has no section “${SECTION}”`);
  const section = text.slice(from + SECTION.length).split('\n## ')[0]!;
  return new Set([...section.matchAll(/^\| `([a-z0-9-]+)` \|/gm)].map(([, name]) => name!));
}
