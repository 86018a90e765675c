import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repositoryRoot } from '@mizzen/testkit';
import { expect, test } from 'vitest';

const program = join(repositoryRoot, 'packages/cli/bin/mizzen.mjs');

test.each([
  [['prometheus', '--api', 'nowhere', '/dev/null/a'], 2, '--api: `nowhere` is no http or https URL'],
  [['grafana', '--prometheus', 'file:///a', '/dev/null/a'], 2, '--prometheus: `file:///a` is no http or https URL'],
  [['prometheus', '/dev/null/a'], 1, '`/dev/null/a/prometheus.yaml` cannot be written'],
])('what cannot be exported is said: %s', (args, status, reason) => {
  const ran = spawnSync(process.execPath, [program, 'export', ...args], { encoding: 'utf8' });
  expect(ran).toMatchObject({ status, stdout: '' });
  expect(ran.stderr).toContain(reason);
  expect(ran.stderr).not.toContain('    at ');
});

test('files of somebody else are left alone unless it is forced', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mizzen-export-'));
  const file = join(folder, 'prometheus.yaml');
  const run = (...args: string[]): { status: number | null; stderr: string } =>
    spawnSync(process.execPath, [program, 'export', 'prometheus', folder, ...args], { encoding: 'utf8' });
  writeFileSync(file, 'mine');
  const refused = run();
  expect([refused.status, refused.stderr]).toEqual([
    1,
    `mizzen: \`${file}\` would be overwritten\n  hint: name another directory, or add --force\n`,
  ]);
  expect(readFileSync(file, 'utf8')).toBe('mine');
  expect([run('--force').status, run().status]).toEqual([0, 0]);
  expect(readFileSync(file, 'utf8')).toContain('scrape_configs');
});
