/**
 * Packs the `mizzen` command into few files, so that starting it does not have to find and read hundreds of modules. They
 * are beside the installed packages, with a list of what went in: once a source is newer than its entry there, `mizzen`
 * runs from the sources again (packages/cli/bin/packed.mjs). Without the bundler, as where only what runs is installed,
 * nothing is packed.
 */
import { renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';

export async function pack(root: string): Promise<void> {
  const bundler = await import('rolldown').catch(() => undefined);
  if (bundler === undefined) return;
  const parent = join(root, 'node_modules/.cache/mizzen');
  const [made, place] = [join(parent, `packing-${process.pid}`), join(parent, 'packed')];
  const sources = new Set<string>();
  const bundle = await bundler.rolldown({
    input: {
      main: join(root, 'packages/cli/src/main.ts'),
      // For tests, which start it hundreds of times.
      standalone: join(root, 'packages/proxy/src/process/standalone.ts'),
    },
    platform: 'node',
    logLevel: 'silent',
    plugins: [
      {
        name: 'sources',
        transform(code: string, id: string) {
          const path = id.replace(/\?.*/, '');
          if (path.startsWith('\0')) return undefined;
          // What is installed changes with an installation, after which this runs again.
          if (!path.includes('/node_modules/')) sources.add(path);
          // What a source finds beside itself stays there.
          return code.includes('import.meta.url')
            ? { code: code.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href)), map: null }
            : undefined;
        },
      },
    ],
  });
  await bundle.write({ dir: made, format: 'esm', entryFileNames: '[name].mjs', chunkFileNames: '[name]-[hash].mjs' });
  await bundle.close();
  const stamps = [...sources].sort().map((path) => [relative(root, path), statSync(path).mtimeMs] as const);
  writeFileSync(join(made, 'sources.json'), JSON.stringify({ root, stamps: Object.fromEntries(stamps) }));
  rmSync(place, { recursive: true, force: true });
  renameSync(made, place);
}
