/**
 * `npm run fuzz -- [yaml|xds|codec]... [--seconds N] [--seed S]`: feeds mutated input to what reads input from outside,
 * and looks for anything that is thrown and is no error of its own, for what does not come back, and for memory that
 * grows. Time (600 s unless told) is divided among the targets. A failing input is made smaller and kept in .fuzz;
 * `npm run fuzz -- --replay FILE` feeds it again. Exit status 1 when something was found.
 *
 * `npm run fuzz -- explore [--seconds N] [--seed S]`: random whole configurations of HTTP with random traffic, on Mizzen's
 * proxy and on Envoy. What they answer, pass on, log and count must be the same (explore/).
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { compare, explore, type Finding } from './explore/explore.ts';
import type { Unit } from './explore/unit.ts';
import { fuzz } from './fuzz.ts';
import type { Input } from './target.ts';
import { targetNamed, TARGETS } from './targets.ts';

const folder = join(import.meta.dirname, '../../.fuzz');
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: 'string' }, seed: { type: 'string' }, replay: { type: 'string' } },
});

function usage(problem: string): never {
  process.stderr.write(
    `${problem}\nusage: npm run fuzz -- [${Object.keys(TARGETS).join('|')}]... | explore [--seconds N] [--seed S] | --replay FILE\n`,
  );
  process.exit(2);
}

function whole(text: string | undefined, otherwise: number, name: string): number {
  if (text === undefined) return otherwise;
  if (!/^\d{1,10}$/.test(text)) usage(`--${name} is a whole number, not \`${text}\``);
  return Number(text);
}

async function replay(file: string): Promise<void> {
  const { target, input, unit } = JSON.parse(readFileSync(file, 'utf8')) as {
    target: string;
    input: Input;
    unit: Unit;
  };
  if (target === 'explore') {
    const [{ differences } = { differences: [] }] = await compare([unit]);
    tell(differences);
    process.exitCode = differences.length > 0 ? 1 : 0;
    return;
  }
  const loaded = await targetNamed(target);
  await loaded.run(input);
  await loaded.stop?.();
  process.stdout.write('nothing is wrong with it\n');
}

const SHOWN = 10;

function tell(differences: Finding['differences']): void {
  for (const { what, envoy, mizzen } of differences.slice(0, SHOWN))
    process.stdout.write(`  ${what}\n    envoy  ${JSON.stringify(envoy)}\n    mizzen ${JSON.stringify(mizzen)}\n`);
}

async function exploreMain(seed: number, seconds: number): Promise<void> {
  process.stdout.write(`explore: seed ${seed}, ${seconds} s\n`);
  const onFinding = ({ number, unit, differences }: Finding): void => {
    const file = join(folder, `explore-${seed}-${number}.json`);
    mkdirSync(folder, { recursive: true });
    const found = { target: 'explore', seed, number, unit, differences };
    writeFileSync(file, `${JSON.stringify(found, undefined, 2)}\n`);
    process.stdout.write(`unit ${number}: ${file}\n`);
    tell(differences);
    process.exitCode = 1;
  };
  const result = await explore({ seed, milliseconds: seconds * 1000, onFinding });
  process.stdout.write(
    `explore: ${result.units} units, ${result.connections} connections, ${result.refused} units refused by both, ` +
      `${result.unsteady} not the same twice, ${result.findings.length} findings\n`,
  );
}

async function main(): Promise<void> {
  if (positionals.includes('explore')) {
    if (positionals.length > 1) usage('`explore` is run alone');
    await exploreMain(whole(values.seed, Date.now() % 1_000_000_000, 'seed'), whole(values.seconds, 600, 'seconds'));
    return;
  }
  const unknown = positionals.find((name) => !(name in TARGETS));
  if (unknown !== undefined) usage(`there is nothing to fuzz called \`${unknown}\``);
  const names = positionals.length > 0 ? positionals : Object.keys(TARGETS);
  const seconds = whole(values.seconds, 600, 'seconds');
  const seed = whole(values.seed, Date.now() % 1_000_000_000, 'seed');
  for (const target of names) {
    process.stdout.write(`${target}: seed ${seed}, ${(seconds / names.length).toFixed(0)} s\n`);
    const { inputs, failures } = await fuzz(target, { seed, milliseconds: (seconds / names.length) * 1000 });
    for (const { number, kind, message, input } of failures) {
      const file = join(folder, `${target}-${seed}-${number}.json`);
      mkdirSync(folder, { recursive: true });
      writeFileSync(file, `${JSON.stringify({ target, seed, number, message, input }, undefined, 2)}\n`);
      process.stdout.write(`  input ${number}: ${kind}\n    ${file}\n`);
      process.exitCode = 1;
    }
    process.stdout.write(`${target}: ${inputs} inputs, ${failures.length} kinds of failure\n`);
  }
}

await (values.replay === undefined ? main() : replay(values.replay));
