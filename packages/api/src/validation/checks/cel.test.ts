import { expect, it } from 'vitest';
import { celProblem } from './cel.ts';

it.each([
  'response.code >= 400',
  'response.code >= 400 && !(request.path in ["/a", "/b",])',
  'has(request.headers["x-a"]) ? request.headers[\'x-a\'].startsWith("b") : false',
  'connection.mtls || -size(a.b) < 1.5e3 - 0x1Fu * 2',
  '[1, 2].exists(x, x > 1) && {"a": 1}.a == 1 // so it is',
  'r"\\d+" != "\\"" && .a.b == Message{field: true}',
  '"""many\nlines""" == b',
])('takes %s', (text) => {
  expect(celProblem(text)).toBeUndefined();
});

it.each([
  ['', 'it ends too early'],
  ['response.code >=', 'it ends too early'],
  ['a b', '`b` is not expected at column 3'],
  ['a & b', 'nothing can begin as at column 2'],
  ['(a', 'it ends too early'],
  ['f(a,)', '`)` is not expected at column 5'],
  ['a.if', '`if` is not expected at column 3'],
  ['a = 1', 'nothing can begin as at column 2'],
  ['"open', 'nothing can begin as at column 1'],
])('refuses %s', (text, why) => {
  expect(celProblem(text)).toBe(why);
});
