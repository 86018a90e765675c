import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type BuildSpec, Builds, installed } from './builds.ts';
import { launcher } from './launch.ts';

let directory: string;
let builds: Builds;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mizzen-builds-'));
  builds = new Builds(launcher({ add: () => {}, remove: () => {} }));
});
afterEach(() => rmSync(directory, { recursive: true }));

const lines: string[] = [];
function spec(changes: Partial<BuildSpec> = {}): BuildSpec {
  const target = join(directory, 'out/app');
  return {
    directory: target,
    revision: 'a',
    requires: [],
    command: undefined,
    dir: directory,
    env: { PATH: process.env.PATH ?? '', MIZZEN_BUILD_DIR: target },
    onLine: (_stream, line) => lines.push(line),
    ...changes,
  };
}

test('what a build makes is in its directory, and the directory is there before it', async () => {
  expect(await builds.run(spec({ command: 'echo made > "$MIZZEN_BUILD_DIR/program"' }))).toBeUndefined();
  expect(readFileSync(join(directory, 'out/app/program'), 'utf8')).toBe('made\n');
});

test('programs that are not installed are named, and nothing is built', async () => {
  const command = 'touch "$MIZZEN_BUILD_DIR/made"';
  expect(await builds.run(spec({ requires: ['sh', 'no-such-tool'], command }))).toBe('`no-such-tool` is not installed');
  expect(await builds.run(spec({ requires: ['no-such-tool', './neither'], command }))).toBe(
    '`no-such-tool` and `./neither` are not installed',
  );
  expect(existsSync(join(directory, 'out'))).toBe(false);
});

test('a program is installed when a file that may be executed is on the path', () => {
  writeFileSync(join(directory, 'tool'), '#!/bin/sh\n');
  expect(installed('tool', `/nowhere:${directory}`, '/')).toBe(false);
  chmodSync(join(directory, 'tool'), 0o755);
  expect(installed('tool', `/nowhere:${directory}`, '/')).toBe(true);
  expect(installed('./tool', '', directory)).toBe(true);
  expect(installed('tool', '', directory)).toBe(false);
  expect(installed('out', directory, '/')).toBe(false);
});

test('of a failed build the line that says why is told, and all of it is in the log', async () => {
  lines.length = 0;
  const command = 'echo one; echo "ERROR: no matching version" >&2; echo "a newer pip is available"; exit 3';
  expect(await builds.run(spec({ command }))).toBe('the build exited with status 3: ERROR: no matching version');
  expect(lines.toSorted()).toEqual(['ERROR: no matching version', 'a newer pip is available', 'one']);
  expect(await builds.run(spec({ command: 'echo a; echo b; exit 1' }))).toBe('the build exited with status 1: b');
  expect(await builds.run(spec({ command: ['no-such-program'] }))).toBe(
    'cannot build: `no-such-program` was not found',
  );
  const file = spec({ command: 'true', dir: '/etc/passwd' });
  expect(await builds.run(file)).toBe('cannot build: `/etc/passwd` is not a directory');
});

test('replicas share a build; one of another revision runs after it', async () => {
  const command = (word: string): string => `echo start ${word} >> log; sleep 0.2; echo end ${word} >> log`;
  const first = spec({ command: command('a') });
  await Promise.all([
    builds.run(first),
    builds.run(first),
    builds.run(spec({ command: command('b'), revision: 'b' })),
    builds.run(spec({ command: command('b'), revision: 'b' })),
  ]);
  expect(readFileSync(join(directory, 'log'), 'utf8')).toBe('start a\nend a\nstart b\nend b\n');
});

test('a build ends with the mesh', async () => {
  const done = builds.run(spec({ command: ['sleep', '60'] }));
  await new Promise((resolve) => setTimeout(resolve, 50));
  builds.stop();
  expect(await done).toBe('the build was ended by SIGKILL');
});
