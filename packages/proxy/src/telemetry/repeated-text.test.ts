import { expect, test } from 'vitest';
import type { LogSource } from '../program/types.ts';
import type { OperatorValue } from './operators/operator.ts';
import { RepeatedText } from './repeated-text.ts';

/** Texts of values that are given one row after the other. */
function texts(rows: readonly (readonly OperatorValue[])[]): string[] {
  let row: readonly OperatorValue[] = [];
  const steps = rows[0]!.map((_, i) => ({ before: `${i}=`, get: () => row[i] }));
  const repeated = new RepeatedText(steps, '\n', '-');
  return rows.map((values) => {
    row = values;
    return repeated.of({} as LogSource);
  });
}

function expected(rows: readonly (readonly OperatorValue[])[]): string[] {
  const written = (value: OperatorValue): string =>
    value === undefined || value === null ? '-' : typeof value === 'object' ? JSON.stringify(value) : String(value);
  return rows.map((values) => `${values.map((value, i) => `${i}=${written(value)}`).join('')}\n`);
}

test('every text has its own values, whichever of them are as before, for however long', () => {
  const kinds: readonly ((n: number) => OperatorValue)[] = [
    (n) => n,
    () => 'always',
    (n) => `\xe9 ${Math.floor(n / 7)}`,
    () => undefined,
    (n) => (n % 1000 === 999 ? null : true),
    (n) => (n < 5000 ? 'GET' : n),
    (n) => (n < 5000 ? n : 'POST'),
    (n) => ({ n: Math.floor(n / 100) }),
    () => 0,
  ];
  const rows = Array.from({ length: 15_000 }, (_, n) => kinds.map((kind) => kind(n)));
  expect(texts(rows)).toEqual(expected(rows));
});

test('what is the same object may have changed', () => {
  const list: number[] = [];
  const steps = [{ before: '', get: () => list }];
  const repeated = new RepeatedText(steps, '', '-');
  for (let n = 0; n < 100; n++) {
    list.push(n);
    expect(repeated.of({} as LogSource)).toBe(JSON.stringify(list));
  }
});

test('what came before an operator threw is in the next text', () => {
  let row = ['a', 'b'];
  let fails = false;
  const second = (): OperatorValue => {
    if (fails) throw new Error('no value');
    return row[1];
  };
  const repeated = new RepeatedText(
    [
      { before: '', get: () => row[0] },
      { before: ' ', get: second },
    ],
    '',
    '-',
  );
  expect(repeated.of({} as LogSource)).toBe('a b');
  row = ['c', 'b'];
  fails = true;
  expect(() => repeated.of({} as LogSource)).toThrow('no value');
  fails = false;
  expect(repeated.of({} as LogSource)).toBe('c b');
});
