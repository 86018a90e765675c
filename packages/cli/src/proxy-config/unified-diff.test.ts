import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { requireTool } from '@mizzen/testkit';
import { unifiedDiff } from './unified-diff.ts';

test('the same texts have no difference', () => {
  expect(unifiedDiff('a\nb', 'a\nb', 'x', 'y')).toBe('');
});

test('changes stand with seven lines around them, those close together as one', () => {
  const lines = Array.from({ length: 60 }, (_, index) => String(index));
  const changed = lines.with(10, 'ten').toSpliced(20, 1).with(50, 'x');
  const diff = unifiedDiff(lines.join('\n'), changed.join('\n'), 'before', 'after');
  expect(diff.match(/^@@.*@@$/gm)).toEqual(['@@ -4,25 +4,24 @@', '@@ -45,15 +44,15 @@']);
  expect(diff).toContain('\n-10\n+ten\n');
});

test('patch makes one text of the other, whatever they are', () => {
  requireTool('patch');
  const folder = mkdtempSync(join(tmpdir(), 'mizzen-diff-'));
  let seed = 1;
  const next = (below: number): number => (seed = (seed * 48_271) % 2_147_483_647) % below;
  const text = (): string => `${Array.from({ length: 1 + next(60) }, () => 'abcde'[next(5)]).join('\n')}\n`;
  try {
    for (let round = 0; round < 30; round++) {
      const [from, to] = [text(), text()];
      const diff = unifiedDiff(from.trimEnd(), to.trimEnd(), 'a', 'b');
      writeFileSync(join(folder, 'a'), from);
      if (diff !== '') execFileSync('patch', ['-s', '--posix', 'a'], { cwd: folder, input: diff });
      expect(readFileSync(join(folder, 'a'), 'utf8')).toBe(to);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
