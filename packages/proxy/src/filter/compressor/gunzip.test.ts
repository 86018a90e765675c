import { crc32, gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { GzipHeader } from './gzip-header.ts';
import { Gunzip } from './gunzip.ts';

const TEXT = 'some text, and some text again';
const PLAIN = gzipSync(TEXT);

function withHeader(checksum = 0): Buffer {
  const head = Buffer.concat([
    Buffer.from([0x1f, 0x8b, 8, 2 | 4 | 8 | 16, 0, 0, 0, 0, 0, 3]),
    Buffer.from([3, 0, 1, 0, 2]),
    Buffer.from('name\0and a comment\0'),
  ]);
  const sum = Buffer.alloc(2);
  sum.writeUInt16LE((crc32(head) & 0xffff) ^ checksum);
  return Buffer.concat([head, sum, PLAIN.subarray(10)]);
}

/** Undone when all pieces come at once, and how it fails. */
async function undo(pieces: readonly Buffer[]): Promise<{ readonly text: string; readonly code: string | undefined }> {
  const gunzip = new Gunzip({ windowBits: 15, chunkSize: 4096 });
  let text = '';
  let code: string | undefined;
  gunzip.on('data', (data: Buffer) => (text += data.toString()));
  gunzip.on('error', (error: NodeJS.ErrnoException) => (code = error.code));
  for (const piece of pieces) gunzip.write(piece);
  gunzip.end();
  await new Promise((done) => gunzip.once('close', done));
  return { text, code };
}

test.each([
  ['without names', PLAIN],
  ['with all that a header may have', withHeader()],
])('a body %s is undone wherever it is cut', async (_, body) => {
  for (let at = 0; at <= body.length; at++)
    expect([at, await undo([body.subarray(0, at), body.subarray(at)])]).toEqual([at, { text: TEXT, code: undefined }]);
  expect(await undo(Array.from(body, (byte) => Buffer.from([byte])))).toEqual({ text: TEXT, code: undefined });
});

test('a header with a wrong checksum is none', async () => {
  expect(await undo([withHeader(1)])).toEqual({ text: '', code: 'Z_DATA_ERROR' });
});

test('of a name without an end nothing is kept', () => {
  const header = new GzipHeader();
  const start = Buffer.from([0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3]);
  expect(header.read(start)).toBe(start.length);
  const name = Buffer.alloc(64 * 1024, 'n');
  const before = process.memoryUsage().arrayBuffers;
  for (let i = 0; i < 1000; i++) expect(header.read(name)).toBe(name.length);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1000 * name.length);
  expect(header.done).toBe(false);
  expect(header.read(Buffer.from('end\0x'))).toBe(4);
  expect(header.done).toBe(true);
});
