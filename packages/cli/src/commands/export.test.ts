import { spawnSync } from 'node:child_process';
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
