import { expect, test } from 'vitest';
import { recognise } from './sniff.ts';

test.each([
  ['GET / HTTP/1.1\r\n', 'http'],
  ['PATCH /x?y=%20 HTTP/1.0\n', 'http'],
  ['GET /still-reading', undefined],
  ['GE', undefined],
  ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'http2'],
  ['P', undefined],
  ['PING\r\n', 'tcp'],
  ['HELLO world\n', 'tcp'],
  ['hello\n', 'tcp'],
  ['*1\r\n$4\r\nPING\r\n', 'tcp'],
  ['\x16\x03\x01', 'tcp'],
])('%j is %s', (text, expected) => {
  expect(recognise(text)).toBe(expected);
});
