/** `npm run check`: types, lint, format and import arrows. Prints one line each; exit status 1 when one fails. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const STEPS: readonly (readonly [string, readonly string[]])[] = [
  ['types', ['tsc', '--noEmit']],
  ['types of the console', ['tsc', '--noEmit', '-p', 'packages/console']],
  [
    'lint',
    ['oxlint', '--type-aware', '--deny-warnings', 'packages', 'examples', 'tools', 'bench', 'e2e', 'conformance'],
  ],
  ['format', ['oxfmt', '--check', 'packages', 'examples', 'tools', 'bench', 'e2e', 'conformance']],
  ['arrows', ['node', 'tools/check-arrows.ts']],
];

/** Runs every check; returns how many passed and failed, and which. */
export function runChecks(): { passed: number; failed: number; failures: string[] } {
  let passed = 0;
  let failed = 0;
  const failures: string[] = [];
  for (const [name, [program, ...args]] of STEPS) {
    const path = program === 'node' ? process.execPath : join(root, 'node_modules/.bin', program!);
    const result = spawnSync(path, args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 26 });
    if (result.status === 0) passed++;
    else {
      failed++;
      failures.push(`check ${name}`);
    }
    process.stdout.write(`check ${name}: ${result.status === 0 ? 'ok' : 'FAILED'}\n`);
    if (result.status !== 0) process.stdout.write(`${result.stdout}${result.stderr}\n`);
  }
  return { passed, failed, failures };
}

if (import.meta.main) process.exitCode = runChecks().failed > 0 ? 1 : 0;
