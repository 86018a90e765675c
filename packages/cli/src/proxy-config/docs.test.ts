import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '@mizzen/testkit';
import { expect, test } from 'vitest';
import { subcommands } from '../commands/proxy-config.ts';

const program = join(repositoryRoot, 'packages/cli/bin/mizzen.mjs');
const page = readFileSync(join(repositoryRoot, 'docs/reference/proxy-config.md'), 'utf8');
const examples = [...page.matchAll(/^```\n\$ mizzen (.*)\n([^]*?)^```$/gm)].map(([, line = '', output = '']) => ({
  line,
  output,
}));

/** Runs a command line of the page; `| head -N` keeps so many lines. */
function run(line: string): string {
  const [command = '', head] = line.split(' | head -');
  const out = execFileSync(process.execPath, [program, ...command.split(' ')], {
    cwd: repositoryRoot,
    encoding: 'utf8',
  });
  return head === undefined ? out : `${out.split('\n').slice(0, Number(head)).join('\n')}\n`;
}

test.each(examples)('docs/reference/proxy-config.md is true: mizzen $line', ({ line, output }) => {
  // Spaces at the ends of lines are not seen on a page.
  expect(output).toBe(run(line).replace(/ +$/gm, ''));
});

test('the page has examples, and every command', () => {
  expect(examples.length).toBeGreaterThan(4);
  for (const name of Object.keys(subcommands)) expect(page).toContain(`\`${name}\``);
});
