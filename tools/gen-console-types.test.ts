import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { consoleTypes, TYPES_FILE } from './gen-console-types.ts';

test('the console reads what the published schemas say (node tools/gen-console-types.ts)', () => {
  expect(readFileSync(TYPES_FILE, 'utf8')).toBe(consoleTypes());
});
