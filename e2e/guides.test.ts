import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { repositoryRoot } from '@mizzen/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asShown, commandsOf, steady } from './lib/console.ts';
import { type Mesh, up } from './lib/mesh.ts';

/** Every command of the tutorials is typed, in order, and prints what the page says. */
describe.each(['greet', 'hello'])('the tutorial %s', (name) => {
  const commands = commandsOf(`docs/guide/${name}.md`);
  let mesh: Mesh;
  let bin: string;
  beforeAll(async () => {
    mesh = await up([`examples/${name}`]);
    bin = mkdtempSync(join(tmpdir(), 'mizzen-guide-'));
    // The mesh of this test has a state directory of its own; `npx` is in the way.
    const program = join(repositoryRoot, 'packages/cli/bin/mizzen.mjs');
    const flags = `--state-dir '${mesh.stateDir}'`;
    const npx = `#!/bin/sh
shift
case "$*" in *--config*) exec '${process.execPath}' '${program}' "$@" ;; esac
exec '${process.execPath}' '${program}' "$@" ${flags}
`;
    writeFileSync(join(bin, 'npx'), npx);
    chmodSync(join(bin, 'npx'), 0o755);
  });
  afterAll(async () => {
    rmSync(bin, { recursive: true, force: true });
    expect((await mesh.stop()).status).toBe(0);
  });

  const type = (command: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const child = spawn(
        '/bin/sh',
        [
          '-c',
          command
            .replaceAll(/(?<=curl -s [^|]*)localhost:8080/g, `localhost:${mesh.gatewayPort}`)
            .replaceAll(/(?<=curl -s )localhost:15014/g, `localhost:${mesh.apiPort}`),
        ],
        {
          cwd: repositoryRoot,
          env: { ...process.env, PATH: `${bin}${delimiter}${process.env['PATH']}` },
          stdio: ['ignore', 'pipe', 'pipe'],
        },
      );
      let output = '';
      child.stdout.on('data', (data: Buffer) => (output += data.toString()));
      child.stderr.on('data', (data: Buffer) => (output += data.toString()));
      child.on('error', reject);
      child.on('close', () => resolve(output));
    });

  it('starts the mesh as shown', async () => {
    const [first] = commands;
    expect(first?.command).toBe(`npx mizzen up examples/${name}`);
    // The order in which workloads become ready is chance.
    const printed = steady(mesh.output()).split('\n').toSorted();
    expect(steady(first!.output).split('\n').toSorted()).toEqual(printed);
  });

  it.each(commands.slice(1))('line $line: $command', async ({ command, output }) => {
    // Counts and access logs reach their readers a moment later.
    await expect
      .poll(
        async () => {
          const printed = await type(command);
          return asShown(output, printed) ? output : printed;
        },
        { interval: 300 },
      )
      .toBe(output);
  });
});
