#!/usr/bin/env node
// Plain JavaScript that an old Node can read: it finds the Node this package was installed with and goes on there.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import * as module from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const NEEDED = 24;
const entry = fileURLToPath(new URL('../src/main.ts', import.meta.url));

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

if (Number(process.versions.node.split('.')[0]) >= NEEDED) {
  // Only where Node has the permission to write; a failure costs start-up time, nothing else.
  if (!process.env.NODE_DISABLE_COMPILE_CACHE) module.enableCompileCache?.();
  const { main } = await import(entry);
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
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}
