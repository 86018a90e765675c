import fc from 'fast-check';
import { expect, test } from 'vitest';
import { splitDocuments } from './split.ts';

test('every line that starts with --- separates; what holds only comments is left out', () => {
  const text = '# intro\n---\na: 1\n--- # two\nb: |\n  ---\n  text\n---\n\n# nothing\n---\r\nc: 3\n...\n---\n';
  expect(splitDocuments(text)).toEqual([
    { text: '---\na: 1\n', firstLine: 2 },
    { text: '--- # two\nb: |\n  ---\n  text\n', firstLine: 4 },
    { text: '---\r\nc: 3\n...\n', firstLine: 11 },
  ]);
});

test('a directive belongs to no document, and a byte order mark to no text', () => {
  expect(splitDocuments('\ufeff%YAML 1.2\n---\na: 1')).toEqual([{ text: '---\na: 1', firstLine: 2 }]);
  expect(splitDocuments('')).toEqual([]);
});

test('first lines are where the documents are', () => {
  const line = fc.constantFrom('a: 1', '---', '', '# c', '  ---', '---x', '--- {a: 1}');
  fc.assert(
    fc.property(fc.array(line), (lines) => {
      for (const document of splitDocuments(lines.join('\n'))) {
        expect(document.text.split('\n')[0]).toBe(lines[document.firstLine - 1]);
      }
    }),
  );
});
