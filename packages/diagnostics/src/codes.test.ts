import { globSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const root = new URL('../../../', import.meta.url).pathname;
const listed = [
  ...readFileSync(new URL('../codes.yaml', import.meta.url), 'utf8').matchAll(/^([A-Z]+\d{4}): .+/gm),
].map(([, code]) => code as string);

function used(): Map<string, string> {
  const codes = new Map<string, string>();
  for (const file of globSync('packages/*/src/**/*.ts', { cwd: root })) {
    if (file.endsWith('.test.ts') || file.includes('/gen/')) continue;
    for (const [, code] of readFileSync(root + file, 'utf8').matchAll(/['"`]((?:MZ|IST)\d{4})['"`]/g)) {
      codes.set(code as string, file);
    }
  }
  return codes;
}

test('every code in the source is listed, and every listed code is used', () => {
  const codes = used();
  expect([...codes].filter(([code]) => !listed.includes(code))).toEqual([]);
  expect(listed.filter((code) => !codes.has(code))).toEqual([]);
  expect(new Set(listed).size).toBe(listed.length);
});
