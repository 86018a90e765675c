/** Builds the console unless these very sources have been built before, and prints the folder of the files. */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { builtFolder, root } from './folder.ts';

/** Of earlier sources. */
const KEEP_MS = 24 * 3600 * 1000;

const folder = builtFolder();
if (!existsSync(join(folder, 'index.html'))) {
  // Whoever builds may be a test, or have it set for another program: React's development build is no console for anybody.
  process.env.NODE_ENV = 'production';
  const { build } = await import('vite');
  const cache = dirname(folder);
  const unfinished = `${folder}.${process.pid}`;
  mkdirSync(cache, { recursive: true });
  await build({
    root,
    configFile: false,
    mode: 'production',
    logLevel: 'error',
    build: { outDir: unfinished, emptyOutDir: true, target: 'es2023', modulePreload: { polyfill: false } },
    worker: { format: 'es' },
  });
  try {
    renameSync(unfinished, folder);
  } catch (error) {
    // Another process was faster.
    rmSync(unfinished, { recursive: true, force: true });
    if (!existsSync(join(folder, 'index.html'))) throw error;
  }
  for (const name of readdirSync(cache)) {
    const path = join(cache, name);
    if (path !== folder && statSync(path).mtimeMs < Date.now() - KEEP_MS) rmSync(path, { recursive: true });
  }
}
process.stdout.write(`${folder}\n`);
