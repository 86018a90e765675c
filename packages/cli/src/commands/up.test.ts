import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '@mizzen/testkit';
import { afterEach, expect, test } from 'vitest';

const program = fileURLToPath(new URL('../../bin/mizzen.mjs', import.meta.url));
const dir = mkdtempSync(join(tmpdir(), 'mizzen-cli-up-'));
afterEach(() => rmSync(dir, { recursive: true, force: true, maxRetries: 10 }));

const POD = `apiVersion: v1
kind: Pod
metadata: { name: piped }
spec: { containers: [{ name: app, image: x, ports: [{ containerPort: 8080 }] }] }
`;

/** Runs until it is ready, if it comes to that, then stops it. */
async function up(stdin: string, ...args: string[]): Promise<{ readonly status: number; readonly output: string }> {
  const all = [program, 'up', ...args, '--state-dir', join(dir, '.mizzen'), '--api-port', String(await freePort())];
  const child = spawn(process.execPath, all, { cwd: tmpdir() });
  child.stdin.end(stdin);
  let output = '';
  let told = false;
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += String(chunk);
      // A second one would not let it finish.
      if (!/^ready in /m.test(output) || told) return;
      told = true;
      child.kill('SIGINT');
    });
  }
  const status = await new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? -1)));
  return { status, output };
}

test.each([['-'], ['--config', '-']])('%s %s is what is piped in', { timeout: 120_000 }, async (...args) => {
  const { status, output } = await up(POD, ...args);
  expect(output).toMatch(/^piped running \(stand-in\) 1\/1$/m);
  expect(status).toBe(0);
});

test('a mesh configuration that is not there is refused', async () => {
  expect(await up(POD, '-', '--mesh-config', 'nofile')).toEqual({
    status: 1,
    output: 'mizzen up: --mesh-config: there is no file `nofile`\n',
  });
});
