/**
 * `npm test`: installs what is missing (tools/install.ts), then checks, unit tests with conformance beside them, and
 * end-to-end tests, each suite with a time budget. Files of tests that failed beside others run once more, alone. At the end
 * it says again what failed; the last line is `N passed, N failed`.
 * Arguments name suites to run: checks, unit, conformance, e2e.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { runChecks } from './check.ts';
import { root } from './suites/bounded.ts';
import { conformance } from './suites/conformance.ts';
import { sum, type Outcome } from './suites/outcome.ts';
import { again, vitest, type Ran } from './suites/vitest.ts';

const SUITES = ['checks', 'unit', 'conformance', 'e2e'];
const asked = process.argv.slice(2);
const unknown = asked.find((name) => !SUITES.includes(name));
if (unknown !== undefined) {
  process.stderr.write(`there is no suite \`${unknown}\`; there are ${SUITES.join(', ')}\n`);
  process.exit(2);
}
const wanted = (suite: string): boolean => asked.length === 0 || asked.includes(suite);

// The budgets are three times what a machine with two cores needs, so that a slower one has time enough, and what hangs ends.
const UNIT = { config: 'vitest.config.ts', budgetSeconds: 1080 };
const E2E = { name: 'e2e', config: 'e2e/vitest.config.ts', budgetSeconds: 900 };

const outcomes: Outcome[] = [];
// What is downloaded comes while the checks, which need none of it, have the cores.
const installing = once(spawn(process.execPath, [join(root, 'tools/install.ts')], { stdio: 'inherit' }), 'close');
if (wanted('checks')) outcomes.push(runChecks());
await installing;
const busy = wanted('unit') ? vitest({ ...UNIT, name: 'unit', part: 'busy' }) : undefined;
const [alike, ...ran] = await Promise.all([
  wanted('conformance') ? conformance(1080) : undefined,
  busy,
  // These wait most of the time, for timeouts of proxies, and leave the cores to others.
  wanted('unit') ? vitest({ ...UNIT, name: 'unit, those that wait', part: 'waiting' }) : undefined,
  // Whole meshes have the cores for themselves, but for what still waits.
  wanted('e2e') ? Promise.resolve(busy).then(() => vitest(E2E)) : undefined,
]);
if (alike !== undefined) outcomes.push(alike);
for (const suite of ran.filter((each): each is Ran => each !== undefined)) outcomes.push(await again(suite));

const { passed, failed, failures } = sum(outcomes);
for (const failure of failures) process.stdout.write(`\nFAILED ${failure}\n`);
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed > 0 ? 1 : 0;
