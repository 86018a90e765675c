/**
 * `npm run conformance [-- PATTERN] [--only envoy|mizzen] [--cases FOLDER] [--jobs N] [--check] [-v]`: runs the cases whose name contains
 * PATTERN, prints the table by area, and without PATTERN writes docs/reference/conformance.md (`--check`: says whether it is as
 * it should be). `--cases` takes them from another folder of areas. Exit status 1 on a difference that has no name, or a name that no case needs. The last line is
 * `N passed, N failed`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { repositoryRoot } from '@mizzen/testkit';
import { readCases, type Case } from './case.ts';
import { namedDifferences } from './differences.ts';
import { ENGINES, type Engine } from './engines.ts';
import { page } from './page.ts';
import { details, observations, table } from './report.ts';
import { run, type Result, type Verdict } from './run.ts';

const { values, positionals } = readArguments();
if (
  positionals.length > 1 ||
  (values.only !== undefined && !(values.only in ENGINES)) ||
  !/^[1-9]\d*$/.test(values.jobs)
) {
  usage();
}
const engines = values.only === undefined ? (Object.keys(ENGINES) as Engine[]) : [values.only as Engine];
const cases = read(positionals[0]);
const whole = positionals.length === 0 && values.only === undefined && values.cases === undefined;
const problems = checkNames(cases);
const started = performance.now();
const results = await runAll(cases);
process.stdout.write(`\n${table(results)}\n`);
if (whole) problems.push(...checkPage(page(cases)));
for (const result of results.filter(({ verdicts: all }) => all.some(failing)))
  process.stdout.write(`FAILED ${result.one.name}\n${details(result, false)}`);
for (const problem of problems) process.stdout.write(`FAILED ${problem}\n`);
const verdicts = results.flatMap(({ verdicts: all }) => all.filter(({ result }) => result !== 'pending'));
const failed = verdicts.filter(failing).length + problems.length;
process.stdout.write(`${((performance.now() - started) / 1000).toFixed(0)} s\n`);
process.stdout.write(`${verdicts.length - failed + problems.length} passed, ${failed} failed\n`);
process.exitCode = failed > 0 ? 1 : 0;

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        only: { type: 'string' },
        cases: { type: 'string' },
        jobs: { type: 'string', default: '3' },
        check: { type: 'boolean', default: false },
        verbose: { type: 'boolean', short: 'v', default: false },
      },
    });
  } catch {
    return usage();
  }
}

function usage(): never {
  process.stderr.write(
    'usage: conformance [PATTERN] [--only envoy|mizzen] [--cases FOLDER] [--jobs N] [--check] [-v]\n',
  );
  return process.exit(2);
}

function read(pattern: string | undefined): Case[] {
  try {
    const found = readCases(pattern, values.cases === undefined ? undefined : resolve(values.cases));
    // Nothing that was compared is not alike.
    if (found.length === 0)
      throw new Error(`there is no case${pattern === undefined ? '' : ` with \`${pattern}\` in its name`}`);
    return found;
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n0 passed, 1 failed\n`);
    return process.exit(1);
  }
}

async function runAll(all: readonly Case[]): Promise<Result[]> {
  const done: Result[] = [];
  const waiting = [...all.entries()];
  const again: [number, Case][] = [];
  await Promise.all(
    Array.from({ length: Number(values.jobs) }, async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        const result = await run(next[1], engines);
        done[next[0]] = result;
        tell(result);
        if (result.verdicts.some(failing)) again.push(next);
      }
    }),
  );
  // Two cores are shared with whatever else runs: what fails once more, with no other case beside it, has something to say.
  for (const [i, one] of again) {
    done[i] = await run(one, engines);
    process.stdout.write('again, alone: ');
    tell(done[i]);
  }
  return done;
}

function failing({ result }: Verdict): boolean {
  return result === 'failed';
}

function tell(result: Result): void {
  const { one, verdicts: all } = result;
  const bad = all.filter(failing).length;
  const pending = all.filter(({ result: each }) => each === 'pending').length;
  process.stdout.write(
    `${one.name}: ${bad > 0 ? `${bad} FAILED` : 'ok'}${pending > 0 ? `, ${pending} to be mended` : ''}\n`,
  );
  for (const { title, mended } of all) if (mended === true) process.stdout.write(`  alike by now: ${title}\n`);
  process.stdout.write(details(result, values.verbose));
  if (values.verbose) process.stdout.write(observations(result));
}

/** Every name that a case gives must be explained, and every explanation needed. */
function checkNames(all: readonly Case[]): string[] {
  const named = namedDifferences();
  const used = new Set(
    all.flatMap(({ requests, statsDiffer }) =>
      [...requests.map(({ differs }) => differs), statsDiffer].filter((each) => each !== undefined),
    ),
  );
  return [
    ...[...used]
      .filter((name) => !named.has(name))
      .map((name) => `\`differs: ${name}\` is not in docs/reference/differences.md`),
    ...(whole
      ? [...named]
          .filter((name) => !used.has(name))
          .map((name) => `no case needs the difference \`${name}\` of differences.md`)
      : []),
  ];
}

function checkPage(text: string): string[] {
  const path = join(repositoryRoot, 'docs/reference/conformance.md');
  if (!values.check) {
    writeFileSync(path, text);
    return [];
  }
  return readFileSync(path, 'utf8') === text
    ? []
    : ['docs/reference/conformance.md is out of date: run `npm run conformance`'];
}
