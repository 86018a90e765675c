import { expect, test } from 'vitest';
import { renderDiagnostic } from './render.ts';
import type { Diagnostic } from './types.ts';

const text = 'kind: VirtualService\nspec:\n  http:\n\t- subset: v3\n';
const base: Diagnostic = { code: 'IST0101', severity: 'error', message: 'subset `v3` not found for host `reviews`' };

test('a diagnostic with its place, its line and its help', () => {
  const source = `${'\n'.repeat(13)}          subset: v3\n`;
  const span = { file: 'reviews.yaml', line: 14, column: 19, endLine: 14, endColumn: 21 };
  const help = '`reviews` defines `v1` and `v2`; did you mean `v2`?';
  expect(renderDiagnostic({ ...base, span, help }, { source: () => source })).toBe(
    [
      'error[IST0101] reviews.yaml:14:19  subset `v3` not found for host `reviews`',
      '  > 14 |           subset: v3',
      '       |                   ^^',
      '  help: `reviews` defines `v1` and `v2`; did you mean `v2`?',
    ].join('\n'),
  );
});

test('tabs keep the carets in place, a span of lines ends with its first, an empty one has a caret', () => {
  const tab = { file: 'a', line: 4, column: 4, endLine: 4, endColumn: 10 };
  expect(renderDiagnostic({ ...base, span: tab }, { source: () => text }).split('\n')[2]).toBe('      | \t  ^^^^^^');
  const lines = { file: 'a', line: 1, column: 7, endLine: 3, endColumn: 2 };
  expect(renderDiagnostic({ ...base, span: lines }, { source: () => text }).split('\n')[2]).toBe(
    '      |       ^^^^^^^^^^^^^^',
  );
  const nothing = { file: 'a', line: 2, column: 6, endLine: 2, endColumn: 6 };
  expect(renderDiagnostic({ ...base, span: nothing }, { source: () => text }).split('\n')[2]).toBe('      |      ^');
});

test('without a text, or a place, it says what it can', () => {
  const ref = { apiVersion: 'v1', kind: 'Service', namespace: 'shop', name: 'cart' };
  expect(renderDiagnostic({ ...base, ref })).toBe(
    'error[IST0101] Service shop/cart  subset `v3` not found for host `reviews`',
  );
  expect(renderDiagnostic(base)).toBe('error[IST0101] subset `v3` not found for host `reviews`');
  const span = { file: 'a', line: 99, column: 1, endLine: 99, endColumn: 2 };
  expect(renderDiagnostic({ ...base, span }, { source: () => text })).not.toContain('\n');
});
