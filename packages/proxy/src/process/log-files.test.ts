import { mkdtempSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { LogFiles } from './log-files.ts';

test('an access log is for its owner alone', () => {
  const directory = mkdtempSync(join(tmpdir(), 'mizzen-access-log-'));
  const path = join(directory, 'a.log');
  const clock = { now: () => 0, wall: () => 0, after: () => ({ cancel: () => undefined }) };
  const files = new LogFiles(clock, (message) => expect.fail(message));
  files.sink(path).write('GET /\n');
  files.close();
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(path).size).toBe(6);
  rmSync(directory, { recursive: true });
});

test('a file that was moved away is opened again: nothing is lost, nothing goes to the old one', () => {
  const directory = mkdtempSync(join(tmpdir(), 'mizzen-access-log-'));
  const path = join(directory, 'a.log');
  const clock = { now: () => 0, wall: () => 0, after: () => ({ cancel: () => undefined }) };
  const files = new LogFiles(clock, (message) => expect.fail(message));
  files.sink(path).write('1\n');
  renameSync(path, `${path}.1`);
  files.sink(path).write('2\n');
  files.reopen();
  files.sink(path).write('3\n');
  files.close();
  expect(readFileSync(`${path}.1`, 'utf8')).toBe('1\n2\n');
  expect(readFileSync(path, 'utf8')).toBe('3\n');
  rmSync(directory, { recursive: true });
});
