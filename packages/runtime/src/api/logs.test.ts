import { appendFileSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { logsAnswer } from './logs.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mizzen-logs-'));
  path = join(folder, 'a.log');
});
afterEach(() => rmSync(folder, { recursive: true }));

const textsOf = (answer: ReturnType<typeof logsAnswer>): string[] => answer.lines.map(({ text }) => text);

test('lines come once, and whole', () => {
  expect(logsAnswer(path, undefined)).toEqual({ position: 0, lines: [] });
  writeFileSync(path, 'one\ntwo\nthr');
  const first = logsAnswer(path, undefined);
  expect(textsOf(first)).toEqual(['one', 'two']);
  expect(textsOf(logsAnswer(path, first.position))).toEqual([]);
  appendFileSync(path, 'ee\nfour\n');
  expect(textsOf(logsAnswer(path, first.position))).toEqual(['three', 'four']);
});

test('of a long file the end, from a line’s start', () => {
  writeFileSync(path, `${'a line of some length that is repeated\n'.repeat(40_000)}last\n`);
  const { lines } = logsAnswer(path, undefined);
  expect(lines.length).toBeLessThan(40_000);
  expect(lines[0]!.text).toBe('a line of some length that is repeated');
  expect(lines.at(-1)!.text).toBe('last');
});

test('a file that was begun anew is read from its start', () => {
  writeFileSync(path, 'one\ntwo\n');
  const { position } = logsAnswer(path, undefined);
  writeFileSync(path, 'new\n');
  expect(logsAnswer(path, position)).toMatchObject({ position: 4, lines: [{ text: 'new' }] });
});

test('what is left of a file that was moved away comes before the new one', () => {
  writeFileSync(path, 'one\ntwo\nthree\n');
  const { position } = logsAnswer(path, undefined);
  appendFileSync(path, 'four\n');
  renameSync(path, `${path}.1`);
  expect(textsOf(logsAnswer(path, position))).toEqual(['four']);
  writeFileSync(path, 'five\n');
  const next = logsAnswer(path, position);
  expect(textsOf(next)).toEqual(['four', 'five']);
  expect(textsOf(logsAnswer(path, next.position))).toEqual([]);
});

test('output tells when, who and where', () => {
  writeFileSync(path, '2026-01-01T00:00:00.000Z web-1/app E it fails\n2026-01-01T00:00:01.000Z web-1 O fine\n');
  expect(logsAnswer(path, undefined).lines).toEqual([
    { time: '2026-01-01T00:00:00.000Z', pod: 'web-1', container: 'app', stream: 'stderr', text: 'it fails' },
    { time: '2026-01-01T00:00:01.000Z', pod: 'web-1', container: '', stream: 'stdout', text: 'fine' },
  ]);
});
