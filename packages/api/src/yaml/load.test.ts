import { expect, test } from 'vitest';
import { loadYaml } from './load.ts';

const value = (text: string): unknown => {
  const result = loadYaml(text);
  if ('error' in result) throw new Error(result.error.reason);
  return result.value;
};

test('scalars mean what they mean to Kubernetes', () => {
  expect(
    value('a: yes\nb: Off\nc: 0644\nd: 0x1F\ne: 1_000\nf: 22:30\ng: 2024-01-02\nh: ~\ni: "8080"\nj: 1e3\nk: y'),
  ).toEqual({
    a: true,
    b: false,
    c: 420,
    d: 31,
    e: 1000,
    f: '22:30',
    g: '2024-01-02',
    h: null,
    i: '8080',
    j: 1000,
    k: 'y',
  });
});

test('JSON with tabs, merge keys and aliases', () => {
  expect(value('{\n\t"a": [\n\t\t1,\n\t\t{"b": "c\\/d"}\n\t]\n}')).toEqual({ a: [1, { b: 'c/d' }] });
  expect(value('x: &x {a: 1}\ny:\n  <<: *x\n  b: 2')).toEqual({ x: { a: 1 }, y: { a: 1, b: 2 } });
});

test('a closing bracket in the column of its key is fine', () => {
  expect(value('args: [\n  "a",\n  "b",\n]\nenv:\n  list: [\n    1\n  ]\nafter: 2')).toEqual({
    args: ['a', 'b'],
    env: { list: [1] },
    after: 2,
  });
});

test.each([
  ['a: 1\nb: 2\na: 3', { line: 3, column: 1, reason: 'duplicated mapping key' }],
  ['a: [1, 2\nb: 3', { line: 2 }],
  ['a: b: c', { line: 1 }],
])('%j is an error with its place', (text, error) => {
  expect(loadYaml(text)).toMatchObject({ error });
});

test('aliases that multiply, or lead to themselves, are refused', () => {
  const levels = Array.from({ length: 12 }, (_, i) => `l${i + 1}: &l${i + 1} [${`*l${i},`.repeat(10)}]`);
  expect(loadYaml(`l0: &l0 [x]\n${levels.join('\n')}`)).toMatchObject({
    error: { reason: expect.stringContaining('too many') as string },
  });
  expect(loadYaml('a: &a [*a]')).toMatchObject({ error: {} });
});

test('keys of Object.prototype are keys like any other', () => {
  const parsed = value('__proto__: {polluted: true}\nconstructor: 1') as object;
  expect(Object.keys(parsed)).toEqual(['__proto__', 'constructor']);
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
});
