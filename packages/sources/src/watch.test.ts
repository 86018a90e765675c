import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ReadResult } from './ledger.ts';
import { watchFiles } from './watch.ts';
import type { Watching } from './watch.ts';

let directory: string;
let watching: Watching | undefined;
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'mizzen-watch-'))));
afterEach(() => {
  watching?.close();
  rmSync(directory, { recursive: true, force: true });
});

/** Calls that were put off for this long or longer, which never come. */
let held: { readonly least: number; count: number };
beforeEach(() => (held = { least: Infinity, count: 0 }));

const after = (milliseconds: number, run: () => void): (() => void) => {
  if (milliseconds >= held.least) {
    held.count++;
    return () => undefined;
  }
  const timer = setTimeout(run, milliseconds);
  return () => clearTimeout(timer);
};
const service = (name: string, port = 80): string =>
  `apiVersion: v1\nkind: Service\nmetadata: {name: ${name}}\nspec: {ports: [{port: ${port}, name: http}]}\n`;

/** Watches and gives the results one by one; `quiet` waits and fails if there is another. */
async function watch(...paths: string[]): Promise<{ next: () => Promise<ReadResult>; quiet: () => Promise<void> }> {
  const results: ReadResult[] = [];
  let wake: (() => void) | undefined;
  watching = await watchFiles(paths, { after, meshConfig: undefined }, (result) => {
    results.push(result);
    wake?.();
  });
  return {
    next: async () => {
      if (results.length === 0) {
        const { promise, resolve, reject } = Promise.withResolvers<void>();
        wake = resolve;
        const timer = setTimeout(() => reject(new Error('nothing happened')), 30_000);
        await promise;
        clearTimeout(timer);
      }
      return results.shift() as ReadResult;
    },
    quiet: async () => {
      await new Promise((resolve) => void setTimeout(resolve, 150));
      expect(results.map((r) => r.changed)).toEqual([]);
    },
  };
}
const names = (result: ReadResult | undefined): string[] =>
  result?.snapshot.list('Service').map((s) => s.metadata.name) ?? [];

test('an edit, a file that appears and one that goes', async () => {
  writeFileSync(join(directory, 'a.yaml'), service('a'));
  writeFileSync(join(directory, 'b.yaml'), service('b'));
  const { next } = await watch(directory);
  expect(names(watching?.first)).toEqual(['a', 'b']);
  const b = watching?.first.snapshot.get('Service', 'default', 'b');

  writeFileSync(join(directory, 'a.yaml'), service('a', 81));
  let result = await next();
  expect(result.changed).toMatchObject({ added: [], modified: [{ name: 'a' }], removed: [] });
  expect(result.snapshot.get('Service', 'default', 'b')).toBe(b);

  mkdirSync(join(directory, 'more', 'inside'), { recursive: true });
  writeFileSync(join(directory, 'more', 'inside', 'c.yaml'), service('c'));
  expect(names(await next())).toEqual(['a', 'b', 'c']);
  writeFileSync(join(directory, 'more', 'inside', 'c.yaml'), service('d'));
  expect(names(await next())).toEqual(['a', 'b', 'd']);

  rmSync(join(directory, 'a.yaml'));
  result = await next();
  expect(names(result)).toEqual(['b', 'd']);
  rmSync(join(directory, 'more'), { recursive: true });
  expect(names(await next())).toEqual(['b']);
});

test('a save by renaming, and one that empties the file first, are each one change and never a removal', async () => {
  const file = join(directory, 'a.yaml');
  writeFileSync(file, service('a'));
  const { next, quiet } = await watch(file);
  renameSync(file, `${file}~`);
  writeFileSync(join(directory, '.a.swp'), service('a', 81));
  renameSync(join(directory, '.a.swp'), file);
  expect((await next()).changed).toMatchObject({ added: [], modified: [{ name: 'a' }], removed: [] });

  // The longest of its waits is for the rest of a file that is suddenly empty.
  held = { least: 50, count: 0 };
  writeFileSync(file, '');
  await expect.poll(() => held.count).toBe(1);
  writeFileSync(file, service('a', 82));
  expect((await next()).changed).toMatchObject({ added: [], modified: [{ name: 'a' }], removed: [] });
  await quiet();
});

