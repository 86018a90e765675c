import { execFileSync } from 'node:child_process';
import { constants, mkdtempSync, openSync, readSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
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

test('every line is written once and in order, whatever its length, and as the bytes that it stands for', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'mizzen-access-log-'));
  const path = join(directory, 'a.log');
  let due: (() => void) | undefined;
  const after = (_: number, fn: () => void): { cancel(): void } => {
    due = fn;
    return { cancel: () => undefined };
  };
  const files = new LogFiles({ now: () => 0, wall: () => 0, after }, (message) => expect.fail(message));
  const lines = Array.from({ length: 1200 }, (_, i) => `${i} \xe9${'x'.repeat(i === 700 ? 300_000 : i % 400)}\n`);
  const sink = files.sink(path);
  for (const line of lines.slice(0, 1000)) sink.write(line);
  due!();
  const written = Buffer.from(lines.slice(0, 1000).join(''), 'latin1');
  await expect.poll(() => readFileSync(path).equals(written)).toBe(true);
  for (const line of lines.slice(1000)) sink.write(line);
  files.close();
  expect(readFileSync(path).equals(Buffer.from(lines.join(''), 'latin1'))).toBe(true);
  rmSync(directory, { recursive: true });
});

test('what comes while a write is under way is gathered as long as any other', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'mizzen-access-log-'));
  const path = join(directory, 'a.log');
  const due: (() => void)[] = [];
  const after = (_: number, fn: () => void): { cancel(): void } => {
    due.push(fn);
    return { cancel: () => undefined };
  };
  const files = new LogFiles({ now: () => 0, wall: () => 0, after }, (message) => expect.fail(message));
  const sink = files.sink(path);
  sink.write('1\n');
  due.shift()!();
  sink.write('2\n');
  await expect.poll(() => readFileSync(path, 'utf8')).toBe('1\n');
  // The end of a write is heard of later than it is seen.
  await expect.poll(() => due.length).toBe(1);
  sink.write('3\n');
  await new Promise((done) => setImmediate(done));
  expect(readFileSync(path, 'utf8')).toBe('1\n');
  due.shift()!();
  await expect.poll(() => readFileSync(path, 'utf8')).toBe('1\n2\n3\n');
  expect(due).toHaveLength(0);
  files.close();
  rmSync(directory, { recursive: true });
});

test('a pipe that nobody reads holds nobody up; whoever comes reads what it has room for', () => {
  const directory = mkdtempSync(join(tmpdir(), 'mizzen-access-log-'));
  const path = join(directory, 'pipe');
  execFileSync('mkfifo', [path]);
  const clock = { now: () => 0, wall: () => 0, after: () => ({ cancel: () => undefined }) };
  const failures: string[] = [];
  const files = new LogFiles(clock, (message) => failures.push(message));
  const sink = files.sink(path);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const lines = (): void => {
    for (let i = 0; i < 600; i++) sink.write(`${String(i).padEnd(99)}\n`);
  };
  lines();
  files.reopen();
  const first = Buffer.alloc(100);
  readSync(reader, first);
  expect(first.toString()).toBe(`${'0'.padEnd(99)}\n`);
  lines();
  files.close();
  expect(failures).toEqual([expect.stringContaining('EAGAIN')]);
  rmSync(directory, { recursive: true });
});
