import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { VirtualClock } from '../kubelet/testing/virtual-clock.ts';
import { AccessLogs } from './access-logs.ts';

test('access logs that are full are moved away, and proxies open new ones; other logs stay', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mizzen-access-'));
  const names = () => readdirSync(folder).toSorted();
  const full = (name: string) => {
    writeFileSync(join(folder, name), 'first line\n', { mode: 0o644 });
    truncateSync(join(folder, name), 65 * 1024 * 1024);
  };
  const clock = new VirtualClock();
  let reopened = 0;
  const logs = new AccessLogs({
    clock,
    folder,
    reopen: async () => void reopened++,
    onGone: () => expect.fail('it is there'),
  });
  full('a.web.access.log');
  full('a.web.log');
  writeFileSync(join(folder, 'a.api.access.log'), 'a line\n');
  await clock.advance(10_000);
  expect(reopened).toBe(1);
  expect(names()).toEqual(['a.api.access.log', 'a.web.access.log', 'a.web.access.log.1', 'a.web.log']);
  const fresh = statSync(join(folder, 'a.web.access.log'));
  expect(fresh.size).toBe(0);
  if (process.platform !== 'win32') expect(fresh.mode & 0o777).toBe(0o600);
  full('a.web.access.log');
  await clock.advance(5_000);
  expect(reopened).toBe(2);
  expect(names()).toHaveLength(4);
  logs.close();
  full('a.web.access.log');
  await clock.advance(10_000);
  expect(reopened).toBe(2);
  rmSync(folder, { recursive: true });
});

test('a folder that is taken away is made again, and what cannot be made ends nothing', async () => {
  const parent = mkdtempSync(join(tmpdir(), 'mizzen-access-'));
  const folder = join(parent, 'state/logs');
  mkdirSync(folder, { recursive: true });
  const clock = new VirtualClock();
  let reopened = 0;
  const onGone = vi.fn<() => void>();
  const logs = new AccessLogs({ clock, folder, onGone, reopen: async () => void reopened++ });
  rmSync(join(parent, 'state'), { recursive: true });
  await clock.advance(5_000);
  expect(onGone).toHaveBeenCalledTimes(1);
  expect(reopened).toBe(1);
  expect(existsSync(folder)).toBe(true);
  if (process.platform !== 'win32') expect(statSync(join(parent, 'state')).mode & 0o777).toBe(0o700);
  rmSync(join(parent, 'state'), { recursive: true });
  writeFileSync(join(parent, 'state'), 'a file');
  await clock.advance(5_000);
  expect(reopened).toBe(1);
  logs.close();
  rmSync(parent, { recursive: true });
});
