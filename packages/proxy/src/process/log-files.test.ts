import { mkdtempSync, rmSync, statSync } from 'node:fs';
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
