/**
 * `npm run fuzz -- [yaml|xds|codec]... [--seconds N] [--seed S]`: feeds mutated input to what reads input from outside,
 * and looks for anything that is thrown and is no error of its own, for what does not come back, and for memory that
 * grows. Time (600 s unless told) is divided among the targets. A failing input is made smaller and kept in .fuzz;
 * `npm run fuzz -- --replay FILE` feeds it again. Exit status 1 when something was found.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
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
    `${problem}\nusage: npm run fuzz -- [${Object.keys(TARGETS).join('|')}]... [--seconds N] [--seed S] | --replay FILE\n`,
  );
  process.exit(2);
}

function whole(text: string | undefined, otherwise: number, name: string): number {
  if (text === undefined) return otherwise;
  if (!/^\d{1,10}$/.test(text)) usage(`--${name} is a whole number, not \`${text}\``);
  return Number(text);
}

async function replay(file: string): Promise<void> {
  const { target, input } = JSON.parse(readFileSync(file, 'utf8')) as { target: string; input: Input };
  const loaded = await targetNamed(target);
  await loaded.run(input);
  await loaded.stop?.();
  process.stdout.write('nothing is wrong with it\n');
}

async function main(): Promise<void> {
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
