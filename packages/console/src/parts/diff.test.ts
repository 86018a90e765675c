import { expect, test } from 'vitest';
import { diffLines, withContext } from './diff.ts';

const shown = (before: string, after: string): string[] =>
  diffLines(before, after).map(({ kind, text }) => `${{ same: ' ', added: '+', removed: '-' }[kind]}${text}`);

test.each([
  ['a\nb\nc', 'a\nb\nc', [' a', ' b', ' c']],
  ['a\nb\nc', 'a\nx\nc', [' a', '-b', '+x', ' c']],
  ['a\nb\nc\nd', 'a\nc\nd\ne', [' a', '-b', ' c', ' d', '+e']],
  ['a\nb', 'b\na', ['-a', ' b', '+a']],
  ['x\na\nb\nx\na', 'a\nx\nb\na', ['-x', ' a', '-b', ' x', '+b', ' a']],
])('%j to %j', (before, after, lines) => {
  expect(shown(before, after)).toEqual(lines);
});

test('what is shown leads from the one to the other, whatever they are', () => {
  let seed = 7;
  const random = (below: number): number => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) % below;
  for (let i = 0; i < 200; i++) {
    const text = (): string => Array.from({ length: random(12) }, () => 'abc'[random(3)]).join('\n');
    const [before, after] = [text(), text()];
    const lines = diffLines(before, after);
    const of = (without: string): string =>
      lines
        .filter(({ kind }) => kind !== without)
        .map((line) => line.text)
        .join('\n');
    expect([of('added'), of('removed')]).toEqual([before, after]);
  }
});

test('numbers are those of each text, and what is far from differences is left out', () => {
  const many = Array.from({ length: 20 }, (_, index) => `line ${index + 1}`);
  const lines = withContext(diffLines(many.join('\n'), many.toSpliced(9, 1).join('\n')), 1);
  expect(lines).toEqual([
    undefined,
    { kind: 'same', text: 'line 9', before: 9, after: 9 },
    { kind: 'removed', text: 'line 10', before: 10, after: undefined },
    { kind: 'same', text: 'line 11', before: 11, after: 10 },
    undefined,
  ]);
});
