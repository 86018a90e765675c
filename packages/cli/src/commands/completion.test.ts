import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { repositoryRoot } from '@mizzen/testkit';
import { expect, test } from 'vitest';

const program = join(repositoryRoot, 'packages/cli/bin/mizzen.mjs');
const completion = (shell: string): string =>
  execFileSync(process.execPath, [program, 'completion', shell], { encoding: 'utf8' });

/** What bash itself offers for a line whose last word is being typed. */
function offered(words: readonly string[]): string[] {
  const typed = words.map((word) => `'${word}'`).join(' ');
  const script = `${completion('bash')}\nCOMP_WORDS=(${typed}); COMP_CWORD=${words.length - 1}; _mizzen; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return execFileSync('bash', ['-c', script], { encoding: 'utf8' }).trim().split('\n');
}

test('bash completes commands and their flags', () => {
  expect(offered(['mizzen', 'sta'])).toEqual(['status']);
  expect(offered(['mizzen', 'up', '--gateway'])).toEqual(['--gateway-port']);
  expect(offered(['mizzen', 'x', 'xds', '--no'])).toEqual(['--node']);
});

test('bash completes what follows a common word, by alias, too', () => {
  expect(offered(['mizzen', 'proxy-config', 'boot'])).toEqual(['bootstrap']);
  expect(offered(['mizzen', 'pc', 'listener'])).toEqual(['listener', 'listeners']);
  expect(offered(['mizzen', 'pc', 'l', '--add'])).toEqual(['--address']);
  expect(offered(['mizzen', 'ps', '--verb'])).toEqual(['--verbosity']);
});

test('zsh and fish get scripts that name every command', () => {
  for (const shell of ['zsh', 'fish']) expect(completion(shell)).toMatch(/help up .*explain .*version/s);
});

test('another shell is refused by name', () => {
  expect(() =>
    execFileSync(process.execPath, [program, 'completion', 'tcsh'], { encoding: 'utf8', stdio: 'pipe' }),
  ).toThrow('`tcsh`');
});
