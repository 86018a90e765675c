import { cpSync, mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { pack } from './pack.ts';

const repository = join(import.meta.dirname, '..');
let folder: string;
let root: string;

beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'mizzen-pack-')));
  root = join(folder, 'here');
  mkdirSync(join(root, 'packages/cli/src'), { recursive: true });
  mkdirSync(join(root, 'node_modules/.cache/mizzen'), { recursive: true });
  cpSync(join(repository, 'packages/cli/bin'), join(root, 'packages/cli/bin'), { recursive: true });
  source(
    'main.ts',
    "import { at } from './at.ts';\nexport const main = () => void process.stdout.write(at + import.meta.url);",
  );
  source('at.ts', 'export const at: string = new URL("./at.ts", import.meta.url).href + " ";');
  mkdirSync(join(root, 'packages/proxy/src/process'), { recursive: true });
  writeFileSync(join(root, 'packages/proxy/src/process/standalone.ts'), 'process.stdout.write(import.meta.url);');
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

function source(name: string, text: string): void {
  writeFileSync(join(root, 'packages/cli/src', name), text);
}

/** What `mizzen` prints, and whether it came from the packed form. */
function run(): { text: string; packed: boolean } {
  const trace = join(folder, 'trace.mjs');
  writeFileSync(
    trace,
    `import { registerHooks } from 'node:module';
     registerHooks({ load: (url, context, next) => (url.includes('/packed/') && process.stderr.write('packed'), next(url, context)) });`,
  );
  const env = { ...process.env, NODE_DISABLE_COMPILE_CACHE: '1' };
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', trace, join(root, 'packages/cli/bin/mizzen.mjs')],
    { encoding: 'utf8', env },
  );
  return { text: stdout, packed: stderr.includes('packed') };
}

describe('the packed command', () => {
  test('does what the sources do, and finds what is beside them', async () => {
    const before = run();
    expect(before).toEqual({
      packed: false,
      text: expect.stringMatching(/src\/at\.ts file:.*src\/main\.ts$/) as string,
    });
    await pack(root);
    expect(run()).toEqual({ ...before, packed: true });
  });

  test('has the proxy that tests start beside it', async () => {
    await pack(root);
    const program = join(root, 'node_modules/.cache/mizzen/packed/standalone.mjs');
    const { stdout } = spawnSync(process.execPath, [program], { encoding: 'utf8' });
    expect(stdout).toMatch(/^file:.*packages\/proxy\/src\/process\/standalone\.ts$/);
  });

  test('gives way to sources that have changed or gone', async () => {
    await pack(root);
    source('at.ts', 'export const at: string = "new ";');
    utimesSync(join(root, 'packages/cli/src/at.ts'), 1, 1);
    expect(run()).toEqual({ packed: false, text: expect.stringMatching(/^new file:/) as string });
    await pack(root);
    expect(run().packed).toBe(true);
    rmSync(join(root, 'packages/cli/src/at.ts'));
    source('main.ts', 'export const main = () => void process.stdout.write("alone");');
    expect(run()).toEqual({ packed: false, text: 'alone' });
  });

  test('is not used for a copy of the sources elsewhere', async () => {
    await pack(root);
    const elsewhere = join(folder, 'elsewhere');
    renameSync(root, elsewhere);
    root = elsewhere;
    expect(run().packed).toBe(false);
  });
});
