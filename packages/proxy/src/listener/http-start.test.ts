import { expect, test } from 'vitest';
import { readHttpStart } from './http-start.ts';

const start = (text: string): string | undefined => readHttpStart(Buffer.from(text, 'latin1'));

test.each([
  ['GET / HTTP/1.1\r\n', 'http/1.1'],
  ['GET / HTTP/1.0\r\nhost: a\r\n', 'http/1.0'],
  ['POST http://a/b?c HTTP/1.1\n', 'http/1.1'],
  ['POST  /\tHTTP/1.1 \r\n', 'http/1.1'],
  ['\r\nPOST / HTTP/1.1\r\n', ''],
  ['GET a HTTP/1.1\r\n', ''],
  ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'h2c'],
  ['PRI * HTTP/1.1\r\n', 'http/1.1'],
  ['GET / HTTP/3.7\r\n', 'http/1.0'],
  ['GET /\r\n', 'http/1.0'],
  ['GET\r\n', ''],
  ['\x16\x03\x01', ''],
  ['*1\r\n$4\r\nPING\r\n', ''],
])('%j is %j', (text, protocol) => {
  expect(start(text)).toBe(protocol);
});

test('asks for more as long as it may become a request', () => {
  const request = 'DELETE /a/b HTTP/1.1\r\n';
  for (let length = 0; length < request.length; length++) expect(start(request.slice(0, length))).toBeUndefined();
  const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n';
  for (let length = 0; length < preface.length; length++) expect(start(preface.slice(0, length))).toBeUndefined();
  expect(start(`GET /${'x'.repeat(70_000)}`)).toBe('');
});
