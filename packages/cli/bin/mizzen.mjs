#!/usr/bin/env node
// Plain JavaScript that an old Node can read: it finds the Node this package was installed with and goes on there.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import * as module from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packedEntry } from './packed.mjs';

const NEEDED = 24;
const sources = new URL('../src/main.ts', import.meta.url).href;

function packagedNode() {
  const require = module.createRequire(import.meta.url);
  const { platform, arch } = process;
  const os = platform === 'win32' ? 'win' : platform;
  for (const name of [`node-${os}-${arch}`, `node-bin-${os}-${arch}`]) {
    try {
      const path = join(
        dirname(require.resolve(`${name}/package.json`)),
        'bin',
        platform === 'win32' ? 'node.exe' : 'node',
      );
      if (existsSync(path)) return path;
    } catch {
      // not the package for this platform
    }
  }
  return undefined;
}

/**
 * Compiled code is kept beside the installed packages, that of the processes which `mizzen up` starts as well. Where that
 * may not be written to, this program's is kept where Node keeps it, and theirs in the state directory.
 */
function keepCompiledCode() {
  if (process.env.NODE_COMPILE_CACHE || process.env.NODE_DISABLE_COMPILE_CACHE) return;
  const directory = join(packages(), '.cache', 'mizzen');
  const { status } = module.enableCompileCache(directory);
  if (status === module.constants.compileCacheStatus.ENABLED) process.env.NODE_COMPILE_CACHE = directory;
  else module.enableCompileCache();
}

/** The node_modules directory that this program's packages come from. */
function packages() {
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, 'node_modules')) && dirname(directory) !== directory)
    directory = dirname(directory);
  return join(directory, 'node_modules');
}

if (Number(process.versions.node.split('.')[0]) >= NEEDED) {
  keepCompiledCode();
  const { main } = await import(packedEntry(packages()) ?? sources);
  process.exitCode = await main(process.argv.slice(2));
} else {
  const node = packagedNode();
  if (node === undefined) {
    process.stderr.write(
      `mizzen needs Node ${NEEDED} or newer; this is ${process.version}.\n  help: install it, or run \`npm ci\` with optional dependencies on\n`,
    );
    process.exit(2);
  }
  const env = { ...process.env, PATH: dirname(node) + (process.platform === 'win32' ? ';' : ':') + process.env.PATH };
  const args = [fileURLToPath(import.meta.url), ...process.argv.slice(2)];
  // The other one ends when this one does, however that comes about; see supervisor/parent.ts.
  const child = spawn(node, args, { stdio: 'inherit', env: { ...env, MIZZEN_PARENT: String(process.pid) } });
  // A terminal's Ctrl-C reaches both as well; whoever handles signals takes two at a time for one.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}
