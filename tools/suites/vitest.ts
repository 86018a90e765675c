import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { bounded, root } from './bounded.ts';
import type { Outcome } from './outcome.ts';

export interface VitestSuite {
  readonly name: string;
  readonly config: string;
  readonly budgetSeconds: number;
  /** Of the configuration's tests. */
  readonly part?: string;
  /** What the tests print is not wanted. */
  readonly silent?: boolean;
}

/** A file of tests in vitest's report, as far as it is read. */
interface TestFile {
  /** Its path. */
  readonly name: string;
  readonly status: string;
  readonly message: string;
  readonly assertionResults: readonly {
    readonly fullName: string;
    readonly status: string;
    readonly failureMessages: readonly string[];
  }[];
}

/** A suite that ran, and which of its files are worth another run. */
export interface Ran extends Outcome {
  readonly suite: VitestSuite;
  readonly failedFiles: readonly TestFile[];
}

const MESSAGE_LENGTH = 3000;
/** When more files than these fail, it is not because other tests had the cores. */
const MOST_AGAIN = 12;

/** Runs one vitest configuration; its own report says how many passed. A suite over its budget is ended and counts as failed. */
export async function vitest(suite: VitestSuite): Promise<Ran> {
  const { part } = suite;
  return run(suite, [], part === undefined ? {} : { MIZZEN_TEST_PART: part });
}

/**
 * Runs the files that failed once more, when all others are over, and one at a time: two cores were shared with real programs
 * and their timers. What then passes is told, and what fails again has failed.
 */
export async function again(ran: Ran): Promise<Outcome> {
  const { suite, failedFiles } = ran;
  if (failedFiles.length === 0 || failedFiles.length > MOST_AGAIN) return ran;
  const args = ['--no-file-parallelism', ...failedFiles.map(({ name }) => name)];
  const alone = await run({ ...suite, name: `${suite.name}, again, alone` }, args, {});
  const failing = new Set(alone.failedFiles.flatMap(testsOf));
  for (const test of failedFiles.flatMap(testsOf))
    if (!failing.has(test)) process.stdout.write(`passes alone, and failed beside others: ${test}\n`);
  const counted = failedFiles.flatMap(({ assertionResults }) => assertionResults);
  const passed = counted.filter(({ status }) => status === 'passed').length;
  return { passed: ran.passed - passed + alone.passed, failed: alone.failed, failures: alone.failures };
}

async function run(suite: VitestSuite, more: readonly string[], env: Readonly<Record<string, string>>): Promise<Ran> {
  const folder = mkdtempSync(join(tmpdir(), 'mizzen-test-'));
  const report = join(folder, 'report.json');
  const args = [
    join(root, 'node_modules/vitest/vitest.mjs'),
    'run',
    '--config',
    suite.config,
    '--reporter=default',
    '--reporter=json',
    `--outputFile=${report}`,
    ...more,
  ];
  const { status, late } = await bounded(
    suite.name,
    args,
    suite.budgetSeconds,
    suite.silent === true ? 'ignore' : 'inherit',
    env,
  );
  const ran = read(suite, report);
  rmSync(folder, { recursive: true, force: true });
  const failures = late ? [...ran.failures, `${suite.name}: not finished in time`] : ran.failures;
  // Errors outside of tests fail no test.
  const bad = (late || status !== 0) && ran.failed === 0 && ran.failedFiles.length === 0;
  return bad
    ? { ...ran, failed: 1, failures: [...failures, `${suite.name}: exit status ${status}`] }
    : { ...ran, failures };
}

function read(suite: VitestSuite, path: string): Ran {
  try {
    const report = JSON.parse(readFileSync(path, 'utf8')) as {
      readonly numPassedTests: number;
      readonly testResults: readonly TestFile[];
    };
    const failedFiles = report.testResults.filter(({ status }) => status === 'failed');
    const failures = failedFiles.flatMap(failuresOf);
    return { suite, passed: report.numPassedTests, failed: failures.length, failures, failedFiles };
  } catch (error) {
    return { suite, passed: 0, failed: 1, failures: [`${suite.name}: no report: ${String(error)}`], failedFiles: [] };
  }
}

/** What failed of a file: tests, or the file, which did not load or whose hooks failed. */
function failuresOf(file: TestFile): string[] {
  const failed = file.assertionResults.filter(({ status }) => status === 'failed');
  if (failed.length === 0) return [`${relative(root, file.name)}\n${shortened(file.message)}`];
  return failed.map(
    ({ fullName, failureMessages }) =>
      `${relative(root, file.name)}: ${fullName}\n${shortened(failureMessages.join('\n'))}`,
  );
}

function testsOf({ name, assertionResults }: TestFile): string[] {
  const failed = assertionResults.filter(({ status }) => status === 'failed');
  const file = relative(root, name);
  return failed.length === 0 ? [file] : failed.map(({ fullName }) => `${file}: ${fullName}`);
}

function shortened(text: string): string {
  const plain = stripVTControlCharacters(text);
  return plain.length <= MESSAGE_LENGTH ? plain : `${plain.slice(0, MESSAGE_LENGTH)} …`;
}
