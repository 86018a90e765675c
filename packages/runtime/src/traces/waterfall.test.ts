import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Span } from './span.ts';
import { hex, span } from './testing/spans.ts';
import { rootOf, waterfall } from './waterfall.ts';

const below = (parent: number, more: Partial<Span> = {}): Partial<Span> => ({ parentId: hex(parent, 16), ...more });
const shape = (spans: readonly Span[]): string[] =>
  waterfall(spans).map(({ span: { id, kind }, depth }) => `${depth}:${Number(id)}${kind === 'server' ? 's' : ''}`);
const critical = (spans: readonly Span[]): Record<number, string> =>
  Object.fromEntries(
    waterfall(spans).map((each) => [
      Number(each.span.id),
      each.critical.map(({ start, end }) => `${start}-${end}`).join(' '),
    ]),
  );

test('each span stands before its children, and children in the order they began', () => {
  const spans = [
    span(1, 4, 60, 80, below(2)),
    span(1, 3, 20, 30, below(2)),
    span(1, 1, 0, 100),
    span(1, 5, 30, 40, below(1)),
    span(1, 2, 10, 90, below(1)),
  ];
  expect(shape(spans)).toEqual(['0:1', '1:2', '2:3', '2:4', '1:5']);
  expect(Number(rootOf(spans)?.id)).toBe(1);
});

test('a server that shares the id of its client is below it, and above what it calls', () => {
  const spans = [span(1, 2, 30, 60, below(1)), span(1, 1, 10, 90, { kind: 'server' }), span(1, 1, 0, 100)];
  expect(shape(spans)).toEqual(['0:1', '1:1s', '2:2']);
});

test('spans whose parent nobody reported, and circles of them, are there all the same', () => {
  expect(shape([span(1, 2, 5, 6, below(9)), span(1, 1, 0, 10)])).toEqual(['0:1', '0:2']);
  expect(shape([span(1, 1, 0, 10, below(2)), span(1, 2, 1, 9, below(1))])).toHaveLength(2);
  expect(rootOf([span(1, 1, 0, 10, below(2)), span(1, 2, 1, 9, below(1))])?.start).toBe(0);
});

test('what a trace waits for: the call that ended last, and before it what had ended when it began', () => {
  expect(critical([span(1, 1, 0, 100), span(1, 2, 10, 40, below(1)), span(1, 3, 50, 90, below(1))])).toEqual({
    1: '0-10 40-50 90-100',
    2: '10-40',
    3: '50-90',
  });
});

test('of two calls side by side only the longer is waited for', () => {
  expect(critical([span(1, 1, 0, 100), span(1, 2, 10, 40, below(1)), span(1, 3, 10, 90, below(1))])).toEqual({
    1: '0-10 90-100',
    2: '',
    3: '10-90',
  });
});

test('what outlives its parent is waited for as long as that', () => {
  expect(critical([span(1, 1, 0, 100), span(1, 2, 50, 300, below(1))])).toEqual({ 1: '0-50', 2: '50-100' });
});

test('of any trace, the critical parts make up the time of its first span, none of it twice', () => {
  const made = fc.array(fc.record({ parent: fc.nat(20), start: fc.nat(1000), length: fc.nat(500) }), {
    minLength: 1,
    maxLength: 20,
  });
  fc.assert(
    fc.property(made, (list) => {
      const spans = [
        span(1, 1, 0, 1000),
        ...list.map(({ parent, start, length }, index) =>
          span(1, index + 2, start, start + length, below((parent % (index + 1)) + 1)),
        ),
      ];
      const parts = waterfall(spans)
        .flatMap((each) => each.critical)
        .toSorted((a, b) => a.start - b.start || a.end - b.end);
      let at = 0;
      for (const { start, end } of parts) {
        expect(start).toBe(at);
        expect(end).toBeGreaterThan(start);
        at = end;
      }
      expect(at).toBe(1000);
    }),
    { numRuns: 300 },
  );
});

test('a chain of thousands is no trouble', () => {
  const spans = Array.from({ length: 5000 }, (_, index) => span(1, index + 1, index, 10_000 - index, below(index)));
  expect(waterfall(spans).at(-1)?.depth).toBe(4999);
});
