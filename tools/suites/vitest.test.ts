import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { root } from './bounded.ts';
import { again, vitest } from './vitest.ts';

const cache = join(root, 'node_modules/.cache');
mkdirSync(cache, { recursive: true });
const folder = mkdtempSync(join(cache, 'suites-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A text of tests that is true from the second run on. */
const SECOND = `
import { existsSync, writeFileSync } from 'node:fs';
const seen = import.meta.filename + '.seen';
const second = existsSync(seen);
writeFileSync(seen, '');
`;

function suite(name: string, files: Readonly<Record<string, string>>) {
  const own = join(folder, name);
  mkdirSync(own);
  for (const [file, text] of Object.entries(files)) writeFileSync(join(own, file), text);
  const config = join(own, 'vitest.config.ts');
  writeFileSync(
    config,
    `export default { test: { root: ${JSON.stringify(own)}, globals: true, include: ['*.test.ts'] } };`,
  );
  return { name, config, budgetSeconds: 60, silent: true };
}

test('files that failed run once more, and what fails twice has failed', async () => {
  const first = await vitest(
    suite('mixed', {
      'steady.test.ts': `test('a', () => {}); test('b', () => {});`,
      'unsteady.test.ts': `${SECOND} test('c', () => {}); test('d', () => expect(second).toBe(true));`,
      'hook.test.ts': `${SECOND} beforeAll(() => { if (!second) throw new Error('not yet'); }); test('e', () => {});`,
      'unread.test.ts': `${SECOND} if (!second) throw new Error('not yet'); test('f', () => {});`,
      'broken.test.ts': `test('g', () => {}); test('h', () => expect(1).toBe(2));`,
    }),
  );
  expect([first.passed, first.failed]).toEqual([4, 4]);
  const second = await again(first);
  expect([second.passed, second.failed]).toEqual([7, 1]);
  expect(second.failures).toEqual([expect.stringContaining('broken.test.ts: h\n')]);
});

test('a tree that is broken does not run twice', async () => {
  const files = Array.from({ length: 13 }, (_, i) => [
    `${i}.test.ts`,
    `${SECOND} test('it', () => expect(second).toBe(true));`,
  ]);
  const first = await vitest(suite('many', Object.fromEntries(files)));
  expect([first.passed, first.failed]).toEqual([0, 13]);
  expect(await again(first)).toBe(first);
});

test('errors outside of tests fail a suite', async () => {
  const stray = `test('it', async () => { setTimeout(() => { throw new Error('stray'); }); await new Promise((done) => setTimeout(done, 50)); });`;
  const first = await again(await vitest(suite('stray', { 'stray.test.ts': stray })));
  expect([first.passed, first.failed]).toEqual([1, 1]);
});
