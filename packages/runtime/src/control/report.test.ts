import { expect, test } from 'vitest';
import type { Diagnostic } from '@mizzen/diagnostics';
import { Report } from './report.ts';

const span = (line: number) => ({ file: 'a.yaml', line, column: 1, endLine: line, endColumn: 2 });
const warning = (message: string, line: number): Diagnostic => ({
  code: 'MZ0102',
  severity: 'warning',
  message,
  span: span(line),
});
const source = (): string => 'one\ntwo\nthree\n';

test('each mistake is told once with its line, however often others change, and when it is gone', () => {
  const report = new Report();
  const first = warning('no key', 1);
  const told = 'warning[MZ0102] a.yaml:1:1  no key\n  > 1 | one\n      | ^';
  expect(report.next([first], [], source)).toEqual([told]);
  expect(report.next([first], [], source)).toEqual([]);
  expect(report.next([warning('no key', 2), warning('no other', 3)], [], source)).toEqual([
    'warning[MZ0102] a.yaml:3:1  no other\n  > 3 | three\n      | ^',
  ]);
  expect(report.next([warning('no other', 3)], [], source)).toEqual(['no longer: warning[MZ0102] no key']);
  expect(report.next([first, warning('no other', 3)], [], source)).toEqual([told]);
});

test('what follows from a mistake is said with every new one', () => {
  const report = new Report();
  const error = (message: string): Diagnostic => ({ ...warning(message, 1), severity: 'error' });
  const follows = ['VirtualService a: its last good version stays in force'];
  expect(report.next([error('x')], follows, source).at(-1)).toBe(follows[0]);
  expect(report.next([error('x')], follows, source)).toEqual([]);
  expect(report.next([error('y')], follows, source)).toHaveLength(3);
});
