/**
 * `npm test`: installs what is missing (tools/install.ts), then checks, unit tests with conformance beside them, and
 * end-to-end tests, each suite with a time budget. At the end it says again what failed; the last line is `N passed, N failed`.
 * Arguments name suites to run: checks, unit, conformance, e2e.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { runChecks } from './check.ts';

const root = join(import.meta.dirname, '..');
const SUITES = ['checks', 'unit', 'conformance', 'e2e'];
const asked = process.argv.slice(2);
const unknown = asked.find((name) => !SUITES.includes(name));
if (unknown !== undefined) {
  process.stderr.write(`there is no suite \`${unknown}\`; there are ${SUITES.join(', ')}\n`);
  process.exit(2);
}
const wanted = (suite: string): boolean => asked.length === 0 || asked.includes(suite);

interface Outcome {
  passed: number;
  failed: number;
  /** What failed, and why, for the end of the output. */
  failures: string[];
}

/** What is read of vitest's report. */
interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}
const MESSAGE_LENGTH = 3000;

/** Runs one vitest project; its own report says how many passed. A suite over its budget is ended and counts as failed. */
async function vitest(suite: string, config: string, budgetSeconds: number, part?: string): Promise<Outcome> {
  const folder = mkdtempSync(join(tmpdir(), 'mizzen-test-'));
  const report = join(folder, 'report.json');
  const args = [
    join(root, 'node_modules/vitest/vitest.mjs'),
    'run',
    '--config',
    config,
    '--reporter=default',
    '--reporter=json',
    `--outputFile=${report}`,
  ];
  const { status, late, seconds } = await bounded(
    args,
    budgetSeconds,
    'inherit',
    part === undefined ? {} : { MIZZEN_TEST_PART: part },
  );
  const outcome: Outcome = { passed: 0, failed: 0, failures: [] };
  try {
    const result = JSON.parse(readFileSync(report, 'utf8')) as Report;
    outcome.passed = result.numPassedTests;
    outcome.failed = result.numFailedTests;
    outcome.failures = failuresOf(result);
  } catch (error) {
    outcome.failed = 1;
    outcome.failures.push(`${suite}: no report: ${String(error)}`);
  }
  if (late) outcome.failures.push(`${suite}: not finished in time`);
  if (late) process.stdout.write(`${suite}: not finished after its budget of ${budgetSeconds} s\n`);
  if ((late || status !== 0) && outcome.failed === 0) outcome.failed = 1;
  rmSync(folder, { recursive: true, force: true });
  process.stdout.write(`${suite}: ${seconds} s of ${budgetSeconds} s\n`);
  return outcome;
}

function failuresOf({ testResults }: Report): string[] {
  return testResults.flatMap(({ name, status, message, assertionResults }) => {
    const file = relative(root, name);
    const failed = assertionResults
      .filter((each) => each.status === 'failed')
      .map(({ fullName, failureMessages }) => `${file}: ${fullName}\n${shortened(failureMessages.join('\n'))}`);
    // A file that did not load, or whose hooks failed, has no failed test of its own.
    return failed.length > 0 || status !== 'failed' ? failed : [`${file}\n${shortened(message)}`];
  });
}

function shortened(text: string): string {
  const plain = stripVTControlCharacters(text);
  return plain.length <= MESSAGE_LENGTH ? plain : `${plain.slice(0, MESSAGE_LENGTH)} …`;
}

/** Runs the conformance suite; its last line says how many passed. */
async function conformance(budgetSeconds: number): Promise<Outcome> {
  const args = [join(root, 'conformance/main.ts'), '--check'];
  const { status, late, seconds, output } = await bounded(args, budgetSeconds, 'pipe');
  const [, passed = '0', failed = '1'] = /(\d+) passed, (\d+) failed\n$/.exec(output) ?? [];
  const outcome: Outcome = { passed: Number(passed), failed: Number(failed), failures: [] };
  const [, failures = ''] = /^(FAILED [\s\S]*?)^\d+ s\n/m.exec(output) ?? [];
  if (failures !== '') outcome.failures.push(`conformance:\n${failures.trimEnd()}`);
  if (late) outcome.failures.push('conformance: not finished in time');
  if (late) process.stdout.write(`conformance: not finished after its budget of ${budgetSeconds} s\n`);
  if ((late || status !== 0) && outcome.failed === 0) outcome.failed = 1;
  process.stdout.write(`conformance: ${seconds} s of ${budgetSeconds} s\n`);
  return outcome;
}

/** Runs a script of this tree with what it starts, and ends all of it after so many seconds. */
async function bounded(
  args: readonly string[],
  budgetSeconds: number,
  stdout: 'inherit' | 'pipe',
  env: Readonly<Record<string, string>> = {},
): Promise<{ status: number | null; late: boolean; seconds: string; output: string }> {
  const started = Date.now();
  const child = spawn(process.execPath, args, {
    cwd: root,
    stdio: ['ignore', stdout, 'inherit'],
    env: { ...process.env, ...env },
    detached: true,
  });
  let output = '';
  child.stdout?.on('data', (data: Buffer) => {
    output += data.toString();
    process.stdout.write(data);
  });
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    process.kill(-child.pid!, 'SIGKILL');
  }, budgetSeconds * 1000);
  const status = await new Promise<number | null>((done) => child.once('close', done));
  clearTimeout(timer);
  return { status, late, seconds: ((Date.now() - started) / 1000).toFixed(1), output };
}

const total: Outcome = { passed: 0, failed: 0, failures: [] };
const add = ({ passed, failed, failures }: Outcome): void => {
  total.passed += passed;
  total.failed += failed;
  total.failures.push(...failures);
};

// What is downloaded comes while the checks, which need none of it, have the cores.
const installing = once(spawn(process.execPath, [join(root, 'tools/install.ts')], { stdio: 'inherit' }), 'close');
if (wanted('checks')) add(runChecks());
await installing;
// The budgets are three times what a machine with two cores needs, so that a slower one has time enough, and what hangs ends.
const busy = wanted('unit') ? vitest('unit', 'vitest.config.ts', 1080, 'busy') : undefined;
const suites = await Promise.all([
  busy,
  // These wait most of the time, for timeouts of proxies, and leave the cores to others.
  wanted('unit') ? vitest('unit, those that wait', 'vitest.config.ts', 1080, 'waiting') : undefined,
  wanted('conformance') ? conformance(1080) : undefined,
  // Whole meshes have the cores for themselves, but for what still waits.
  wanted('e2e') ? Promise.resolve(busy).then(() => vitest('e2e', 'e2e/vitest.config.ts', 900)) : undefined,
]);
for (const outcome of suites) if (outcome !== undefined) add(outcome);
for (const failure of total.failures) process.stdout.write(`\nFAILED ${failure}\n`);
process.stdout.write(`${total.passed} passed, ${total.failed} failed\n`);
process.exitCode = total.failed > 0 ? 1 : 0;
