import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repositoryRoot, requireTool } from '@mizzen/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ALERTS } from './alerts.ts';

/** The rules as they are exported, before a real promtool. */
const cases = join(import.meta.dirname, 'testdata');
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'mizzen-rules-'));
  const mizzen = join(repositoryRoot, 'packages/cli/bin/mizzen.mjs');
  execFileSync(process.execPath, [mizzen, 'export', 'prometheus', folder], { stdio: 'pipe' });
  cpSync(cases, folder, { recursive: true });
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What it prints; it fails where something is wrong. */
function promtool(...args: string[]): string {
  try {
    return execFileSync(requireTool('promtool', 'prometheus'), args, { cwd: folder, encoding: 'utf8', stdio: 'pipe' });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`promtool ${args.join(' ')}:\n${stdout}${stderr}`, { cause: error });
  }
}

test('promtool finds nothing wrong with the configuration and its rules', () => {
  expect(promtool('check', 'config', 'prometheus.yaml')).toContain('SUCCESS');
  for (const name of readdirSync(join(folder, 'rules')))
    expect(promtool('check', 'rules', '--lint-fatal', `rules/${name}`)).toContain('SUCCESS');
});

test.each(readdirSync(cases))('alerts fire and clear: %s', (name) => {
  expect(promtool('test', 'rules', name)).toContain('SUCCESS');
});

test('every alert has a test', () => {
  const tested = readdirSync(cases)
    .map((name) => readFileSync(join(cases, name), 'utf8'))
    .join('');
  const names = ALERTS.groups.flatMap(({ rules }) => rules.flatMap((rule) => ('alert' in rule ? [rule.alert] : [])));
  expect(names.length).toBeGreaterThan(15);
  for (const name of names) expect(tested, name).toMatch(new RegExp(`alertname: ${name}\\n[^{}]*exp_alerts:\\n`));
});
