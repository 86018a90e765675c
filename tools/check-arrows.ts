/** Checks that packages import only what ARCHITECTURE.md allows, and only what their package.json declares. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ARROWS } from './arrows.ts';

const root = join(import.meta.dirname, '..');
const IMPORT = /(?:^|\n)\s*(?:import|export)\b[^;'"]*?from\s*['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;

interface Manifest {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** Every violation in the tree, one line each. */
export function violations(): string[] {
  const found: string[] = [];
  for (const [name, allowed] of Object.entries(ARROWS)) {
    const manifest = JSON.parse(readFileSync(join(root, `packages/${name}/package.json`), 'utf8')) as Manifest;
    const declared = { ...manifest.dependencies, ...manifest.optionalDependencies };
    for (const file of globSync(`packages/${name}/{src,bin,build}/**/*.{ts,tsx,mjs}`, { cwd: root })) {
      const test = /\.test\.tsx?$|\/(testing|differential)\//.test(file);
      for (const match of readFileSync(join(root, file), 'utf8').matchAll(IMPORT)) {
        const specifier = match[1] ?? match[2] ?? '';
        const problem = check(name, allowed, declared, specifier, test);
        if (problem !== undefined) found.push(`${file}: imports \`${specifier}\`, ${problem}`);
      }
    }
  }
  return found;
}

function check(
  name: string,
  allowed: readonly string[],
  declared: Readonly<Record<string, string>>,
  specifier: string,
  test: boolean,
): string | undefined {
  if (specifier.startsWith('.')) return undefined;
  if (specifier.startsWith('node:')) return undefined;
  const parts = specifier.split('/');
  const packageName = specifier.startsWith('@') ? parts.slice(0, 2).join('/') : parts[0]!;
  if (packageName === '@mizzen/testkit') return test || name === 'testkit' ? undefined : 'which only tests may';
  if (packageName.startsWith('@mizzen/')) {
    const target = packageName.slice('@mizzen/'.length);
    if (target !== name && !allowed.includes(target) && !test)
      return `which package \`${name}\` may not (tools/arrows.ts)`;
  }
  if (test) return undefined;
  return packageName in declared ? undefined : `which packages/${name}/package.json does not declare`;
}

if (import.meta.main) {
  const found = violations();
  for (const line of found) process.stdout.write(`${line}\n`);
  process.stdout.write(`import arrows: ${found.length} violations\n`);
  process.exitCode = found.length > 0 ? 1 : 0;
}
