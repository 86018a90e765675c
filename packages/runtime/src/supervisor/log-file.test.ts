import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { LineSplitter } from '../kubelet/lines.ts';
import { LogFile, logLine, parseLogLine } from './log-file.ts';

const dir = mkdtempSync(join(tmpdir(), 'mizzen-log-'));
afterAll(() => rmSync(dir, { recursive: true }));

test('a full log is put aside, and at most two are kept', () => {
  const path = join(dir, 'a.log');
  const log = new LogFile(path, 1_000);
  for (let i = 0; i < 100; i++) {
    log.write(`line ${i} ${'x'.repeat(50)}`);
    log.flush();
  }
  expect(statSync(path).size).toBeLessThanOrEqual(1_000);
  expect(statSync(`${path}.1`).size).toBeLessThanOrEqual(1_000);
  const kept = (readFileSync(`${path}.1`, 'utf8') + readFileSync(path, 'utf8')).trimEnd().split('\n');
  expect(kept.at(-1)).toContain('line 99 ');
  expect(kept.map((line) => Number(line.split(' ')[1]))).toEqual(kept.map((_, i) => 100 - kept.length + i));
});

test('log lines are read as they were written', () => {
  const line = logLine(new Date(0), 'web-0', undefined, 'stderr', 'a  b: c ');
  expect(parseLogLine(line)).toEqual({
    time: '1970-01-01T00:00:00.000Z',
    pod: 'web-0',
    stream: 'stderr',
    text: 'a  b: c ',
  });
  const one = parseLogLine(logLine(new Date(0), 'web-0', 'side', 'stdout', 'x/y'));
  expect(one).toMatchObject({ pod: 'web-0', container: 'side', stream: 'stdout', text: 'x/y' });
});

test('lines are cut where they end, whatever the chunks; endless ones in pieces', () => {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line));
  const bytes = Buffer.from('one\r\ntwö\n\nrest');
  for (const byte of bytes) splitter.push(Buffer.from([byte]));
  splitter.end();
  expect(lines).toEqual(['one', 'twö', '', 'rest']);
  lines.length = 0;
  splitter.push(Buffer.alloc(40_000, 'x'));
  splitter.end();
  expect(lines.map((l) => l.length)).toEqual([16_384, 16_384, 7_232]);
});
