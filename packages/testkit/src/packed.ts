import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { repositoryRoot } from './tools.ts';

const finder = pathToFileURL(join(repositoryRoot, 'packages/cli/bin/packed.mjs')).href;
const { packedEntry } = (await import(finder)) as {
  readonly packedEntry: (packages: string, name: string) => string | undefined;
};

/** The path of what tools/pack.ts has made of a program. Undefined when its sources are not those it was made of. */
export function packedProgram(name: string): string | undefined {
  const entry = packedEntry(join(repositoryRoot, 'node_modules'), name);
  return entry === undefined ? undefined : fileURLToPath(entry);
}