test('a file under another name is never there twice', async () => {
  writeFileSync(join(directory, 'a.yaml'), service('a'));
  const { next, quiet } = await watch(directory);
  renameSync(join(directory, 'a.yaml'), join(directory, 'b.yaml'));
  const result = await next();
  expect(result.diagnostics).toEqual([]);
  expect(result.changed).toEqual({ added: [], modified: [], removed: [] });
  expect(result.snapshot.get('Service', 'default', 'a')?.source.file).toBe(join(directory, 'b.yaml'));
  await quiet();
});

test('a directory that is replaced, or comes later', async () => {
  const folder = join(directory, 'mesh');
  const { next } = await watch(folder);
  expect(watching?.first.diagnostics).toMatchObject([{ code: 'MZ0008' }]);
  mkdirSync(join(directory, 'new'));
  writeFileSync(join(directory, 'new', 'a.yaml'), service('a'));
  renameSync(join(directory, 'new'), folder);
  expect(names(await next())).toEqual(['a']);
  mkdirSync(join(directory, 'newer'));
  writeFileSync(join(directory, 'newer', 'a.yaml'), service('b'));
  renameSync(folder, join(directory, 'old'));
  renameSync(join(directory, 'newer'), folder);
  expect(names(await next())).toEqual(['b']);
  writeFileSync(join(folder, 'a.yaml'), service('c'));
  expect(names(await next())).toEqual(['c']);
});

test('a file whose directories come later', async () => {
  const { next } = await watch(join(directory, 'a', 'b', 'mesh.yaml'));
  mkdirSync(join(directory, 'a'));
  await new Promise((resolve) => void setTimeout(resolve, 50));
  mkdirSync(join(directory, 'a', 'b'));
  writeFileSync(join(directory, 'a', 'b', 'mesh.yaml'), service('a'));
  expect(names(await next())).toEqual(['a']);
});

test('files behind links that are switched together, as Kubernetes mounts them', async () => {
  mkdirSync(join(directory, '..1'));
  mkdirSync(join(directory, '..2'));
  writeFileSync(join(directory, '..1', 'a.yaml'), service('a'));
  writeFileSync(join(directory, '..2', 'a.yaml'), service('b'));
  symlinkSync('..1', join(directory, '..data'));
  symlinkSync(join('..data', 'a.yaml'), join(directory, 'a.yaml'));
  const { next } = await watch(directory);
  expect(names(watching?.first)).toEqual(['a']);
  symlinkSync('..2', join(directory, '..tmp'));
  renameSync(join(directory, '..tmp'), join(directory, '..data'));
  expect(names(await next())).toEqual(['b']);
});

test('nothing is told when no text changed', async () => {
  writeFileSync(join(directory, 'a.yaml'), service('a'));
  const { quiet } = await watch(directory);
  writeFileSync(join(directory, 'a.yaml'), service('a'));
  writeFileSync(join(directory, 'notes.txt'), 'hello');
  writeFileSync(join(directory, 'mizzen.yaml'), 'workloads: {}');
  writeFileSync(join(directory, 'x.mesh-test.yaml'), 'cases: []');
  mkdirSync(join(directory, 'node_modules'));
  writeFileSync(join(directory, 'node_modules', 'b.yaml'), service('b'));
  await quiet();
});

test('changes of one file among 300 are told one by one', async () => {
  for (let i = 0; i < 300; i++) writeFileSync(join(directory, `s${i}.yaml`), service(`s${i}`));
  const { next } = await watch(directory);
  for (let i = 0; i < 5; i++) {
    writeFileSync(join(directory, 's7.yaml'), service('s7', 1000 + i));
    const { changed } = await next();
    expect(changed.modified.map(({ name }) => name)).toEqual(['s7']);
  }
});

// Root may read everything.
test.skipIf(process.getuid?.() === 0)(
  'what was in a directory that is closed stays until it is opened again',
  async () => {
    mkdirSync(join(directory, 'more'));
    writeFileSync(join(directory, 'a.yaml'), service('a'));
    writeFileSync(join(directory, 'more', 'b.yaml'), service('b'));
    const { next } = await watch(directory);
    chmodSync(join(directory, 'more'), 0o000);
    writeFileSync(join(directory, 'a.yaml'), service('c'));
    let result = await next();
    while (names(result).includes('a')) result = await next();
    expect(names(result)).toEqual(['c', 'b']);
    expect(result.diagnostics).toMatchObject([{ message: expect.stringContaining('EACCES') }]);
    chmodSync(join(directory, 'more'), 0o700);
    while (result.diagnostics.length > 0) result = await next();
    expect(names(result)).toEqual(['c', 'b']);
  },
);
