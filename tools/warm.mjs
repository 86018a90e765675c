/**
 * Runs when dependencies are installed (`prepare`): packs the command, and starts each program of `mizzen up` and of the
 * store once, as far as it comes without being told what to do, so that its compiled code is there when somebody waits
 * for it. Whatever goes wrong costs the first start some time and nothing else. Plain JavaScript, because any Node may run it.
 */
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname ?? '.', '..');
const LONGEST_MS = 20_000;
const store = join(root, 'examples/store/src');
const programs = [
  ['packages/runtime/src/control/main.ts'],
  ['packages/proxy/src/process/main.ts'],
  ['packages/cli/bin/mizzen.mjs', 'up', '--help'],
  ['packages/cli/bin/mizzen.mjs', 'version'],
  ['tools/warm-proxy.ts'],
  ['packages/runtime/src/standin/main.ts'],
  ['packages/console/build/main.ts'],
  // Without settings a service ends before it opens anything.
  ...readdirSync(store).flatMap((name) => (name === 'shared' ? [] : [[join(store, name, 'main.ts')]])),
];

function run(args) {
  const { PATH } = process.env;
  const NODE_COMPILE_CACHE = join(root, 'node_modules/.cache/mizzen');
  const options = { cwd: root, env: { PATH, NODE_COMPILE_CACHE }, stdio: 'ignore', timeout: LONGEST_MS };
  return new Promise((done) => spawn(process.execPath, args, options).once('error', done).once('exit', done));
}

if (Number(process.versions.node.split('.')[0]) >= 24) {
  const { pack } = await import('./pack.ts');
  await pack(root).catch((error) => process.stderr.write(`not packed: ${error.message}\n`));
  const worker = async () => {
    for (let next = programs.shift(); next !== undefined; next = programs.shift()) await run(next);
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
}
